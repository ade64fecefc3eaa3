"""What each stage of a network sees, against a plain forward pass taken apart by hand."""

from __future__ import annotations

import numpy as np
import pytest
import timm
import torch
from torch import nn

from primum.model import backbone, features, stages

NAMES = ("tf_efficientnet_lite0", "resnet18", "densenet121", "swin_tiny_patch4_window7_224")


@pytest.mark.parametrize("name", NAMES)
def test_widths_are_those_of_the_stages_that_the_network_names(name: str) -> None:
    trunk = timm.create_model(name, pretrained=False, num_classes=0)
    listed = [entry["num_chs"] for entry in trunk.feature_info]
    assert stages.widths(trunk) == tuple(2 * channels for channels in listed)


def test_a_transformer_gives_five_blocks_the_last_among_them() -> None:
    trunk = timm.create_model("vit_tiny_patch16_224", pretrained=False, num_classes=0)
    named = dict(trunk.named_modules())
    chosen = [module for module, _ in stages.modules(trunk)]
    assert [at for at in range(12) if named[f"blocks.{at}"] in chosen] == [1, 4, 6, 9, 11]


def test_resnet_stages_are_those_of_a_pass_by_hand() -> None:
    torch.manual_seed(0)
    trunk = timm.create_model("resnet18", pretrained=False, num_classes=0).eval()
    images = torch.randn(3, 3, 64, 64)
    with torch.inference_mode(), stages.watched(trunk) as seen:
        embeddings = trunk(images)
    with torch.inference_mode():
        x = trunk.act1(trunk.bn1(trunk.conv1(images)))
        maps = [x]
        x = trunk.maxpool(x)
        for layer in (trunk.layer1, trunk.layer2, trunk.layer3, trunk.layer4):
            x = layer(x)
            maps.append(x)
    assert len(seen) == len(maps)
    for found, feature_map in zip(seen, maps, strict=True):
        flat = feature_map.numpy().reshape(3, feature_map.shape[1], -1).astype(np.float64)
        np.testing.assert_allclose(found.numpy(), np.hstack([flat.mean(2), flat.std(2)]), atol=1e-4)
    assert not [module for module in trunk.modules() if module._forward_hooks]
    np.testing.assert_allclose(embeddings, trunk(images).detach(), atol=1e-6)


def test_tokens_that_stand_for_no_place_are_left_out() -> None:
    torch.manual_seed(0)
    trunk = timm.create_model("vit_tiny_patch16_224", pretrained=False, num_classes=0).eval()
    images = torch.randn(2, 3, 224, 224)
    with torch.inference_mode(), stages.watched(trunk) as seen:
        trunk(images)
        tokens = trunk.forward_intermediates(images, indices=[11], intermediates_only=True, norm=False)[0]
    flat = tokens.numpy().reshape(2, 192, -1)  # class token dropped, as a map
    np.testing.assert_allclose(seen[-1].numpy(), np.hstack([flat.mean(2), flat.std(2)]), atol=1e-4)


def test_channels_may_stand_last() -> None:
    rng = np.random.default_rng(0)
    maps = torch.from_numpy(rng.normal(size=(2, 6, 4, 4)).astype(np.float32))
    last = stages.statistics(maps.permute(0, 2, 3, 1), 6)
    np.testing.assert_allclose(last, stages.statistics(maps, 6))
    constant = stages.statistics(torch.full((1, 6, 4, 4), 3e4, dtype=torch.bfloat16), 6)
    assert constant[0, 6:].tolist() == [0.0] * 6


def test_a_network_without_named_stages_gives_none() -> None:
    assert stages.widths(nn.Sequential(nn.Flatten())) == ()
    assert stages.split(np.zeros((4, 7), np.float32), 7, ()) is None


def test_features_hold_the_embedding_and_then_the_stages() -> None:
    torch.manual_seed(0)
    network = backbone.build("mobilenetv3_small_050", ("a", "b"), image_size=32).eval()
    pixels = torch.randint(0, 255, (4, 3, 32, 32), dtype=torch.uint8)
    with torch.inference_mode():
        observed = features.observe_batch(network, pixels).numpy()
        np.testing.assert_allclose(
            observed[:, : network.width], features.embed_batch(network, pixels), atol=1e-6
        )
    parts = stages.split(observed, network.width, stages.widths(network.trunk))
    assert parts is not None
    assert [part.shape[1] for part in parts] == list(stages.widths(network.trunk))
    assert np.isfinite(observed).all()
