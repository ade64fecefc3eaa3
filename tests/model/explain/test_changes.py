"""Changes of an image, and bringing a map back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter, rotate, shift

from primum.model.explain import changes
from primum.model.explain.changes import CHANGES, Change

SIDE = 64
MOVING = [change for change in CHANGES if change.moves]


@pytest.fixture
def smooth():
    made = gaussian_filter(np.random.default_rng(0).random((3, SIDE, SIDE)), (0, 4, 4))
    made = (made - made.min()) / np.ptp(made)
    return torch.from_numpy(made).float()


def test_the_promised_changes_are_there_and_mild():
    told = [change.to_dict() for change in CHANGES]
    assert told == [
        {"name": "turned left", "turn": 5.0},
        {"name": "turned right", "turn": -5.0},
        {"name": "shifted", "right": 0.04, "down": 0.04},
        {"name": "brighter", "brightness": 1.1},
        {"name": "less contrast", "contrast": 0.9},
        {"name": "noise", "noise": 0.02},
    ]


def test_a_turn_and_a_shift_are_those_of_scipy(smooth):
    inner = slice(8, -8)
    turned = changes.changed(smooth[None], Change("turn", turn=5.0))[0].numpy()
    expected = rotate(smooth.numpy(), 5.0, axes=(2, 1), reshape=False, order=1)  # counter-clockwise, y down
    np.testing.assert_allclose(turned[:, inner, inner], expected[:, inner, inner], atol=2e-3)
    moved = changes.changed(smooth[None], Change("shift", right=4 / SIDE, down=2 / SIDE))[0].numpy()
    expected = shift(smooth.numpy(), (0, 2, 4), order=1)
    np.testing.assert_allclose(moved[:, inner, inner], expected[:, inner, inner], atol=1e-5)


@pytest.mark.parametrize("change", [*MOVING, Change("both", turn=7, right=0.1, down=-0.05)])
def test_what_was_moved_comes_back_where_it_was_in_frame(smooth, change):
    there = changes.changed(smooth[None], change)[0]
    back = changes.undone(there, change).numpy()
    inside = changes.in_frame(SIDE, change)
    assert 0.75 < inside.mean() < 1
    np.testing.assert_allclose(back[:, inside], smooth.numpy()[:, inside], atol=0.02)
    assert np.abs(there.numpy() - smooth.numpy()).max() > 0.05  # it had moved
    assert np.abs(back - smooth.numpy())[:, ~inside].max() > 0.05  # the border cannot be compared


def test_a_shift_leaves_out_just_the_border_that_left():
    inside = changes.in_frame(50, Change("shift", right=0.04, down=0.1))
    assert inside[:45, :48].all()
    assert inside.sum() == 45 * 48


def test_colours_change_as_told_and_nothing_moves(smooth):
    images = smooth[None].repeat(2, 1, 1, 1) * 0.5 + 0.2
    brighter = changes.changed(images, Change("", brightness=1.1))
    torch.testing.assert_close(brighter, images * 1.1)
    flatter = changes.changed(images, Change("", contrast=0.9))
    torch.testing.assert_close(flatter.mean(), images.mean())
    assert flatter[0].std() == pytest.approx(0.9 * float(images[0].std()), rel=1e-4)
    assert changes.in_frame(SIDE, Change("", brightness=1.1)).all()
    torch.testing.assert_close(changes.undone(smooth, Change("", contrast=0.9)), smooth)


def test_noise_is_the_same_whatever_stands_beside_an_image(smooth):
    images = torch.stack([smooth * 0.5 + 0.2, smooth.flip(2) * 0.5 + 0.2])
    change = Change("", noise=0.02)
    together, alone = changes.changed(images, change), changes.changed(images[1:], change)
    torch.testing.assert_close(together[1:], alone)
    assert float((together - images).std()) == pytest.approx(0.02, rel=0.05)


def test_values_stay_in_range():
    images = torch.stack([torch.zeros(3, 8, 8), torch.ones(3, 8, 8)])
    for change in CHANGES:
        found = changes.changed(images, change)
        assert found.min() >= 0
        assert found.max() <= 1
