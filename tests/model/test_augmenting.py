"""Test-time augmentation: what each change does, and what comes of the answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from primum.judge.confidence import uncertainty
from primum.model import backbone
from primum.model.augmenting import CHANGES
from primum.model.predict import predict


@pytest.fixture
def network(table):
    torch.manual_seed(0)
    return backbone.build("mobilenetv3_small_050", table.classes, image_size=32)


def image():
    """One image of 50 × 50 that is 0.01 × row + 0.001 × column, so that a pixel says where it is from."""
    rows, columns = torch.meshgrid(torch.arange(50), torch.arange(50), indexing="ij")
    return (0.01 * rows + 0.001 * columns).expand(1, 3, 50, 50)


def test_every_change_does_what_it_is_called():
    plain = image()
    made = {name: change(plain) for name, change in CHANGES.items()}
    assert all(changed.shape == plain.shape for changed in made.values())
    assert torch.equal(made["as it is"], plain)
    assert torch.equal(made["mirrored left to right"][..., 0], plain[..., -1])
    up, down = made["moved up by 4 % of the side"], made["moved down by 4 %"]
    assert torch.equal(up[..., :48, :], plain[..., 2:, :])
    assert torch.equal(up[..., 49, :], plain[..., 49, :]), "the border is repeated"
    assert torch.equal(down[..., 2:, :], plain[..., :48, :])
    left, right = made["moved left by 4 %"], made["moved right by 4 %"]
    assert torch.equal(left[..., :48], plain[..., 2:])
    assert torch.equal(right[..., 2:], plain[..., :48])
    assert torch.equal(right[..., 0], plain[..., 0])
    torch.testing.assert_close(made["10 % darker"], plain * 0.9)
    assert CHANGES["10 % brighter"](torch.ones(1, 3, 4, 4)).max() == 1


def test_predictions_carry_the_mean_over_the_changes(table, network):
    found = predict(network, table, progress=False, tta=True)
    assert found.kind == "log_probabilities"
    assert list(found.scores) == [f"tta_{name}" for name in uncertainty.NAMES]
    assert found.source["test_time_augmentation"] == list(CHANGES)
    network.eval()
    shown = torch.from_numpy(table.pixels).permute(0, 3, 1, 2).float() / 255
    with torch.inference_mode():
        given = [
            network(network.prepare(change(shown))).softmax(dim=1).numpy() for change in CHANGES.values()
        ]
    np.testing.assert_allclose(found.probs, np.mean(given, axis=0), atol=1e-5)
    for name, score in uncertainty.collected(given).scores().items():
        np.testing.assert_allclose(found.scores[f"tta_{name}"], score, atol=1e-5, err_msg=name)


def test_with_both_the_dropout_passes_decide(table, network):
    few = table.take(np.arange(10))
    both = predict(network, few, progress=False, passes=3, tta=True)
    dropped, changed = (
        predict(network, few, progress=False, **way) for way in ({"passes": 3}, {"tta": True})
    )
    np.testing.assert_array_equal(both.logits, dropped.logits)
    assert set(both.scores) == set(dropped.scores) | set(changed.scores)
    for name, score in changed.scores.items():
        np.testing.assert_array_equal(both.scores[name], score)


def test_a_network_without_dropout_can_be_asked(table):
    network = backbone.build("mobilenetv3_small_050", table.classes, image_size=32, dropout=0.0)
    assert predict(network, table.take(np.arange(3)), progress=False, tta=True).scores
