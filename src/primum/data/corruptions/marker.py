"""The lead letter that tells left from right on a radiograph."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from primum.core.arrays import Singles
from primum.data.corruptions.corruption import REFERENCE, Corruption, resized

LETTERS = (
    ("#....", "#....", "#....", "#....", "#....", "#....", "#####"),
    ("####.", "#...#", "#...#", "####.", "#.#..", "#..#.", "#...#"),
)
FINE = 8  # points across and down of each square of a letter


def draw(rng: np.random.Generator) -> Singles:
    """(3,) the letter (0 for L, 1 for R), and its distance from the side and from the top, 0.02 to 0.08."""
    return np.array([rng.integers(2), *rng.uniform(0.02, 0.08, 2)], dtype=np.float32)


def marked(images: Tensor, value: float, chances: Tensor) -> Tensor:
    """A white letter of height ``value`` in an upper corner: R at the left of the image, L at its right.

    It grows from its corner, five wide to seven high. Smaller images show it as shrunk from 224 px.
    """
    height, width = images.shape[-2:]
    side_y, side_x = max(height, REFERENCE), max(width, REFERENCE)
    y = (torch.arange(side_y, device=images.device) + 0.5) / side_y
    x = (torch.arange(side_x, device=images.device) + 0.5) / side_x
    letter, side, top = chances.T[:, :, None]
    wide = value * 5 / 7
    left = torch.where(letter > 0, side, 1 - side - wide)
    down, across = (y - top) / value * 2 - 1, (x - left) / wide * 2 - 1
    shape = len(images), side_y, side_x
    grid = torch.stack([across[:, None, :].expand(shape), down[:, :, None].expand(shape)], dim=-1)
    placed = functional.grid_sample(_letters(images)[letter[:, 0].long()], grid, align_corners=False)
    white = resized(placed, height, width).clamp(0, 1)
    return images + white * (1 - images)


def _letters(like: Tensor) -> Tensor:
    """(2, 1, 7 · FINE, 5 · FINE) the letters in ones on zeros."""
    marks = np.array([[[mark == "#" for mark in row] for row in letter] for letter in LETTERS])
    fine = marks.repeat(FINE, axis=1).repeat(FINE, axis=2)
    return torch.from_numpy(fine[:, None]).to(like)


CORRUPTION = Corruption(
    "letter_marker",
    "white R or L in an upper corner",
    parameter="height of the letter, share of the side",
    values=(0.08, 0.11, 0.14, 0.18, 0.22),
    apply=marked,
    chance="letter, distance from the edges",
    draw=draw,
)
