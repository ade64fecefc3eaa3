"""Small pictures of image files, decoded no larger than they need to be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from primum.data.imaging import decode, dicom, opening
from primum.data.imaging.encoded import bare

if TYPE_CHECKING:
    from PIL.Image import Image

JPEG = b"\xff\xd8\xff"


def preview(file: Path, side: int) -> Image:
    """RGB of a file for people, at most ``side`` pixels wide and high; a JPEG is decoded no larger than that.

    Raises:
        UnreadableError, MissingExtraError: as :func:`primum.data.imaging.decode.load`.
    """
    with opening.checked(file).open("rb") as stream:
        packed = stream.read(len(JPEG)) == JPEG
    if packed and file.suffix.lower() not in dicom.SUFFIXES:
        small = reduced(file, "RGB", side)
    else:
        small = decode.load(file).visible()
    small.thumbnail((side, side))
    return small


def reduced(source: Path | bytes, mode: str, side: int) -> Image:
    """A JPEG file, or its bytes, in a mode, decoded at the least fraction of its size above ``side``."""
    with opening.opened(source) as opened:
        opened.draft(mode, (side, side))
        return bare(opened.convert(mode))
