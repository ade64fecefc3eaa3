"""Brightness and contrast: the same change for every pixel."""

from __future__ import annotations

from torch import Tensor

from primum.data.corruptions.corruption import GREYS, Corruption


def brighter(images: Tensor, value: float, chances: Tensor) -> Tensor:
    """``value`` added to every channel."""
    return images + value


def darker(images: Tensor, value: float, chances: Tensor) -> Tensor:
    """``value`` taken from every channel."""
    return images - value


def flatter(images: Tensor, value: float, chances: Tensor) -> Tensor:
    """Distances from the image's mean times ``value``."""
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (images - mean) * value


BRIGHTNESS_UP = Corruption(
    "brightness_up",
    "every channel brighter",
    f"added, share {GREYS}",
    (0.08, 0.16, 0.24, 0.32, 0.4),
    brighter,
)
BRIGHTNESS_DOWN = Corruption(
    "brightness_down",
    "every channel darker",
    f"taken away, share {GREYS}",
    (0.08, 0.16, 0.24, 0.32, 0.4),
    darker,
)
CONTRAST = Corruption(
    "contrast",
    "drawn towards the image's mean",
    "factor of the distance to the mean",
    (0.8, 0.6, 0.45, 0.3, 0.2),
    flatter,
)
