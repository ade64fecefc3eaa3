"""MC dropout: where it drops, that nothing else moves, and that it is the dropout of training."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from primum.core.check import InputError
from primum.judge.confidence import uncertainty
from primum.model import backbone, features, passes
from primum.model.passes import Dropping, Places
from primum.model.predict import predict
from tests.model.made import CLASSES


def network(name="mobilenetv3_small_050", side=32, dropout=0.2, **rest):
    torch.manual_seed(0)
    return backbone.build(name, CLASSES, image_size=side, dropout=dropout, **rest).eval()


def pixels(n=3, side=32):
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (n, 3, side, side), dtype=np.uint8))


def probs(asked, images, count, seed=0):
    with torch.inference_mode():
        found = features.embed_batch(asked, images)
        given = passes.logits(asked, images, found, where=passes.places(asked), count=count, seed=seed)
        return torch.stack([logits.softmax(dim=1) for logits in given]).numpy()


@pytest.mark.parametrize(
    ("name", "trunk_dropout", "there"),
    [
        ("mobilenetv3_small_050", 0.0, Places(0.2, 0)),
        ("densenet121", 0.0, Places(0.2, 0)),
        ("densenet121", 0.3, Places(0.2, 58)),  # a functional call after each of its 58 layers
        ("vit_tiny_patch16_224", 0.0, Places(0.2, 0)),
        ("vit_tiny_patch16_224", 0.3, Places(0.2, 36)),  # three modules in each of its 12 blocks
        ("rexnet_100", 0.0, Places(0.2, 1)),  # timm's own, before the classifier it lost
    ],
)
def test_where_a_network_drops(name, trunk_dropout, there):
    assert passes.places(network(name, trunk_dropout=trunk_dropout)) == there


def test_what_counts_as_dropout():
    values = torch.ones(6, 5, 4, 4)
    with Dropping(6, 0, 0) as inside:
        for module in (nn.Dropout(0.5), nn.Dropout2d(0.5)):
            dropped = module.eval()(values)
            assert set(dropped.unique().tolist()) == {0.0, 2.0}
            assert (dropped == dropped[:1]).all(), "all images share the mask"
        assert len(dropped.flatten(2).unique(dim=2)[0, 0]) == 1, "a whole channel at a time"
        functional.dropout(values, 0.5, training=False)
        nn.Dropout(0.0)(values)
        assert inside.places == 3
    assert torch.equal(nn.Dropout(0.5).eval()(values), values)


def test_windows_of_an_image_have_masks_of_their_own():
    with Dropping(2, 0, 0):
        first, second = functional.dropout(torch.ones(2 * 3, 400)).reshape(2, 3, 400)  # 3 windows per image
    assert torch.equal(first, second)
    assert not torch.equal(first[0], first[1])


def test_stochastic_depth_and_batchnorm_stay_as_in_eval_mode():
    asked = network(trunk_dropout=0.0, dropout=0.0)
    from timm.layers import DropPath

    asked.trunk.blocks[2][1].drop_path = DropPath(0.9)
    before = {key: value.clone() for key, value in asked.state_dict().items()}
    with torch.inference_mode():
        plain = asked(asked.prepare(pixels()))
        with Dropping(3, 0, 0) as inside:
            again = asked(asked.prepare(pixels()))
    assert inside.places == 0
    assert torch.equal(plain, again)
    assert all(torch.equal(value, before[key]) for key, value in asked.state_dict().items())


def as_in_training(asked, images, count):
    """Dropout by the modules' own switch, everything else in eval mode."""
    torch.manual_seed(1)
    asked.eval()
    for module in asked.modules():
        if isinstance(module, nn.Dropout) or getattr(module, "drop_rate", 0):
            module.training = True
    many = asked.prepare(images[:1]).expand(count, -1, -1, -1)
    with torch.inference_mode():
        found = asked(many).softmax(dim=1).numpy()
    asked.eval()
    return found


@pytest.mark.parametrize(
    ("name", "trunk_dropout"),
    [("mobilenetv3_small_050", 0.0), ("densenet121", 0.2), ("vit_tiny_patch16_224", 0.2)],
)
def test_a_case_is_dropped_as_in_training(name, trunk_dropout):
    asked, images, count = network(name, trunk_dropout=trunk_dropout), pixels(1), 80
    with torch.no_grad():
        asked.head.weight *= 5  # an untrained head hardly varies
    ours, theirs = probs(asked, images, count)[:, 0], as_in_training(asked, images, count)
    spread = np.sqrt((ours.var(axis=0) + theirs.var(axis=0)) / count)
    assert (spread > 1e-5).all()
    assert (np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) < 4 * spread).all()
    np.testing.assert_allclose(ours.std(axis=0), theirs.std(axis=0), rtol=0.4)


def test_attention_that_drops_its_weights():
    asked = network("vit_tiny_patch16_224", dropout=0.0)
    assert passes.places(asked).description == ""
    for block in asked.trunk.blocks:
        block.attn.attn_drop.p = 0.3
    assert passes.places(asked) == Places(0.0, 12)
    assert probs(asked, pixels(), 2).std(axis=0).max() > 0
    assert all(block.attn.fused_attn for block in asked.trunk.blocks)


@pytest.mark.parametrize("trunk_dropout", [0.0, 0.2])
def test_the_seed_decides_and_neighbours_do_not(table, trunk_dropout):
    asked = network("vit_tiny_patch16_224", trunk_dropout=trunk_dropout)
    few = table.take(np.arange(66))  # a batch of 64 and one of 2
    found = predict(asked, few, progress=False, passes=4)
    alone = predict(asked, few.take(np.array([65])), progress=False, passes=4)
    np.testing.assert_allclose(alone.logits[0], found.logits[65], atol=1e-5)
    for name, score in alone.scores.items():
        np.testing.assert_allclose(score[0], found.scores[name][65], atol=1e-6, err_msg=name)
    other = predict(asked, few.take(np.array([65])), progress=False, passes=4, seed=1)
    assert not np.allclose(other.logits, alone.logits, atol=1e-6)


def test_predictions_carry_the_mean_softmax_and_the_scores(table):
    asked = network(dropout=0.5).train()
    found = predict(asked, table, progress=False, passes=5)
    assert asked.training
    plain = predict(asked, table, progress=False)
    assert (plain.kind, found.kind) == ("logits", "log_probabilities")
    np.testing.assert_array_equal(found.embeddings, plain.embeddings)
    assert list(found.scores) == [f"mcd_{name}" for name in uncertainty.NAMES]
    assert found.source["mc_dropout"] == {"passes": 5, "where": "head", "seed": 0}
    assert found.source.items() >= plain.source.items()

    # Head passes on the stored embeddings, written out.
    weight, bias = (value.detach().numpy() for value in (asked.head.weight, asked.head.bias))
    given = []
    for nth in range(5):
        kept = np.random.default_rng([0, nth, 1]).random((1, weight.shape[1]), dtype=np.float32) >= 0.5
        logits = (plain.embeddings * kept * 2) @ weight.T + bias
        given.append(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(found.probs, np.mean(given, axis=0), atol=1e-6)
    for name, score in uncertainty.collected(given).scores().items():
        np.testing.assert_allclose(found.scores[f"mcd_{name}"], score, atol=1e-5, err_msg=name)


def test_dropout_in_the_head_alone_runs_the_trunk_once(table, monkeypatch):
    asked, seen = network(), []
    embed = asked.embed
    monkeypatch.setattr(asked, "embed", lambda images: seen.append(len(images)) or embed(images))
    predict(asked, table, progress=False, passes=7)
    assert sum(seen) == len(table) + 1  # and one black image, to look for dropout


def test_without_dropout_it_is_refused(table, refused):
    asked = network(dropout=0.0)
    refused(lambda: predict(asked, table, progress=False, passes=9), "this network has none", "--tta")
    refused(lambda: predict(network(), table, progress=False, passes=1), "at least 2", "1 arrived")


def test_trunk_dropout_is_built_saved_and_loaded(tmp_path, refused):
    first = network("vit_tiny_patch16_224", trunk_dropout=0.3)
    backbone.save(first, tmp_path)
    again = backbone.load(tmp_path)
    assert again.card.trunk_dropout == 0.3
    assert passes.places(again) == passes.places(first)
    refused(lambda: network("resnet18", trunk_dropout=0.3), "'resnet18'", "trunk_dropout", "DenseNet")


def test_a_card_from_before_trunk_dropout_still_loads(tmp_path):
    import json

    backbone.save(network(), tmp_path)
    card = tmp_path / "network.json"
    content = json.loads(card.read_text())
    del content["trunk_dropout"]
    card.write_text(json.dumps(content))
    assert backbone.load(tmp_path).card.trunk_dropout == 0.0
    card.write_text(json.dumps(content | {"trunk_drpout": 0.1}))
    with pytest.raises(InputError, match="not a network written by primum"):
        backbone.load(tmp_path)
