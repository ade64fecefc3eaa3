"""How many images a second are corrupted at 224 px, against the same kind of augmentation of kornia."""

from __future__ import annotations

import os
from typing import Any

from benchmarks.timing import median

IMAGES, SIDE = 64, 224
LIMITS = {
    "brightness_up": 300,
    "brightness_down": 300,
    "gaussian_noise": 300,
    "motion_blur": 60,
    "elastic": 60,
}
STRONG = 5  # the slowest: the longest line


def corruptions() -> list[tuple[str, str, str, str, str]]:
    """Images per second in one batch, at the strongest intensity; kornia's augmentation of like strength.

    kornia has no bias field, stain or letter, and its JPEG and contrast are of another making; those stand
    without a peer.
    """
    import torch

    from primum.data.corruptions import CORRUPTIONS, corrupt

    threads = torch.get_num_threads()
    torch.set_num_threads(os.cpu_count() or 1)
    images = torch.rand(IMAGES, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    ids = [f"case-{number}" for number in range(IMAGES)]
    rows = []
    try:
        for name in CORRUPTIONS:
            ours = IMAGES / median(lambda name=name: corrupt(images, name, STRONG, ids), 3)
            peer = peers().get(name)
            theirs = IMAGES / median(lambda peer=peer: peer(images), 3) if peer is not None else None
            against = "" if peer is None else f"kornia {type(peer).__name__}"
            ratio = "" if theirs is None else f"{ours / theirs:.1f} ×"
            limit = f"≥ {LIMITS[name]} images/s" if name in LIMITS else ""
            rows.append(
                (f"{name}, {SIDE} px, intensity {STRONG}", f"{ours:,.0f} images/s", against, ratio, limit)
            )
    finally:
        torch.set_num_threads(threads)
    return rows


def peers() -> dict[str, Any]:
    """kornia's random augmentations with the strength of intensity 5, each image its own chance."""
    from kornia import augmentation as of

    from primum.data.corruptions import CORRUPTIONS

    strong = {name: one.values[STRONG - 1] for name, one in CORRUPTIONS.items()}
    line = int(strong["motion_blur"] * SIDE) // 2 * 2 + 1
    bright, dark = 1 + strong["brightness_up"], 1 - strong["brightness_down"]
    return {
        "brightness_up": of.RandomBrightness((bright, bright), p=1.0),
        "brightness_down": of.RandomBrightness((dark, dark), p=1.0),
        "motion_blur": of.RandomMotionBlur(line, 180.0, 0.0, p=1.0),
        "elastic": of.RandomElasticTransform(p=1.0),
        "gaussian_noise": of.RandomGaussianNoise(0.0, strong["gaussian_noise"], p=1.0),
    }


if __name__ == "__main__":
    for row in corruptions():
        print(*row, sep=" | ")
