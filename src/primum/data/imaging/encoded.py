"""Pictures as bytes, made of their pixels alone: no EXIF, XMP, ICC profile, comment or text goes along."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image


def bare(image: Image) -> Image:
    """The image without what its file says besides pixels, which Pillow would write into the next file."""
    image.info = {}
    return image


def png(image: Image) -> bytes:
    """PNG of an image of any size, quickly and not as small as it could be."""
    written = io.BytesIO()
    bare(image.copy()).save(written, "PNG", compress_level=1)
    return written.getvalue()


def jpeg(image: Image, quality: int) -> bytes:
    """JPEG of an image in RGB."""
    written = io.BytesIO()
    bare(image.convert("RGB")).save(written, "JPEG", quality=quality)
    return written.getvalue()
