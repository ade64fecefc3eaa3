"""Read one DICOM image; of its header only what shapes the pixels is read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from primum.core.arrays import Array, Bools, Bytes, Floats
from primum.core.check import MissingExtraError
from primum.data.imaging import header as headers
from primum.data.imaging.decoded import Decoded, Grey, Picture, levels
from primum.data.imaging.opening import NO_MEMORY
from primum.data.imaging.opening import UnreadableError as UnreadableError

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".dcm", ".dicom")
CONTAINER = 16  # bits that are stored because a word has them
PREAMBLE, MARK = 128, b"DICM"
DECODERS = "pip install 'pylibjpeg[all]'"
COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")


def is_dicom(file: Path) -> bool:
    """Whether the file carries the mark DICM behind its preamble."""
    with file.open("rb") as opened:
        opened.seek(PREAMBLE)
        return opened.read(len(MARK)) == MARK


def read(file: Path) -> Image:
    """RGB image of a DICOM file, 8 bits per channel, as :func:`load` says; the stored bits are the range."""
    return load(file).render()


def load(file: Path) -> Decoded:
    """The image of a DICOM file.

    Grey values pass the modality table or rescale slope and intercept, then the first VOI table, else the
    first window, which make 8 bits of them. Without either they stay as they are, and their range is stated
    by the stored bits where these are fewer than 16, or by the modality table; 16 bits are a container and
    state nothing. MONOCHROME1 is inverted last (DICOM PS3.3 C.11.1, C.11.2, C.7.6.3.1.2), and what is padding
    (C.7.5.1.1.2) counts for no range. Colour stays; YBR becomes RGB.

    Raises:
        UnreadableError: for several frames, no pixels, a kind of colour not known, or a damaged file.
        MissingExtraError: without pydicom, or without a decoder for the compression.
    """
    try:
        from PIL import Image as images
        from pydicom.errors import InvalidDicomError
    except ImportError:
        raise headers.lacking() from None
    packed = False
    try:
        header = headers.read(file)
        _refuse(header)
        packed = _need_decoder(header, file)
        headers.bounded(header)
        stored, kind = header.pixel_array, _kind(header)
        if header.PhotometricInterpretation in COLOUR:
            return Picture(kind, images.fromarray(levels(stored, 0, 2 ** int(header.BitsStored) - 1), "RGB"))
        return _grey(stored, header, kind)
    except (UnreadableError, MissingExtraError, OSError):
        raise
    except MemoryError:
        raise UnreadableError(NO_MEMORY) from None
    except InvalidDicomError:
        raise UnreadableError("it is no DICOM file") from None
    except Exception as error:  # what pydicom raises for damaged files has no common class
        hint = f"; another decoder may read it: {DECODERS}" if packed else ""
        raise UnreadableError(f"it does not decode{hint}") from error


def kind(file: Path) -> str | None:
    """How a file is stored, where its header says that the file alone makes 8 bits of it; else None."""
    try:
        header = headers.read(file, pixels=False)
        return _kind(header) if header.PhotometricInterpretation in COLOUR or _windowed(header) else None
    except MissingExtraError:
        raise
    except Exception:  # load says why
        return None


def _kind(header: Any) -> str:
    colour = " colour" if header.PhotometricInterpretation in COLOUR else ""
    window = " with a window" if not colour and _windowed(header) else ""
    return f"{int(header.BitsStored)}-bit{colour} DICOM{window}"


def _windowed(header: Any) -> bool:
    return bool(_tables(header)) or None not in (header.get("WindowCenter"), header.get("WindowWidth"))


def _tables(header: Any) -> list[Any]:
    return [item for item in header.get("VOILUTSequence") or () if item.get("LUTData") is not None]


def _refuse(header: Any) -> None:
    if "PixelData" not in header:
        raise UnreadableError("this DICOM file holds no pixels")
    if int(header.get("NumberOfFrames") or 1) > 1 or "SharedFunctionalGroupsSequence" in header:
        raise UnreadableError("this DICOM file is a multi-frame one; export its frames as single images")
    kind = header.get("PhotometricInterpretation")
    if kind not in ("MONOCHROME1", "MONOCHROME2", *COLOUR):
        raise UnreadableError(
            f"this DICOM file holds the photometric interpretation {kind}, not grey, RGB or YBR; "
            "export it as PNG"
        )


def _need_decoder(header: Any, file: Path) -> bool:
    """Whether the pixels are compressed; refuses a compression that nothing installed can undo."""
    from pydicom.pixels.decoders.base import get_decoder

    syntax = header.file_meta.TransferSyntaxUID
    if not syntax.is_compressed or syntax.is_deflated:
        return False
    try:
        ready = get_decoder(syntax).is_available
    except NotImplementedError:
        raise UnreadableError(
            f"its compression ({syntax.name}) has no decoder here; export it uncompressed"
        ) from None
    if not ready:
        raise MissingExtraError(
            f"{file.name}: DICOM images compressed as {syntax.name} need a decoder that is not installed: "
            f"{DECODERS}"
        )
    return True


def _grey(stored: Array, header: Any, kind: str) -> Decoded:
    """Grey as a screen shows MONOCHROME2, or its values where nothing says how to show them."""
    from PIL import Image as images

    bits, signed = int(header.BitsStored), bool(header.PixelRepresentation)
    inverted = header.PhotometricInterpretation == "MONOCHROME1"
    ends = np.array([-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1] if signed else [0.0, 2.0**bits - 1])
    values, padding, exact = stored.astype(np.float64), _padding(stored, header), bits < CONTAINER
    if header.get("ModalityLUTSequence"):
        values, depth = _looked_up(values, header.ModalityLUTSequence[0], header)
        ends, exact = np.array([0.0, 2.0**depth - 1]), True
    elif None not in (header.get("RescaleSlope"), header.get("RescaleIntercept")):
        slope, intercept = float(header.RescaleSlope), float(header.RescaleIntercept)
        with np.errstate(all="ignore"):
            ends = ends * slope + intercept
        if not np.isfinite(ends).all():
            raise UnreadableError("its rescale slope or intercept is not finite; export it again")
        values = values * slope + intercept
    if not _windowed(header):
        full = (float(ends.min()), float(ends.max()))
        return Grey(kind, values, full, full if exact else None, inverted=inverted, padding=padding)
    grey = _in_window(values, header)
    return Picture(kind, images.fromarray(255 - grey if inverted else grey).convert("RGB"))


def _in_window(values: Floats, header: Any) -> Bytes:
    from pydicom.pixels.processing import apply_windowing

    tables = _tables(header)
    if tables:
        values, depth = _looked_up(values, tables[0], header)
        return levels(values, 0, 2**depth - 1)
    # pydicom spreads a window over the range of the stored bits: here over 0 to 255.
    header.BitsStored, header.PixelRepresentation = 8, 0
    for done in ("ModalityLUTSequence", "RescaleSlope", "RescaleIntercept"):
        header.pop(done, None)
    try:
        return levels(apply_windowing(values, header), 0, 255)
    except ValueError:
        raise UnreadableError("its window (width or VOI LUT function) is not a valid one") from None


def _padding(stored: Array, header: Any) -> Bools | None:
    """(H, W) where stored values are the padding value, or between it and its limit; None without one."""
    first = header.get("PixelPaddingValue")
    if first is None:
        return None
    limit = header.get("PixelPaddingRangeLimit")
    ends = [_number(first, header), _number(first if limit is None else limit, header)]
    return (stored >= min(ends)) & (stored <= max(ends))


def _number(value: Any, header: Any) -> int:
    """A value of a tag that is signed where the pixels are, which a reader may have left as bytes."""
    order: Literal["little", "big"] = (
        "little" if header.file_meta.TransferSyntaxUID.is_little_endian else "big"
    )
    raw = value if isinstance(value, bytes) else (int(value) & 0xFFFF).to_bytes(2, order)
    return int.from_bytes(raw[:2], order, signed=bool(header.PixelRepresentation))


def _looked_up(values: Array, item: Any, header: Any) -> tuple[Floats, int]:
    """Values through a table of a modality or VOI LUT sequence, and the bits of its entries.

    pydicom's own function counts positions in the type of the entries, so tables of 8-bit entries with more
    than 256 positions wrap round in it.
    """
    entries, first, depth = (int(number) for number in item.LUTDescriptor)
    # 65,536 does not fit the 16 bits of the descriptor, where 0 stands for it (PS3.3 C.11.1.1.1)
    entries = entries or 2**16
    raw = item.LUTData
    if isinstance(raw, bytes):
        order = "<" if header.file_meta.TransferSyntaxUID.is_little_endian else ">"
        # only the length tells entries of one byte from two: the descriptor says how many bits count
        table = np.frombuffer(raw, "u1" if len(raw) < 2 * entries else f"{order}u2")[:entries]
    else:
        table = np.atleast_1d(np.asarray(raw))
    position = np.clip(np.rint(values).astype(np.int64) - first, 0, len(table) - 1)
    return table[position].astype(np.float64), depth
