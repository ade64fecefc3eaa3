"""What a corruption is, and how its chance is drawn: the same for an image wherever it stands."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from primum.core.arrays import Singles

REFERENCE = 224  # pixels across and down: the grid on which noise grains, JPEG blocks and letters are made

GREYS = "of the range from black to white"

Draw = Callable[[np.random.Generator], Singles]
Apply = Callable[[Tensor, float, Tensor], Tensor]


@dataclass(frozen=True)
class Corruption:
    """One kind of corruption at five written-down intensities.

    Attributes:
        name: as ``--corrupt`` and recipes write it; random numbers depend on it, so it never changes.
        summary: what it does, in a few words.
        parameter: what ``values`` count; lengths are shares of the image's width across and its height down.
        values: of intensities 1 to 5.
        apply: (images (B, C, H, W) in 0..1, value, chances (B, …)) → images of that shape, of any range.
            Any number of channels must do, and a grey image stays grey.
        chance: what chance decides for each image, in words; empty for nothing.
        draw: the chances of one image, an array of a fixed shape; the same for every intensity.
    """

    name: str
    summary: str
    parameter: str
    values: tuple[float, float, float, float, float]
    apply: Apply
    chance: str = ""
    draw: Draw | None = None

    def chances(self, ids: Sequence[str], seed: int) -> Tensor:
        """(B, …) what chance decides for each image; it depends on seed, name and id alone."""
        if self.draw is None:
            return torch.empty(len(ids), 0)
        chances = [self.draw(generator(seed, self.name, case)) for case in ids]
        return torch.from_numpy(np.stack(chances).astype(np.float32))


def generator(seed: int, name: str, case: str) -> np.random.Generator:
    """Random numbers of the image with the id ``case`` under the corruption ``name``."""
    # Not hash(): that differs between two processes.
    digest = hashlib.blake2b(f"{seed}\x1f{name}\x1f{case}".encode(), digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(digest, "little"))


def resized(fields: Tensor, height: int, width: int) -> Tensor:
    """(B, C, height, width) of fields (B, C, H, W), bicubic, antialiased where it shrinks."""
    if fields.shape[-2:] == (height, width):
        return fields
    return functional.interpolate(
        fields, (height, width), mode="bicubic", align_corners=False, antialias=True
    )


def each(values: Tensor) -> Tensor:
    """(B, 1, 1, 1) of one value per image (B,)."""
    return values[:, None, None, None]


def centres(count: int, like: Tensor) -> Tensor:
    """(count,) centres of the pixels along one side, -1 to 1 from edge to edge."""
    return (torch.arange(count, device=like.device, dtype=like.dtype) * 2 + 1) / count - 1
