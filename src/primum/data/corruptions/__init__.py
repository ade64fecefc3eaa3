"""Corruptions of images, at five written-down intensities each (METHODS §4, ``docs/shifts.md``).

All are defined on the unit square: lengths are shares of the image's width and height. So a corruption looks
the same at any size, and resizing an image before or after makes little difference. Needs ``primum[train]``.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from primum.core import check
from primum.core.check import InputError, MissingExtraError

if find_spec("torch") is None:
    raise MissingExtraError("corruptions need torch, which is not installed: pip install 'primum[train]'")

from torch import Tensor

from primum.data.corruptions import bias_field, elastic, jpeg, light, marker, motion, noise, stain
from primum.data.corruptions.corruption import Corruption

INTENSITIES = (1, 2, 3, 4, 5)
GREYS = "of the range from black to white"

CORRUPTIONS: dict[str, Corruption] = {
    "brightness_up": Corruption(
        "every channel brighter", f"added, share {GREYS}", (0.08, 0.16, 0.24, 0.32, 0.4), light.brighter
    ),
    "brightness_down": Corruption(
        "every channel darker", f"taken away, share {GREYS}", (0.08, 0.16, 0.24, 0.32, 0.4), light.darker
    ),
    "contrast": Corruption(
        "drawn towards the image's mean", "factor of the distance to the mean", (0.8, 0.6, 0.45, 0.3, 0.2),
        light.flatter,
    ),
    "motion_blur": Corruption(
        "mean along a line", "length of the line, share of the side", (0.03, 0.05, 0.08, 0.11, 0.15),
        motion.blur, "direction", motion.draw,
    ),
    "elastic": Corruption(
        "bent by a smooth field of 6 × 6 knots",
        "displacement at the knots, root mean square, share of the side", (0.008, 0.014, 0.02, 0.027, 0.035),
        elastic.bend, "the field", elastic.draw,
    ),
    "gaussian_noise": Corruption(
        "noise, the same in all channels, one grain per 1/224 of the side",
        f"standard deviation, share {GREYS}", (0.04, 0.08, 0.12, 0.16, 0.2), noise.grainy, "the grains",
        noise.draw,
    ),
    "jpeg": Corruption(
        "compressed with blocks of 1/28 of the side", "quality as libjpeg counts it", (50, 30, 20, 12, 7),
        jpeg.compress,
    ),
    "stain": Corruption(
        "more of one stain, less of the other; grey: denser or thinner", "share of the stain's density",
        (0.1, 0.2, 0.3, 0.4, 0.5), stain.restain, "which stain, and 75 to 100 % of the value for each",
        stain.draw,
    ),
    "bias_field": Corruption(
        "smooth gain, the exponential of a cubic", "largest logarithm of the gain",
        (0.15, 0.3, 0.45, 0.6, 0.75), bias_field.uneven, "the cubic", bias_field.draw,
    ),
    "letter_marker": Corruption(
        "white R or L in an upper corner", "height of the letter, share of the side",
        (0.08, 0.11, 0.14, 0.18, 0.22), marker.marked, "letter, distance from the edges", marker.draw,
    ),
}  # fmt: skip


def corrupt(images: Tensor, name: str, intensity: int, ids: Sequence[str], seed: int = 0) -> Tensor:
    """Images under one corruption. Each image's chance follows from seed, name and its id alone.

    The same image is corrupted alike in any batch and order, and at all intensities in the same manner
    (direction, field, grains). A grey image stays grey, and one channel gives what three equal ones give.

    Args:
        images: (B, C, H, W) float in 0..1, on any device, any C, H and W.
        name: a key of :data:`CORRUPTIONS`.
        intensity: 1 (mild) to 5 (strong).
        ids: B ids.
        seed: of everything drawn.

    Returns:
        (B, C, H, W) of the same dtype, in 0..1.

    Raises:
        InputError: for an unknown name or intensity, images of integers, or another number of ids.
    """
    value = parameter(name, intensity)
    if images.ndim != 4 or not images.is_floating_point():
        raise InputError(
            "corrupt: images (B, C, H, W) of floats in 0..1 were expected, "
            f"{tuple(images.shape)} of {images.dtype} arrived; divide 8-bit images by 255"
        )
    if len(ids) != len(images):
        raise InputError(f"corrupt: an id per image was expected, {len(ids)} for {len(images)} arrived")
    if not len(images):
        return images
    corruption = CORRUPTIONS[name]
    chances = corruption.chances(name, ids, seed).to(images.device, images.dtype)
    return corruption.apply(images, value, chances).clamp_(0, 1)


def parameter(name: str, intensity: int) -> float:
    """The written-down value of a corruption at an intensity; refuses unknown ones."""
    corruption = CORRUPTIONS[check.one_of(name, tuple(CORRUPTIONS), "corruption")]
    if isinstance(intensity, bool) or intensity not in INTENSITIES:
        raise InputError(f"{name}: an intensity of 1, 2, 3, 4 or 5 was expected, {intensity!r} arrived")
    return corruption.values[int(intensity) - 1]


def parse(text: str, where: str = "--corrupt") -> tuple[str, int]:
    """Name and intensity of ``NAME:INTENSITY``; refuses anything else."""
    name, sign, level = text.partition(":")
    if not sign:
        parameter(name, 1)  # a name that is not known is the first thing to say
        raise InputError(f"{where}: NAME:INTENSITY was expected, {name}:3 for one, {text!r} arrived")
    try:
        intensity = int(level)
    except ValueError:
        raise InputError(
            f"{where}: {name}: an intensity from 1 to 5 was expected, {level!r} arrived"
        ) from None
    parameter(name, intensity)
    return name, intensity
