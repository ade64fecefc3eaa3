"""Stain or colour shift, in optical density."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from primum.core.arrays import Singles
from primum.data.corruptions.corruption import Corruption, each

# Optical density of haematoxylin, eosin and a residual in red, green, blue (Ruifrok & Johnston, 2001).
STAINS = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]])
DARKEST = 1 / 255


def draw(rng: np.random.Generator) -> Singles:
    """(3,) which way (-1 or 1), and how much of the value haematoxylin and eosin take, 0.75 to 1."""
    return np.array([rng.choice((-1, 1)), *rng.uniform(0.75, 1, 2)], dtype=np.float32)


def restain(images: Tensor, value: float, chances: Tensor) -> Tensor:
    """More of one stain and less of the other by the share ``value``, in the manner of Tellez et al. (2018).

    The density of a pixel is parted into its mean over channels and the colour beyond it. Haematoxylin and
    eosin are scaled in the colour alone, the mean by half of haematoxylin's factor: so a grey image stays
    grey. What has other than three channels has no colour and takes the change of the mean.
    """
    way, first, second = (each(chance) for chance in chances.T)
    # black would have an infinite density
    density = -images.clamp(min=DARKEST).log()
    grey = density.mean(dim=1, keepdim=True) if images.shape[1] == 3 else density
    changed = grey * (1 + value * way * first / 2)
    if images.shape[1] == 3:
        apart, together = (torch.from_numpy(m).to(images) for m in (np.linalg.inv(STAINS), STAINS))
        factor = torch.cat([1 + value * way * first, 1 - value * way * second, torch.ones_like(way)], dim=1)
        stained = torch.einsum("bchw,cs->bshw", density - grey, apart) * factor
        changed = changed + torch.einsum("bshw,sc->bchw", stained, together)
    return (-changed).exp()


CORRUPTION = Corruption(
    "stain",
    "more of one stain, less of the other; grey: denser or thinner",
    parameter="share of the stain's density",
    values=(0.1, 0.2, 0.3, 0.4, 0.5),
    apply=restain,
    chance="which stain, and 75 to 100 % of the value for each",
    draw=draw,
)
