"""Contact sheet: one image under every corruption at every intensity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from primum.data.corruptions import CORRUPTIONS, INTENSITIES, corrupt
from primum.data.imaging import decode

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE, GAP, NAMES, HEAD = 80, 4, 112, 20  # pixels
PAPER, INK = (255, 255, 255), (40, 40, 40)


def sheet(image: Image, case: str, seed: int = 0) -> Image:
    """A row per corruption: the image as it is, then intensities 1 to 5; RGB.

    Args:
        image: any size; it is shown, and corrupted, at 80 × 80 pixels.
        case: its id. seed: of everything drawn.
    """
    from PIL import ImageDraw

    images = decode.pillow()
    columns = ["original", *map(str, INTENSITIES)]
    step = SIDE + GAP
    page: Image = images.new("RGB", (NAMES + step * len(columns), HEAD + step * len(CORRUPTIONS)), PAPER)
    write = ImageDraw.Draw(page)
    for column, title in enumerate(columns):
        write.text((NAMES + column * step + 2, 4), title, fill=INK)
    thumbnail = image.convert("RGB").resize((SIDE, SIDE), images.Resampling.BICUBIC)
    pixels = torch.from_numpy(np.array(thumbnail)).permute(2, 0, 1)[None].float() / 255
    for row, name in enumerate(CORRUPTIONS):
        top = HEAD + row * step
        write.text((4, top + SIDE // 2 - 6), name, fill=INK)
        versions = [pixels] + [corrupt(pixels, name, intensity, [case], seed) for intensity in INTENSITIES]
        for column, version in enumerate(versions):
            stored = version[0].mul(255).round().byte().permute(1, 2, 0).numpy()
            page.paste(images.fromarray(stored), (NAMES + column * step, top))
    return page
