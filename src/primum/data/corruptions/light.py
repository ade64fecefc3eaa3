"""Brightness and contrast: the same change for every pixel."""

from __future__ import annotations

from torch import Tensor


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
