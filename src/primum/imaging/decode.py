"""One image file, of any kind, as RGB of 8 bits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from primum.check import MissingExtraError
from primum.imaging import dicom
from primum.imaging.dicom import UnreadableError as UnreadableError

if TYPE_CHECKING:
    from PIL.Image import Image

PACKED = (".jpg", ".jpeg", ".png", ".webp")  # two files of one size show one thing, nearly always
PLAIN = (".bmp", ".tif", ".tiff")
SUFFIXES = (*PACKED, *PLAIN, *dicom.SUFFIXES)
SAMPLE = 16_384  # bytes


def read(file: Path) -> Image:
    """RGB image of a file; 16-bit grey is scaled to 8 bits, transparency is laid on black.

    A file whose ending is not an image's is read as DICOM where it carries the mark.

    Raises:
        UnreadableError: when the file is missing or does not decode; its text is half a sentence.
        MissingExtraError: when a library it needs is not installed.
    """
    images, suffix = pillow(), file.suffix.lower()
    try:
        if suffix in dicom.SUFFIXES or (suffix not in SUFFIXES and dicom.is_dicom(file)):
            return dicom.read(file)
        with images.open(file) as opened:
            opened.load()
            return _rgb(opened)
    except UnreadableError:
        raise
    except FileNotFoundError:
        raise UnreadableError("there is no such file; put it there") from None
    except (OSError, ValueError, SyntaxError, images.DecompressionBombError):
        raise UnreadableError("it does not decode; repair it") from None


def pillow() -> Any:
    """The module ``PIL.Image``."""
    try:
        from PIL import Image as images
    except ImportError:
        raise MissingExtraError("reading images needs Pillow: pip install 'primum[train]'") from None
    return images


def sample(file: Path, size: int) -> bytes:
    """The first bytes of a file of ``size`` bytes, and as many from its middle."""
    with file.open("rb") as opened:
        start = opened.read(SAMPLE)
        opened.seek(size // 2)
        return start + opened.read(SAMPLE)


def _rgb(opened: Image) -> Image:
    """RGB of any mode; 16-bit grey is scaled to 8 bits, transparency is laid on black."""
    from PIL import Image as images

    if opened.mode.startswith(("I", "F")):
        grey = np.asarray(opened, dtype=np.float64)
        top = 65535.0 if opened.mode.startswith("I") else max(float(grey.max()), 1e-12)
        return images.fromarray(np.clip(grey / top * 255, 0, 255).astype(np.uint8)).convert("RGB")
    if opened.mode in ("RGBA", "LA", "PA") or "transparency" in opened.info:
        seen = opened.convert("RGBA")
        ground = images.new("RGBA", seen.size, (0, 0, 0, 255))
        return images.alpha_composite(ground, seen).convert("RGB")
    return opened.convert("RGB")
