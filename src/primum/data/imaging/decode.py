"""One image file, of any kind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from primum.core.arrays import Array
from primum.data.imaging import dicom, encoded, opening, png
from primum.data.imaging.decoded import Decoded, Grey, Picture, Range
from primum.data.imaging.opening import UnreadableError as UnreadableError
from primum.data.imaging.opening import pillow as pillow

if TYPE_CHECKING:
    from PIL.Image import Image

PACKED = (".jpg", ".jpeg", ".png", ".webp")  # two files of one size show one thing, nearly always
PLAIN = (".bmp", ".tif", ".tiff")
SUFFIXES = (*PACKED, *PLAIN, *dicom.SUFFIXES)
SAMPLE = 16_384  # bytes
EIGHT = "8-bit"
STARTS = (b"\xff\xd8\xff", b"BM", b"RIFF", b"GIF8")  # JPEG, BMP, WebP and GIF hold 8 bits
BITS, CLAIMED = 258, (340, 341)  # TIFF tags: BitsPerSample; SMinSampleValue and SMaxSampleValue


def read(file: Path, within: Range | None = None) -> Image:
    """RGB image of a file as a network is given it; of more than 8 bits by :meth:`Grey.render`.

    Raises:
        UnreadableError, MissingExtraError: as :func:`load`.
    """
    return load(file).render(within)


def load(file: Path) -> Decoded:
    """The image of a file; transparency is laid on black.

    A file whose ending is not an image's is read as DICOM where it carries the mark.

    Raises:
        UnreadableError: when the file is missing, no plain file, larger than ``limits`` allow, does not
            decode, or holds values that are not finite; its text is half a sentence.
        MissingExtraError: when a library it needs is not installed.
    """
    pillow()
    try:
        if _is_dicom(file):
            return dicom.load(file)
    except OSError:
        raise UnreadableError(opening.DAMAGED) from None
    with opening.opened(file) as opened:
        opened.load()
        if opened.mode.startswith(("I", "F")):
            return _grey(opened, file)
        return Picture(_kind(opened, file), _rgb(opened))


def kind(file: Path) -> str | None:
    """How a file is stored, where its first bytes say that the file alone makes 8 bits of it; else None.

    None also of a file that cannot be read; :func:`load` says why.
    """
    pillow()
    try:
        if _is_dicom(file):
            return dicom.kind(file)
        with file.open("rb") as stream:
            start = stream.read(png.HEAD)
        if start.startswith(STARTS):
            return EIGHT
        if start.startswith(png.MARK) and 0 < png.depth(start)[0] < png.FULL:
            return EIGHT
        with opening.opened(file) as opened:
            return None if opened.mode.startswith(("I", "F")) else _kind(opened, file)
    except (OSError, UnreadableError):
        return None


def sample(file: Path, size: int) -> bytes:
    """The first bytes of a file of ``size`` bytes, and as many from its middle."""
    with file.open("rb") as opened:
        start = opened.read(SAMPLE)
        opened.seek(size // 2)
        return start + opened.read(SAMPLE)


def _is_dicom(file: Path) -> bool:
    suffix = opening.checked(file).suffix.lower()
    return suffix in dicom.SUFFIXES or (suffix not in SUFFIXES and dicom.is_dicom(file))


def _kind(opened: Image, file: Path) -> str:
    """How a colour image is stored; of 16 bits per colour Pillow keeps the upper 8."""
    if opened.format == "TIFF":
        deep = max(_numbers(opened, BITS) or (8,)) > 8
    elif opened.format == "PNG":
        with file.open("rb") as start:
            deep = png.depth(start.read(png.HEAD))[0] == png.FULL
    else:
        deep = False
    return f"16-bit colour {opened.format}" if deep else EIGHT


def _grey(opened: Image, file: Path) -> Grey:
    """Grey of more than 8 bits, with what the file states of its range."""
    values, bits, stated = np.asarray(opened), 16, None
    if opened.mode.startswith("F"):
        if not np.isfinite(values).all():
            raise UnreadableError("it holds NaN or infinite values; export it with finite ones")
        # an image of zeros has no range to divide by
        full = (0.0, max(float(values.max()), 1e-12))
        return Grey(f"float {opened.format}", values, full, claimed=_claimed(opened), cut=True)
    if opened.format == "TIFF":
        bits = int(max(_numbers(opened, BITS) or (16,)))
        stated = (0.0, 2.0**bits - 1) if bits < png.FULL else None
    elif opened.format == "PNG" and (significant := png.significant(file)) not in (None, png.FULL):
        bits = int(significant or 0)
        stated = _of_significant(values, bits)
    claimed = _claimed(opened)
    return Grey(f"{bits}-bit {opened.format}", values, (0.0, 65535.0), stated, claimed, cut=True)


def _of_significant(values: Array, bits: int) -> Range:
    """Range of 16-bit samples of which ``bits`` are significant.

    The specification wants them scaled up, the significant bits on top; many writers leave them below, which
    shows in values that are small and not multiples of the step that scaling makes.
    """
    low_bits = values.max() < 2**bits and (values.astype(np.int64) % 2 ** (16 - bits)).any()
    return (0.0, 2.0**bits - 1) if low_bits else (0.0, 65535.0)


def _claimed(opened: Image) -> Range | None:
    """SMinSampleValue and SMaxSampleValue of a TIFF, where both are there and in order."""
    low, high = (_numbers(opened, tag) for tag in CLAIMED)
    return (low[0], high[0]) if low and high and low[0] < high[0] else None


def _numbers(opened: Image, tag: int) -> tuple[float, ...]:
    """Values of a TIFF tag, none where it is not there."""
    tag_values = getattr(opened, "tag_v2", {}).get(tag, ())
    return tuple(float(value) for value in (tag_values if isinstance(tag_values, tuple) else (tag_values,)))


def _rgb(opened: Image) -> Image:
    """RGB of any mode of 8 bits, its pixels alone; transparency is laid on black."""
    if opened.mode in ("RGBA", "LA", "PA") or "transparency" in opened.info:
        images, rgba = pillow(), opened.convert("RGBA")
        ground = images.new("RGBA", rgba.size, (0, 0, 0, 255))
        return encoded.bare(images.alpha_composite(ground, rgba).convert("RGB"))
    return encoded.bare(opened.convert("RGB"))
