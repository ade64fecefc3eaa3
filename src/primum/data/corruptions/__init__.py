"""Corruptions of images, at five written-down intensities each (``docs/methods.md#shifts``).

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

# In the order of the table and of the sheet in docs/shifts.md.
CORRUPTIONS: dict[str, Corruption] = {
    corruption.name: corruption
    for corruption in (
        light.BRIGHTNESS_UP,
        light.BRIGHTNESS_DOWN,
        light.CONTRAST,
        motion.CORRUPTION,
        elastic.CORRUPTION,
        noise.CORRUPTION,
        jpeg.CORRUPTION,
        stain.CORRUPTION,
        bias_field.CORRUPTION,
        marker.CORRUPTION,
    )
}


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
    chances = corruption.chances(ids, seed).to(images.device, images.dtype)
    return corruption.apply(images, value, chances).clamp_(0, 1)


def parameter(name: str, intensity: int) -> float:
    """The written-down value of a corruption at an intensity; refuses unknown names and intensities.

    >>> parameter("motion_blur", 3)
    0.08
    """
    corruption = CORRUPTIONS[check.one_of(name, tuple(CORRUPTIONS), "corruption")]
    if isinstance(intensity, bool) or intensity not in INTENSITIES:
        raise InputError(f"{name}: an intensity of 1, 2, 3, 4 or 5 was expected, {intensity!r} arrived")
    return corruption.values[int(intensity) - 1]


def parse(text: str, where: str = "--corrupt") -> tuple[str, int]:
    """Name and intensity of ``NAME:INTENSITY``; refuses anything else.

    >>> parse("jpeg:2")
    ('jpeg', 2)
    """
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
