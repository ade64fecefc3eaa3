"""One image file, of any kind, as RGB of 8 bits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from primum.check import MissingExtraError
from primum.imaging import dicom, levels
from primum.imaging.levels import Range, Span
from primum.imaging.levels import UnreadableError as UnreadableError

if TYPE_CHECKING:
    from PIL.Image import Image

PACKED = (".jpg", ".jpeg", ".png", ".webp")  # two files of one size show one thing, nearly always
EIGHT_BITS = (".jpg", ".jpeg", ".webp", ".bmp")  # of each channel, always
WIDE = ("I", "F")  # modes of more than 8 bits
PLAIN = (".bmp", ".tif", ".tiff")
SUFFIXES = (*PACKED, *PLAIN, *dicom.SUFFIXES)
SAMPLE = 16_384  # bytes


def read(file: Path, span: Span = "own") -> Image:
    """RGB image of a file; grey of more than 8 bits is scaled to 8, transparency is laid on black.

    What becomes black and white is what the file states (a window, its significant bits, its sample values),
    else ``span``: a range for all images of a data set, or each image's ``own``.

    A file whose ending is not an image's is read as DICOM where it carries the mark.

    Raises:
        UnreadableError: when the file is missing or does not decode; its text is half a sentence.
        MissingExtraError: when a library it needs is not installed.
    """
    images, suffix = pillow(), file.suffix.lower()
    try:
        if suffix in dicom.SUFFIXES or (suffix not in SUFFIXES and dicom.is_dicom(file)):
            return dicom.read(file, span)
        with images.open(file) as opened:
            opened.load()
            return _rgb(opened, file, span)
    except UnreadableError:
        raise
    except FileNotFoundError:
        raise UnreadableError("there is no such file; put it there") from None
    except (OSError, ValueError, SyntaxError, images.DecompressionBombError):
        raise UnreadableError("it does not decode; repair it") from None


def least_and_most(file: Path) -> Range | None:
    """Least and greatest value of an image of more than 8 bits that states no range; None for any other.

    Raises as :func:`read`.
    """
    images, suffix = pillow(), file.suffix.lower()
    if suffix in EIGHT_BITS:
        return None
    try:
        if suffix in dicom.SUFFIXES or (suffix not in SUFFIXES and dicom.is_dicom(file)):
            return dicom.least_and_most(file)
        with images.open(file) as opened:
            if not opened.mode.startswith(WIDE) or levels.stated(opened, file) is not None:
                return None
            values = levels.finite(np.asarray(opened, dtype=np.float64))
    except UnreadableError:
        raise
    except FileNotFoundError:
        raise UnreadableError("there is no such file; put it there") from None
    except (OSError, ValueError, SyntaxError, images.DecompressionBombError):
        raise UnreadableError("it does not decode; repair it") from None
    return float(values.min()), float(values.max())


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


def _rgb(opened: Image, file: Path, span: Span) -> Image:
    """RGB of any mode, as :func:`read`."""
    from PIL import Image as images

    if opened.mode.startswith(WIDE):
        grey = levels.finite(np.asarray(opened, dtype=np.float64))
        whole = (0.0, 65535.0 if opened.mode.startswith("I") else max(float(grey.max()), 1e-12))
        said = levels.stated(opened, file)
        return images.fromarray(levels.eight_bits(grey, *(said or levels.ends(grey, span, whole)))).convert(
            "RGB"
        )
    if opened.mode in ("RGBA", "LA", "PA") or "transparency" in opened.info:
        seen = opened.convert("RGBA")
        ground = images.new("RGBA", seen.size, (0, 0, 0, 255))
        return images.alpha_composite(ground, seen).convert("RGB")
    return opened.convert("RGB")
