"""Made images with detail at every scale, as tensors."""

from __future__ import annotations

import numpy as np
import torch

from primum.data.corruptions import CORRUPTIONS
from primum.data.corruptions.corruption import resized

NAMES = tuple(CORRUPTIONS)
DRAWN = tuple(name for name, one in CORRUPTIONS.items() if one.draw is not None)


def lesions(count=4, side=224, seed=0):
    """(count, 3, side, side) coloured blobs with an edge and a texture, 0.05 to 0.95."""
    rng = np.random.default_rng(seed)
    coarse = torch.from_numpy(rng.uniform(0.2, 0.8, (count, 3, 8, 8)).astype(np.float32))
    fine = torch.from_numpy(rng.uniform(-0.1, 0.1, (count, 3, 40, 40)).astype(np.float32))
    images = resized(coarse, side, side) + resized(fine, side, side)
    axis = torch.linspace(-1, 1, side)
    disc = ((axis[:, None] ** 2 + axis**2) < 0.25).float()
    return (images - 0.2 * disc).clamp(0.05, 0.95)


def ids(count):
    return [f"case-{number}" for number in range(count)]


def distance(left, right):
    """(B,) root mean square difference of each image."""
    return (left - right).pow(2).mean(dim=(1, 2, 3)).sqrt()
