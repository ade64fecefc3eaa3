"""Which range of values becomes 0 to 255 in an image of more than eight bits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

Range = tuple[float, float]
# A range of a data set; or each image's own, for people who look; or the whole of its type, as networks read
# it that were written before ranges were recorded.
Span = Range | Literal["own", "type"]
SIGNIFICANT = b"sBIT"
SMALLEST, LARGEST = 340, 341  # TIFF tags SMinSampleValue and SMaxSampleValue


class UnreadableError(ValueError):
    """Why a file gives no image: half a sentence, and after a semicolon what to do, if anything."""


def ends(values: NDArray[np.float64], span: Span, whole: Range) -> Range:
    """The values that become 0 and 255 where the file states none: of the span asked for, else ``whole``."""
    if span == "type":
        return whole
    low, high = (float(values.min()), float(values.max())) if span == "own" else span
    return (low, high) if high > low else (low, low + 1)


def eight_bits(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Values (…) from low to high spread over 0 to 255; beyond them the nearest."""
    scaled = (values.astype(np.float64) - low) * (255.0 / (high - low))
    return np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)


def finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same values; refuses an image that holds NaN or infinity."""
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise UnreadableError(f"{bad} of its pixels are NaN or infinite; repair it")
    return values


def stated(opened: Image, file: Path) -> Range | None:
    """The range that an opened PNG or TIFF of more than eight bits states, or None."""
    if opened.format == "PNG":
        bits = _significant(file)
        return None if bits is None else (0.0, 2.0**bits - 1)
    tags = getattr(opened, "tag_v2", {})
    if SMALLEST in tags and LARGEST in tags:
        low, high = (float(np.ravel(tags[tag])[0]) for tag in (SMALLEST, LARGEST))
        return (low, high) if high > low else None
    return None


def _significant(file: Path) -> int | None:
    """Bits of a grey PNG that hold its values (chunk sBIT), which stands before the pixels."""
    with file.open("rb") as stream:
        stream.seek(8)
        while len(head := stream.read(8)) == 8 and head[4:] != b"IDAT":
            size = int.from_bytes(head[:4], "big")
            if head[4:] == SIGNIFICANT:
                return int(stream.read(1)[0])
            stream.seek(size + 4, 1)
    return None
