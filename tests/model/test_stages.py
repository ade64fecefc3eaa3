"""What each stage of a network sees, against a plain forward pass taken apart by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import timm
import torch
from torch import nn

from primum.model import backbone, features, stages
from primum.model.predict import predict

NAMES = {
    "efficientnet_lite0": 64,
    "resnet18": 64,
    "densenet121": 64,
    "swin_tiny_patch4_window7_224": 224,
    "convnext_atto": 64,
}


def built(name, **options):
    return timm.create_model(name, pretrained=False, num_classes=0, **options).eval()


def black(side=64):
    return torch.zeros(1, 3, side, side)


def by_hand(maps):
    """Means and deviations over positions of (B, C, positions), in double precision."""
    flat = np.asarray(maps, dtype=np.float64)
    return np.hstack([flat.mean(2), flat.std(2)])


@pytest.mark.parametrize("name", NAMES)
def test_widths_are_those_of_the_stages_that_the_network_names(name):
    trunk = built(name)
    listed = [entry["num_chs"] for entry in trunk.feature_info]
    assert stages.widths(stages.named(trunk, black(NAMES[name]))) == tuple(2 * count for count in listed)


def test_a_transformer_gives_five_blocks_the_last_among_them():
    found = stages.named(built("vit_tiny_patch16_224", img_size=32), black(32))
    assert [stage.module for stage in found] == [f"blocks.{at}" for at in (1, 4, 6, 9, 11)]
    assert {stage.prefix for stage in found} == {1}


def test_resnet_stages_are_those_of_a_pass_by_hand():
    torch.manual_seed(0)
    trunk = built("resnet18")
    images = torch.randn(3, 3, 64, 64)
    with torch.inference_mode(), stages.watched(trunk, stages.named(trunk, black())) as seen:
        embeddings = trunk(images)
    with torch.inference_mode():
        x = trunk.act1(trunk.bn1(trunk.conv1(images)))
        maps = [x]
        x = trunk.maxpool(x)
        for layer in (trunk.layer1, trunk.layer2, trunk.layer3, trunk.layer4):
            x = layer(x)
            maps.append(x)
        again = trunk(images)
    assert len(seen) == len(maps)
    for found, feature_map in zip(seen, maps, strict=True):
        np.testing.assert_allclose(found, by_hand(feature_map.flatten(2)), atol=1e-4)
    assert not [module for module in trunk.modules() if module._forward_hooks]
    np.testing.assert_allclose(embeddings, again, atol=1e-6)


def test_tokens_that_stand_for_no_place_are_left_out():
    torch.manual_seed(0)
    trunk = built("vit_tiny_patch16_224", img_size=64)
    images = torch.randn(2, 3, 64, 64)
    with torch.inference_mode(), stages.watched(trunk, stages.named(trunk, black())) as seen:
        trunk(images)
    with torch.inference_mode():
        maps = trunk.forward_intermediates(images, indices=[1, 11], intermediates_only=True, norm=False)
    for found, feature_map in zip((seen[0], seen[-1]), maps, strict=True):  # class token dropped, as a map
        np.testing.assert_allclose(found, by_hand(feature_map.flatten(2)), atol=1e-4)


def test_swin_gives_its_channels_last():
    torch.manual_seed(0)
    trunk = built("swin_tiny_patch4_window7_224")
    images = torch.randn(1, 3, 224, 224)
    found = stages.named(trunk, black(224))
    assert [stage.axis for stage in found] == [3] * 4
    with torch.inference_mode(), stages.watched(trunk, found) as seen:
        trunk(images)
    with torch.inference_mode():
        maps = trunk.forward_intermediates(images, intermediates_only=True, output_fmt="NCHW")
    for part, feature_map in zip(seen, maps, strict=True):
        np.testing.assert_allclose(part, by_hand(feature_map.flatten(2)), atol=1e-4)


class Odd(nn.Module):
    """A trunk of 6 channels at 6 × 6 positions whose modules answer as real ones do."""

    def __init__(self, form="NCHW", names=("body",)):
        super().__init__()
        self.output_fmt = form
        self.body, self.norm, self.pair = nn.Identity(), nn.BatchNorm2d(6), Pair()
        self.idle, self.act = nn.Identity(), nn.ReLU(inplace=True)
        self.feature_info = [{"module": name, "num_chs": 6} for name in names]

    def forward(self, maps):
        x = self.act(self.body(self.norm(maps)))
        return self.pair(x)[0].mean((2, 3))


class Pair(nn.Module):
    def forward(self, x):
        return x, x


def maps_of(count=4):
    return torch.from_numpy(np.random.default_rng(0).normal(size=(count, 6, 6, 6)).astype(np.float32))


@pytest.mark.parametrize(("form", "axis"), [("NCHW", 1), ("NHWC", 3)])
def test_as_many_rows_as_channels_confuse_nobody(form, axis):
    trunk = Odd(form).eval()
    (stage,) = stages.named(trunk, maps_of())
    assert stage.axis == axis


def test_what_gives_no_single_tensor_is_no_stage():
    maps = maps_of()
    assert stages.named(Odd(names=("pair", "idle", "absent")), maps) == ()
    twice = Odd(names=("body",))
    twice.norm = twice.body
    assert stages.named(twice, maps) == ()
    wrong = Odd()
    wrong.feature_info[0]["num_chs"] = 5
    assert stages.named(wrong, maps) == ()
    assert [stage.module for stage in stages.named(Odd(names=("pair", "body", "norm")), maps)] == [
        "norm", "body",
    ]  # fmt: skip


def test_a_stage_is_seen_before_the_next_layer_changes_it():
    trunk, maps = Odd().eval(), maps_of()
    with torch.inference_mode(), stages.watched(trunk, stages.named(trunk, maps)) as seen:
        trunk(maps)
    with torch.inference_mode():
        np.testing.assert_allclose(seen[0], by_hand(trunk.norm(maps).flatten(2)), atol=1e-5)


def test_asking_for_stages_changes_nothing():
    trunk = built("resnet18").train()
    before = {key: value.clone() for key, value in trunk.state_dict().items()}
    stages.named(trunk, torch.randn(2, 3, 64, 64))
    assert trunk.training
    assert not [module for module in trunk.modules() if module._forward_hooks]
    assert all(torch.equal(value, before[key]) for key, value in trunk.state_dict().items())


def test_statistics_do_not_depend_on_form_precision_or_parts(monkeypatch):
    maps = maps_of() * 3 + 7
    expected = by_hand(maps.flatten(2))
    np.testing.assert_allclose(stages.statistics(maps, 1), expected, atol=1e-5)
    np.testing.assert_allclose(stages.statistics(maps.permute(0, 2, 3, 1), 3), expected, atol=1e-5)
    np.testing.assert_allclose(stages.statistics(maps.flatten(2).mT, 2), expected, atol=1e-5)
    monkeypatch.setattr(stages, "AT_ONCE", 300)  # one image of 216 numbers at a time
    np.testing.assert_allclose(stages.statistics(maps, 1), expected, atol=1e-5)
    half = maps.bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        found = stages.statistics(half, 1)
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found, by_hand(half.float().flatten(2)), atol=1e-5)


def test_a_constant_channel_has_no_deviation():
    constant = stages.statistics(torch.full((1, 6, 112, 112), 0.1), 1)
    assert torch.isfinite(constant).all()
    assert constant[0, 6:].max() < 1e-6
    far = stages.statistics(torch.full((1, 6, 4, 4), 3e4, dtype=torch.bfloat16), 1)
    assert far[0, 6:].tolist() == [0.0] * 6


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_features_hold_the_embedding_and_then_the_stages(precision):
    torch.manual_seed(0)
    network = backbone.build("mobilenetv3_small_050", ("a", "b"), image_size=32).eval()
    network.card = dataclasses.replace(network.card, precision=precision)
    pixels = torch.randint(0, 255, (4, 3, 32, 32), dtype=torch.uint8)
    with torch.inference_mode():
        observed = features.observe_batch(network, pixels).numpy()
        plain = features.embed_batch(network, pixels)
    np.testing.assert_array_equal(observed[:, : network.width], plain)
    parts = stages.split(observed, network.width, network.stages)
    assert parts is not None
    assert [part.shape[1] for part in parts] == list(stages.widths(network.stages))
    assert np.isfinite(observed).all()


def test_a_network_without_named_stages_answers_without_them(table):
    network = backbone.build("mobilenetv3_small_050", table.classes, image_size=32)
    network.trunk = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, network.width))
    assert network.stages == ()
    answered = predict(network, table, progress=False)
    assert answered.stages is None
    assert answered.embeddings.shape == (80, network.width)
