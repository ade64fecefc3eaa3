"""Bias field of a magnetic resonance coil: a smooth gain over the image."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from primum.core.arrays import Singles
from primum.data.corruptions.corruption import Corruption, centres

POWERS = tuple((i, j) for i in range(4) for j in range(4) if 1 <= i + j <= 3)  # of x and y, third order
GRID = 33  # points across and down, edges included, on which the largest gain is found


def draw(rng: np.random.Generator) -> Singles:
    """(10,) coefficients of the polynomial and of 1, scaled so that it is 0 on average and at most 1."""
    axis = np.linspace(-1, 1, GRID)
    terms = np.stack([axis[None, :] ** i * axis[:, None] ** j for i, j in POWERS])
    weights = rng.standard_normal(len(POWERS))
    field = np.tensordot(weights, terms, axes=1)
    mean = field.mean()
    largest = np.abs(field - mean).max()
    return np.array([*weights, -mean], dtype=np.float32) / np.float32(largest)


def uneven(images: Tensor, value: float, chances: Tensor) -> Tensor:
    """Images times exp(``value`` · polynomial), the polynomial -1 to 1: a log gain of at most ``value``."""
    x, y = centres(images.shape[-1], images)[None, :], centres(images.shape[-2], images)[:, None]
    terms = torch.stack([x**i * y**j for i, j in POWERS] + [torch.ones_like(x * y)])
    field = torch.einsum("bt,thw->bhw", chances, terms)
    return images * (value * field).exp()[:, None]


CORRUPTION = Corruption(
    "bias_field",
    "smooth gain, the exponential of a cubic",
    parameter="largest logarithm of the gain",
    values=(0.15, 0.3, 0.45, 0.6, 0.75),
    apply=uneven,
    chance="the cubic",
    draw=draw,
)
