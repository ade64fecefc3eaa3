"""Mild changes of an image, and how a map of the changed image is brought back to the original frame."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor
from torch.nn import functional

from primum.core.arrays import Bools

NOISE_SEED = 5


@dataclass(frozen=True)
class Change:
    """One mild change; fields at their default change nothing.

    Attributes:
        name: what it is called in tables.
        turn: degrees, counter-clockwise.
        right, down: shift, as a share of the side.
        brightness: factor of every value. contrast: factor of the distance from the image's mean.
        noise: standard deviation of Gaussian noise on the 0..1 scale; one fixed pattern for all images.
    """

    name: str
    turn: float = 0.0
    right: float = 0.0
    down: float = 0.0
    brightness: float = 1.0
    contrast: float = 1.0
    noise: float = 0.0

    @property
    def moves(self) -> bool:
        """Whether it moves anything in the frame."""
        return bool(self.turn or self.right or self.down)

    def to_dict(self) -> dict[str, object]:
        """The name and what differs from no change, ready for JSON."""
        still = asdict(Change(""))
        return {key: value for key, value in asdict(self).items() if value != still[key]}


CHANGES = (
    Change("turned left", turn=5.0),
    Change("turned right", turn=-5.0),
    Change("shifted", right=0.04, down=0.04),
    Change("brighter", brightness=1.1),
    Change("less contrast", contrast=0.9),
    Change("noise", noise=0.02),
)


def changed(images: Tensor, change: Change) -> Tensor:
    """The images (B, C, S, S), float in 0..1, after one change; corners are filled from the border."""
    done = images
    if change.moves:
        done = _sampled(done, _back(change), "border")
    if change.contrast != 1.0:
        middle = done.mean(dim=(1, 2, 3), keepdim=True)
        done = (done - middle) * change.contrast + middle
    done = done * change.brightness
    if change.noise:
        generator = torch.Generator().manual_seed(NOISE_SEED)
        done = done + change.noise * torch.randn(images.shape[1:], generator=generator).to(images)
    return done.clamp(0, 1)


def undone(maps: Tensor, change: Change) -> Tensor:
    """Maps (B, H, H) of changed images in the frame of the original ones; 0 where :func:`in_frame` is not."""
    return _sampled(maps[:, None], _forth(change), "zeros")[:, 0] if change.moves else maps


def in_frame(side: int, change: Change) -> Bools:
    """(side, side) whether a pixel of the original was still inside the frame of the changed image.

    >>> in_frame(4, Change("shifted", right=0.25))[0].tolist()
    [True, True, True, False]
    """
    grid = functional.affine_grid(_forth(change)[None], [1, 1, side, side], align_corners=False)[0]
    inside: Bools = (grid.abs().amax(dim=2) <= 1 - 1 / side + 1e-6).numpy()
    return inside


def _sampled(images: Tensor, where: Tensor, padding: str) -> Tensor:
    at = where.to(images).expand(len(images), 2, 3)
    grid = functional.affine_grid(at, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, padding_mode=padding, align_corners=False)


def _back(change: Change) -> Tensor:
    """(2, 3) from a place in the changed image to its place in the original: unit square −1..1, y down."""
    turn = math.radians(change.turn)
    cos, sin = math.cos(turn), math.sin(turn)
    right, down = 2 * change.right, 2 * change.down
    return torch.tensor([[cos, -sin, -cos * right + sin * down], [sin, cos, -sin * right - cos * down]])


def _forth(change: Change) -> Tensor:
    """(2, 3) from a place in the original to its place in the changed image."""
    turn = math.radians(change.turn)
    cos, sin = math.cos(turn), math.sin(turn)
    return torch.tensor([[cos, sin, 2 * change.right], [-sin, cos, 2 * change.down]])
