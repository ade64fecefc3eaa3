"""From an image table to batches of pixels: resize once, augment lightly, the same for every network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from primum.core import bounds
from primum.core.arrays import Bytes, Integers, Singles
from primum.core.check import InputError
from primum.data import corruptions
from primum.data.images import CorruptImageError
from primum.data.imaging.decoded import Range
from primum.data.imaging.ranges import Unfit

if TYPE_CHECKING:
    from primum.data.images import ImageTable

THREADS = min(16, os.cpu_count() or 1)
INTERPOLATIONS = ("nearest", "bilinear", "bicubic")
JITTER = 0.1  # brightness and contrast, relative, either way


@dataclass(frozen=True)
class Transform:
    """What happens to an image before the network sees it; part of the network's saved JSON.

    Attributes:
        image_size: side of the network's square input, pixels.
        mean, std: (C,) normalisation of each channel on the 0..1 scale.
        interpolation: ``nearest``, ``bilinear`` or ``bicubic``, antialiased where it shrinks.
        squash: side of a square every image is resized to first, or None. Nothing is ever cropped.
        ranges: range of grey values that is spread over 0 to 255 where a file of more than 8 bits states
            none, one for all files of an image or C; None where the network was trained on no such file, or
            before ranges were recorded: the whole range of their type.
    """

    image_size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str = "bicubic"
    squash: int | None = None
    ranges: tuple[Range, ...] | None = None

    def pixels(self, *planes: Image.Image) -> Bytes:
        """(S, S, C) uint8 of one RGB image or of C grey ones, S = ``image_size``.

        >>> Transform(8, mean=(0.5,), std=(0.2,)).pixels(Image.new("L", (20, 10))).shape
        (8, 8, 1)
        """
        return np.dstack([np.asarray(self._resized(plane), dtype=np.uint8) for plane in planes])

    def inside(self, mask: Image.Image) -> Singles:
        """(S, S) share of each pixel of the network's input that lies in a mask of 0 and 255, 0 to 1."""
        resized = self._resized(mask, Image.Resampling.BILINEAR)
        return np.asarray(resized, dtype=np.float32) / np.float32(255)

    def _resized(self, plane: Image.Image, how: Image.Resampling | None = None) -> Image.Image:
        how = Image.Resampling[self.interpolation.upper()] if how is None else how
        for side in (self.squash, self.image_size):
            if side is not None and plane.size != (side, side):
                plane = plane.resize((side, side), how)
        return plane

    def to_dict(self) -> dict[str, object]:
        """Plain values, ready for JSON."""
        content = asdict(self) | {"mean": list(self.mean), "std": list(self.std)}
        ranges = content.pop("ranges")  # left out where there are none: stored features keep their names
        return content if ranges is None else content | {"ranges": [list(limits) for limits in ranges]}

    def refuse_odd(self, where: str) -> None:
        """Refuse numbers that no network has; ``where`` they were read is used in the sentence."""
        channels = len(self.mean)
        sides = [side for side in (self.image_size, self.squash) if side is not None]
        good = (
            channels > 0
            and len(self.std) == channels
            and np.isfinite((*self.mean, *self.std)).all()
            and all(self.std)
            and all(1 <= side <= bounds.SIDE for side in sides)
            and self.interpolation in INTERPOLATIONS
            and (self.ranges is None or len(self.ranges) in (1, channels))
        )
        if not good:
            raise InputError(
                f"{where}: a transform with mean and std of each channel and sides from 1 to {bounds.SIDE} "
                "was expected, another arrived; train the network again"
            )


@dataclass(frozen=True, eq=False)
class Images:
    """The images of a table through one transform, in batches; decoded in threads, nothing kept.

    With a ``corruption``, name and intensity, each image is corrupted after the transform, by ``seed`` and
    its id; see :mod:`primum.data.corruptions`. Refuses an unknown one, and images of another number of
    channels than the transform's. ``unfit`` holds the rows decoded so far whose values do not fit the
    transform's ranges.

    """

    table: ImageTable
    transform: Transform
    corruption: tuple[str, int] | None = None
    seed: int = 0
    unfit: Unfit = field(default_factory=Unfit)

    def __post_init__(self) -> None:
        if self.corruption is not None:
            corruptions.parameter(*self.corruption)
        channels, expected = self.table.channels, len(self.transform.mean)
        if len(self.table) and channels != expected:
            raise InputError(
                f"{self.table.name}: images of {expected} channels were expected by the network, images of "
                f"{channels} arrived; take a network trained on such images"
            )

    def __len__(self) -> int:
        return len(self.table)

    def _pixels(self, row: int) -> Bytes:
        return self.transform.pixels(*self.table.planes(int(row), self.transform.ranges, self.unfit))

    def notes(self, rows: Integers) -> tuple[str, ...]:
        """What a reader of answers about ``rows``, once decoded, must know of their grey values."""
        return self.unfit.notes(rows.tolist(), self.transform.ranges)

    def batch(self, rows: Integers) -> Tensor:
        """(B, C, S, S) uint8 of the images at integer ``rows``; raises CorruptImageError."""
        stored, side = self.table.pixels, self.transform.image_size
        ready = self.transform.squash in (None, side) and stored is not None
        if ready and stored is not None and stored.shape[1:3] == (side, side):
            stacked = stored[rows]
        else:
            with ThreadPoolExecutor(THREADS) as pool:
                stacked = np.stack(list(pool.map(self._pixels, rows)))
        first = torch.from_numpy(stacked).permute(0, 3, 1, 2)
        if self.corruption is None:
            return first
        ids = [str(self.table.cases["id"][int(row)]) for row in rows]
        stacked_images = corruptions.corrupt(first.float() / 255, *self.corruption, ids, self.seed)
        return stacked_images.mul_(255).round_().byte()

    def batches(self, rows: Integers, size: int) -> Iterator[Tensor]:
        """Batches of at most ``size`` images in the order of ``rows``, the next one decoded meanwhile."""
        parts = [rows[start : start + size] for start in range(0, len(rows), size)]
        with ThreadPoolExecutor(1) as ahead:
            coming = [ahead.submit(self.batch, part) for part in parts[:1]]
            for part in parts[1:]:
                done = coming.pop().result()
                coming.append(ahead.submit(self.batch, part))
                yield done
            for last in coming:
                yield last.result()


def unreadable(table: ImageTable) -> dict[int, str]:
    """Decode every image once; row → the sentence about it, for those that do not decode."""

    def fault(row: int) -> str | None:
        try:
            table.planes(row)
        except CorruptImageError as error:
            return str(error)
        return None

    if table.pixels is not None:
        return {}
    with ThreadPoolExecutor(THREADS) as pool:
        reasons = pool.map(fault, range(len(table)), chunksize=64)
        return {row: sentence for row, sentence in enumerate(reasons) if sentence is not None}


def augment(images: Tensor) -> Tensor:
    """Mild random changes, each image its own: mirror, ±10 % brightness and contrast.

    Nothing is resampled: a network that is shown turned, and so blurred, images learns another sharpness than
    that of the images it answers. Mirrored left to right only: a chest film has an upper end. Randomness is
    torch's own.

    Args:
        images: (B, C, S, S) uint8 or float in 0..1.

    Returns:
        (B, C, S, S) float32 in 0..1.
    """
    floats = images.float() / 255 if images.dtype == torch.uint8 else images
    b, device = len(floats), floats.device

    def spread(width: float) -> Tensor:
        return (torch.rand(b, device=device) * 2 - 1) * width

    mirrored = (torch.rand(b, device=device) < 0.5).view(b, 1, 1, 1)
    turned = torch.where(mirrored, floats.flip(-1), floats)
    brightness, contrast = ((1 + spread(JITTER)).view(b, 1, 1, 1) for _ in range(2))
    middle = turned.mean(dim=(1, 2, 3), keepdim=True)
    return (((turned - middle) * contrast + middle) * brightness).clamp(0, 1)
