"""Elastic deformation: a smooth field of displacements, as of soft tissue or a lens."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from primum.core.arrays import Singles
from primum.data.corruptions.corruption import Corruption, centres

KNOTS = 6  # across and down, between which the displacements are interpolated


def draw(rng: np.random.Generator) -> Singles:
    """(2, KNOTS, KNOTS) displacements across and down at the knots, of root mean square 1."""
    field = rng.standard_normal((2, KNOTS, KNOTS), dtype=np.float32)
    field -= field.mean(axis=(1, 2), keepdims=True)  # the image as a whole stays where it is
    return np.asarray(field / np.sqrt(np.mean(field**2)), dtype=np.float32)


def bend(images: Tensor, value: float, chances: Tensor) -> Tensor:
    """Every pixel from where a displacement of root mean square ``value`` points; mirrored at the edges."""
    height, width = images.shape[-2:]
    moved = functional.interpolate(chances, (height, width), mode="bicubic", align_corners=False)
    across, down = centres(width, images), centres(height, images)
    still = torch.stack([across.expand(height, width), down[:, None].expand(height, width)])
    grid = (still + 2 * value * moved).permute(0, 2, 3, 1)  # the side is 2 long in these coordinates
    return functional.grid_sample(
        images, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )


CORRUPTION = Corruption(
    "elastic",
    "bent by a smooth field of 6 × 6 knots",
    parameter="displacement at the knots, root mean square, share of the side",
    values=(0.008, 0.014, 0.02, 0.027, 0.035),
    apply=bend,
    chance="the field",
    draw=draw,
)
