"""Gaussian noise in all channels alike."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from primum.core.arrays import Singles
from primum.data.corruptions.corruption import GREYS, REFERENCE, Corruption, resized


def draw(rng: np.random.Generator) -> Singles:
    """(1, REFERENCE, REFERENCE) standard normal grains."""
    return rng.standard_normal((1, REFERENCE, REFERENCE), dtype=np.float32)


def grainy(images: Tensor, value: float, chances: Tensor) -> Tensor:
    """Noise of standard deviation ``value`` added, one grain per 1/224 of each side.

    A smaller image sees several grains in a pixel, hence less noise, as if it had been taken at 224 px and
    then shrunk.
    """
    return images + value * resized(chances, images.shape[-2], images.shape[-1])


CORRUPTION = Corruption(
    "gaussian_noise",
    "noise, the same in all channels, one grain per 1/224 of the side",
    parameter=f"standard deviation, share {GREYS}",
    values=(0.04, 0.08, 0.12, 0.16, 0.2),
    apply=grainy,
    chance="the grains",
    draw=draw,
)
