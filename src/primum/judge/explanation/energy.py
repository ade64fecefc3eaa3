"""How much of a map lies on the lesion."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from primum.core import check
from primum.core.arrays import Floats
from primum.core.check import InputError


def energy(maps: ArrayLike, masks: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Share of a map's energy on the lesion, the lesion's share of the image, and the one over the other.

    The energy is the sum of the map's values (energy-based pointing game of Wang et al., Score-CAM, 2020). A
    map spread evenly has a ratio of 1, whatever the size of the lesion; the largest is 1 / area.

    Args:
        maps: (B, H, W), 0 or more.
        masks: (B, H, W), share of each pixel that is lesion, 0 to 1.

    Returns:
        Three (B,) arrays: energy and area in [0, 1], ratio 0 or more.

    Raises:
        InputError: for shapes that differ, a map without energy or a mask without a lesion.

    >>> share, area, ratio = energy([[[0.0, 1.0]]], [[[0.0, 1.0]]])
    >>> share.tolist(), area.tolist(), ratio.tolist()
    ([1.0], [0.5], [2.0])
    """
    heat = np.asarray(check.array(maps), dtype=np.float64)
    lesion = np.asarray(check.array(masks), dtype=np.float64)
    if heat.ndim != 3 or heat.shape != lesion.shape:
        raise InputError(
            f"maps and masks of one shape (B, H, W) were expected, {heat.shape} and {lesion.shape} arrived"
        )
    total, area = heat.sum(axis=(1, 2)), lesion.mean(axis=(1, 2))
    for kind, amount in (("map", total), ("mask", area)):
        if (amount <= 0).any():
            raise InputError(
                f"{kind} {int(np.argmin(amount)) + 1} is empty, so no share can be told; leave it out"
            )
    share = (heat * lesion).sum(axis=(1, 2)) / total
    return share, area, share / area
