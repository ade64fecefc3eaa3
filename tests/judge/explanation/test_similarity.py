"""Likeness of maps, each measure against another implementation or a case worked by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift
from scipy.stats import spearmanr

from primum.judge.explanation import similarity

SIDE = 32


@pytest.fixture
def maps() -> tuple[np.ndarray, np.ndarray]:
    """Two sets of five smooth maps with ties (zeros), largest value 1."""
    rng = np.random.default_rng(0)
    made = gaussian_filter(rng.normal(size=(2, 5, SIDE, SIDE)), (0, 0, 3, 3))
    made[1] = 0.6 * made[0] + 0.4 * made[1]
    made = np.maximum(made, 0)
    made /= made.max(axis=(2, 3), keepdims=True)
    return made[0], made[1]


@pytest.fixture
def valid() -> np.ndarray:
    inside = np.zeros((SIDE, SIDE), dtype=bool)
    inside[3:-2, 5:-1] = True
    return inside


def test_spearman_is_that_of_scipy_with_ties(maps: Any, valid: np.ndarray) -> None:
    first, second = maps
    for among in (np.ones((SIDE, SIDE), bool), valid):
        expected = [spearmanr(a[among], b[among]).statistic for a, b in zip(first, second, strict=True)]
        np.testing.assert_allclose(similarity.spearman(first, second, among), expected, atol=1e-12)


def test_ssim_is_that_of_scikit_image(maps: Any) -> None:
    metrics = pytest.importorskip("skimage.metrics")
    first, second = maps
    expected = [
        metrics.structural_similarity(
            a, b, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        for a, b in zip(first, second, strict=True)
    ]
    np.testing.assert_allclose(similarity.ssim(first, second), expected, atol=1e-7)


def test_pixels_out_of_the_frame_have_no_say(maps: Any, valid: np.ndarray) -> None:
    first, second = maps
    other = np.where(valid, second, np.random.default_rng(1).random(second.shape))
    for name, (measure, _) in similarity.MEASURES.items():
        np.testing.assert_allclose(
            measure(first, second, valid), measure(first, other, valid), atol=1e-12, err_msg=name
        )


def test_overlap_of_the_hottest_tenth_by_hand() -> None:
    ramp = np.arange(100.0).reshape(1, 10, 10) / 99  # the last row is the hottest tenth
    moved = np.roll(ramp.reshape(1, -1), 5, axis=1).reshape(1, 10, 10)  # half of it moved to the beginning
    assert similarity.top_iou(ramp, ramp)[0] == 1
    assert similarity.top_iou(ramp, moved)[0] == pytest.approx(5 / 15)
    assert similarity.top_iou(ramp, 1 - ramp)[0] == 0


def test_the_lowest_value_is_never_hot() -> None:
    lone, other = np.zeros((1, 10, 10)), np.zeros((1, 10, 10))
    lone[0, 2, 2] = other[0, 2, 2] = other[0, 7, 7] = 1.0  # fewer than a tenth of the pixels
    assert similarity.top_iou(lone, other)[0] == pytest.approx(0.5)


def test_the_centre_moves_as_far_as_the_map() -> None:
    spot = np.zeros((1, SIDE, SIDE))
    spot[0, 10:14, 10:14] = 1.0
    moved = shift(spot, (0, 3, 4), order=0)
    assert similarity.centre_shift(spot, moved)[0] == pytest.approx(5 / SIDE)
    assert similarity.MEASURES["shift"][0](spot, moved)[0] == pytest.approx(-5 / SIDE)


def test_a_map_is_most_like_itself(maps: Any) -> None:
    found, applies = similarity.alike(maps[0], maps[0])
    assert applies.all()
    for name, best in (("spearman", 1), ("ssim", 1), ("iou", 1), ("shift", 0)):
        np.testing.assert_allclose(found[name], best, atol=1e-9)


def test_a_map_that_shows_nothing_is_not_applicable_and_never_nan(maps: Any) -> None:
    first, second = (part.copy() for part in maps)
    first[1], second[3] = 0.0, 1.0
    found, applies = similarity.alike(first, second)
    assert applies.tolist() == [True, False, True, False, True]
    kept = similarity.alike(first[applies], second[applies])[0]
    for name, (_, lowest) in similarity.MEASURES.items():
        assert (found[name][~applies] == lowest).all()
        np.testing.assert_array_equal(found[name][applies], kept[name])
    nothing, none = similarity.alike(np.zeros((2, 16, 16)), np.zeros((2, 16, 16)))
    assert not none.any()
    assert np.isfinite(list(nothing.values())).all()


def test_bad_maps_are_refused(maps: Any, refused: Callable[..., None]) -> None:
    first, second = maps
    refused(lambda: similarity.spearman(first[0], second[0]), "(B, H, W)")
    refused(lambda: similarity.spearman(first, second[:, :-1]), "one shape")
    refused(lambda: similarity.ssim(first, second * 2), "0..1")
    refused(lambda: similarity.top_iou(first * 0, second), "map 1 is the same everywhere")
    refused(lambda: similarity.ssim(first[:, :8, :8], second[:, :8, :8]), "11 × 11", "8 × 8")
