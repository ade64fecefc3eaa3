"""Energy on the lesion, worked by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from primum.judge.explanation.energy import energy


def test_energy_by_hand() -> None:
    heat = np.array([[[4.0, 2.0], [1.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]]])
    lesion = np.array([[[1.0, 0.5], [0.0, 0.0]], [[1.0, 0.5], [0.0, 0.0]]])
    share, area, ratio = energy(heat, lesion)
    assert share.tolist() == [5 / 8, 1.5 / 4]
    assert area.tolist() == [0.375, 0.375]
    assert ratio == pytest.approx([5 / 3, 1.0])  # an even map has a ratio of 1


def test_what_has_no_share_is_refused(refused: Callable[..., None]) -> None:
    ones, nothing = np.ones((2, 4, 4)), np.stack([np.ones((4, 4)), np.zeros((4, 4))])
    refused(lambda: energy(nothing, ones), "map 2 is empty")
    refused(lambda: energy(ones, nothing), "mask 2 is empty")
    refused(lambda: energy(ones, ones[:, :2]), "one shape", "(2, 4, 4)", "(2, 2, 4)")
