"""One picture per case: what the network saw, and beside it the map laid over it."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy.ndimage import binary_erosion

from primum.core.arrays import Bytes, Reals, Singles

PICTURE_SIDE = 256  # pixels of each half
COLOURS = "viridis"
IMAGE_SHARE = 0.55
RIM = (255, 255, 255)


def side_by_side(pixels: Bytes, evidence: Reals, inside: Singles | None = None) -> Image.Image:
    """The input of a network (S, S, C), and it again under its map (H, H) in 0..1: yellow is the most.

    Args:
        pixels: of several channels other than three the first is shown, grey.
        evidence: a map of the same frame.
        inside: (S, S) share of each pixel in the lesion; its outline is drawn white in the right half.
    """
    from torchcam.utils import overlay_mask

    picture = Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0]).convert("RGB")
    picture = picture.resize((PICTURE_SIDE, PICTURE_SIDE), Image.Resampling.BICUBIC)
    heat = Image.fromarray(np.sqrt(evidence).astype(np.float32))  # overlay_mask squares what it is given
    laid = np.array(overlay_mask(picture, heat.resize(picture.size), COLOURS, IMAGE_SHARE))
    if inside is not None:
        lesion = np.asarray(Image.fromarray(inside).resize(picture.size, Image.Resampling.BILINEAR)) >= 0.5
        laid[lesion & ~binary_erosion(lesion)] = RIM
    return Image.fromarray(np.hstack([np.asarray(picture), laid]))
