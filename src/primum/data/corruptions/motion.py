"""Motion blur: the mean along a straight line through every pixel."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from primum.core.arrays import Singles
from primum.data.corruptions.corruption import Corruption


def draw(rng: np.random.Generator) -> Singles:
    """(1,) direction of the motion, radians in [0, π)."""
    return np.array([rng.uniform(0, math.pi)], dtype=np.float32)


def blur(images: Tensor, value: float, chances: Tensor) -> Tensor:
    """Mean along a line of length ``value``, edges repeated; one image after the other.

    A line touches few of the pixels of the square it lies in, so shifted images are added up tap by tap: at
    224 px about a tenth of the work of a dense kernel.
    """
    result = torch.empty_like(images)
    height, width = images.shape[-2:]
    for image, blurred, angle in zip(images, result, chances[:, 0].tolist(), strict=True):
        taps = line(value * width * math.cos(angle), value * height * math.sin(angle))
        margin = max(max(abs(down), abs(across)) for down, across, _ in taps)
        wide = functional.pad(image[None], (margin,) * 4, mode="replicate")[0]
        blurred.zero_()
        for down, across, weight in taps:
            top, left = margin + down, margin + across
            blurred.add_(wide[:, top : top + height, left : left + width], alpha=weight)
    return result


def line(across: float, down: float) -> list[tuple[int, int, float]]:
    """(rows down, columns across, weight) of a centred line of that many pixels; the weights sum to 1.

    Along the longer direction the line is weighed with linear interpolation, exactly; at each of its pixels
    the two nearest pixels of the other direction share the weight. So a line may be shorter than a pixel.
    """
    steep = abs(down) > abs(across)
    longer, shorter = (down, across) if steep else (across, down)
    half, slope = abs(longer) / 2, shorter / longer if longer else 0.0
    taps = []
    for step in range(-math.ceil(half), math.ceil(half) + 1):
        # a line of no length would divide by nothing: all weight falls on the pixel itself
        weight = (_below(step + half) - _below(step - half)) / (2 * half) if half > 1e-6 else float(step == 0)
        aside = step * slope
        near = math.floor(aside)
        for neighbour, share in ((near, 1 - (aside - near)), (near + 1, aside - near)):
            if weight * share > 0:
                taps.append((step, neighbour, weight * share) if steep else (neighbour, step, weight * share))
    return taps


def _below(at: float) -> float:
    """Integral of the triangle max(0, 1 − |u|) up to ``at``."""
    at = min(max(at, -1.0), 1.0)
    return (1 + at) ** 2 / 2 if at < 0 else 1 - (1 - at) ** 2 / 2


CORRUPTION = Corruption(
    "motion_blur",
    "mean along a line",
    parameter="length of the line, share of the side",
    values=(0.03, 0.05, 0.08, 0.11, 0.15),
    apply=blur,
    chance="direction",
    draw=draw,
)
