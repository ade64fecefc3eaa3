"""How alike two maps of one image are: ranks, structure, hottest tenth, centre of mass."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import binary_erosion, gaussian_filter
from scipy.stats import rankdata

from primum.core import check
from primum.core.arrays import Bools, Floats
from primum.core.check import InputError

FLAT = 1e-6  # a map that varies by no more than this, of a range of 1, shows nothing
TOP = 0.1
WINDOW, SIGMA = 11, 1.5
Valid = Bools | None


def varied(maps: ArrayLike, valid: Valid = None) -> Bools:
    """(B,) whether a map shows anything: its values differ, within ``valid`` (H, W) where that is given."""
    return np.asarray(np.ptp(_inside(_maps(maps), valid), axis=1) > FLAT)


def spearman(first: ArrayLike, second: ArrayLike, valid: Valid = None) -> Floats:
    """Rank correlation (B,) in [−1, 1] of maps (B, H, W) with values in 0..1; tied pixels share their rank.

    Args:
        first, second: maps of the same images, in the same frame.
        valid: (H, W) pixels to compare; default all.

    Raises:
        InputError: for shapes that differ, values outside 0..1, or a constant map, which has no ranks.
    """
    ranks = [rankdata(_inside(maps, valid), axis=1) for maps in _pair(first, second, valid)]
    left, right = (values - values.mean(axis=1, keepdims=True) for values in ranks)
    product = (left * right).sum(axis=1)
    return np.asarray(product / np.sqrt((left**2).sum(axis=1) * (right**2).sum(axis=1)))


def ssim(first: ArrayLike, second: ArrayLike, valid: Valid = None) -> Floats:
    """Structural similarity (B,) in [−1, 1], arguments as :func:`spearman`.

    Wang et al., IEEE TIP 2004: Gaussian weights of σ 1.5 in 11 × 11 windows, K₁ 0.01, K₂ 0.03, range 1; the
    mean over windows that lie wholly within ``valid``.
    """
    left, right = _pair(first, second, valid)
    shape = left.shape[1:]
    # a window that reaches beyond would compare what lies outside the image
    inner = binary_erosion(np.ones(shape, bool) if valid is None else valid, np.ones((WINDOW, WINDOW), bool))
    if not inner.any():
        raise InputError(
            f"SSIM needs maps of at least {WINDOW} × {WINDOW} pixels, {shape[0]} × {shape[1]} arrived"
        )

    def smooth(maps: Floats) -> Floats:
        return np.asarray(gaussian_filter(maps, (0, SIGMA, SIGMA), truncate=(WINDOW // 2) / SIGMA))

    mean_left, mean_right = smooth(left), smooth(right)
    spread_left = smooth(left**2) - mean_left**2
    spread_right = smooth(right**2) - mean_right**2
    joint = smooth(left * right) - mean_left * mean_right
    c1, c2 = 0.01**2, 0.03**2
    alike = (2 * mean_left * mean_right + c1) * (2 * joint + c2)
    alike /= (mean_left**2 + mean_right**2 + c1) * (spread_left + spread_right + c2)
    return np.asarray(alike[:, inner].mean(axis=1))


def top_iou(first: ArrayLike, second: ArrayLike, valid: Valid = None) -> Floats:
    """Intersection over union (B,) in [0, 1] of the hottest tenth of two maps, arguments as :func:`spearman`.

    Pixels that tie with the last of the tenth belong to it; pixels of the lowest value never do.
    """
    left, right = (_hottest(_inside(maps, valid)) for maps in _pair(first, second, valid))
    return np.asarray((left & right).sum(axis=1) / (left | right).sum(axis=1))


def centre_shift(first: ArrayLike, second: ArrayLike, valid: Valid = None) -> Floats:
    """Distance (B,) of two centres of mass, 0 to √2 sides of the image; arguments as :func:`spearman`.

    >>> float(centre_shift([[[1.0, 0.0]]], [[[0.0, 1.0]]])[0])
    0.5
    """
    left, right = (_centre(maps, valid) for maps in _pair(first, second, valid))
    return np.asarray(np.hypot(*(left - right)))


MEASURES: Mapping[str, tuple[Callable[..., Floats], float]] = {
    "spearman": (spearman, -1.0),
    "ssim": (ssim, -1.0),
    "iou": (top_iou, 0.0),
    "shift": (lambda *maps: -centre_shift(*maps), -float(np.sqrt(2))),
}
"""Measure → its function, higher = more alike, and the lowest value it can take."""


def alike(first: ArrayLike, second: ArrayLike, valid: Valid = None) -> tuple[dict[str, Floats], Bools]:
    """Every measure (B,), and whether it applies (B,): both maps vary. Elsewhere it has its lowest value."""
    left, right = _maps(first), _maps(second)
    applies = varied(left, valid) & varied(right, valid)
    similarities = {}
    for name, (measure, lowest) in MEASURES.items():
        similarities[name] = np.full(len(left), lowest)
        if applies.any():
            similarities[name][applies] = measure(left[applies], right[applies], valid)
    return similarities, applies


def quartiles(values: Floats) -> list[float] | None:
    """Lower quartile, median and upper quartile of (N,); None of nothing."""
    return [float(q) for q in np.quantile(values, (0.25, 0.5, 0.75))] if len(values) else None


def _maps(maps: ArrayLike) -> Floats:
    heat = np.asarray(check.array(maps), dtype=np.float64)
    if heat.ndim != 3:
        raise InputError(f"maps must have shape (B, H, W), {heat.shape} arrived")
    if heat.size and not (heat.min() >= 0 and heat.max() <= 1 + FLAT):
        raise InputError(
            f"maps must lie in 0..1, {heat.min():.3g} to {heat.max():.3g} arrived; keep the positive part "
            "and divide by the largest value"
        )
    return heat


def _pair(first: ArrayLike, second: ArrayLike, valid: Valid) -> tuple[Floats, Floats]:
    left, right = _maps(first), _maps(second)
    if left.shape != right.shape or (valid is not None and valid.shape != left.shape[1:]):
        shapes = " and ".join(str(part.shape) for part in (left, right, valid) if part is not None)
        raise InputError(f"two sets of maps of one shape were expected, {shapes} arrived")
    for maps in (left, right):
        flat = ~varied(maps, valid)
        if flat.any():
            raise InputError(
                f"map {int(np.argmax(flat)) + 1} is the same everywhere and cannot be compared; leave out "
                "what varied() refuses"
            )
    return left, right


def _inside(maps: Floats, valid: Valid) -> Floats:
    return maps.reshape(len(maps), -1) if valid is None else maps[:, valid]


def _hottest(values: Floats) -> Bools:
    n = values.shape[1]
    last = n - max(1, int(np.ceil(TOP * n)))
    threshold = np.partition(values, last, axis=1)[:, last, None]
    return np.asarray((values >= threshold) & (values > values.min(axis=1, keepdims=True)))


def _centre(maps: Floats, valid: Valid) -> Floats:
    """(2, B) row and column of the centre of mass, in 0..1."""
    height, width = maps.shape[1:]
    mass = maps if valid is None else maps * valid
    total = mass.sum(axis=(1, 2))
    down = mass.sum(axis=2) @ ((np.arange(height) + 0.5) / height)
    right = mass.sum(axis=1) @ ((np.arange(width) + 0.5) / width)
    return np.asarray(np.stack([down, right]) / total)
