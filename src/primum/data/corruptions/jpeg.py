"""JPEG: compressed by libjpeg and read again."""

from __future__ import annotations

import io
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from primum.core.arrays import Bytes
from primum.data.corruptions.corruption import REFERENCE, Corruption, resized
from primum.data.imaging import opening

THREADS = min(16, os.cpu_count() or 1)


def compress(images: Tensor, value: float, chances: Tensor) -> Tensor:
    """What a compression of quality ``value`` at 224 px changes, added to the images at their own size.

    So a block is 1/28 of each side whatever the size, and at 224 px this is JPEG itself. Three channels are
    RGB; any other number is compressed channel by channel, in grey. 8 bits, whatever arrives.
    """
    small = resized(images, REFERENCE, REFERENCE).clamp(0, 1)
    stored = small.mul(255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    with ThreadPoolExecutor(THREADS) as pool:
        back = list(pool.map(lambda image: _again(image, round(value)), stored))
    decoded = torch.from_numpy(np.stack(back)).permute(0, 3, 1, 2).to(images) / 255
    # only the change is resized: the image keeps the detail it has beyond 224 px
    return images + resized(decoded - small, images.shape[-2], images.shape[-1])


def _again(image: Bytes, quality: int) -> Bytes:
    """(H, W, C) of an image (H, W, C), encoded and decoded."""
    if image.shape[-1] != 3:
        planes = [_encoded(plane, quality) for plane in np.moveaxis(image, -1, 0)]
        return np.stack(planes, axis=-1)
    return _encoded(image, quality)


def _encoded(pixels: Bytes, quality: int) -> Bytes:
    images, file = opening.pillow(), io.BytesIO()
    images.fromarray(np.ascontiguousarray(pixels)).save(file, "JPEG", quality=quality)
    with opening.opened(file.getvalue()) as opened:
        return np.asarray(opened, dtype=np.uint8)


CORRUPTION = Corruption(
    "jpeg",
    "compressed with blocks of 1/28 of the side",
    "quality as libjpeg counts it",
    (50, 30, 20, 12, 7),
    compress,
)
