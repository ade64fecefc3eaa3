"""Read one DICOM image as a screen would show it; of its header only what shapes the pixels is read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from primum.check import MissingExtraError
from primum.imaging import levels
from primum.imaging.levels import Range, Span, eight_bits
from primum.imaging.levels import UnreadableError as UnreadableError

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".dcm", ".dicom")
PREAMBLE, MARK = 128, b"DICM"
DECODERS = "pip install 'pylibjpeg[all]'"
COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
TAGS = [
    "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "NumberOfFrames",
    "SharedFunctionalGroupsSequence", "ModalityLUTSequence", "RescaleSlope", "RescaleIntercept",
    "VOILUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction", "PixelData",
]  # fmt: skip


def is_dicom(file: Path) -> bool:
    """Whether the file carries the mark DICM behind its preamble."""
    with file.open("rb") as opened:
        opened.seek(PREAMBLE)
        return opened.read(len(MARK)) == MARK


def read(file: Path, span: Span = "own") -> Image:
    """RGB image of a DICOM file, 8 bits per channel.

    Grey values pass the modality table or rescale slope and intercept, then the first VOI table, else the
    first window, else the range of the stored bits where those are fewer than there is room for, else
    ``span``, is spread over 0 to 255; MONOCHROME1 is inverted last (DICOM PS3.3 C.11.1, C.11.2,
    C.7.6.3.1.2). Colour stays; YBR becomes RGB.

    Raises:
        UnreadableError: for several frames, no pixels, a kind of colour not known, or a damaged file.
        MissingExtraError: without pydicom, or without a decoder for the compression.
    """
    try:
        import pydicom
        from PIL import Image as images
        from pydicom.errors import InvalidDicomError
    except ImportError:
        raise MissingExtraError(
            "reading DICOM needs pydicom, which is not installed: pip install 'primum[train]'"
        ) from None
    packed = False
    try:
        header = pydicom.dcmread(file, specific_tags=TAGS)
        _refuse(header)
        packed = _need_decoder(header, file)
        stored, kind = header.pixel_array, str(header.PhotometricInterpretation)
        if kind in COLOUR:
            return images.fromarray(eight_bits(stored, 0, 2 ** int(header.BitsStored) - 1), "RGB")
        grey = _shown(stored, header, span)
        return images.fromarray(255 - grey if kind == "MONOCHROME1" else grey).convert("RGB")
    except (UnreadableError, MissingExtraError, OSError):
        raise
    except InvalidDicomError:
        raise UnreadableError("it is no DICOM file") from None
    except Exception as error:  # what pydicom raises for damaged files has no common class
        other = f"; another decoder may read it: {DECODERS}" if packed else ""
        raise UnreadableError(f"it does not decode{other}") from error


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


def least_and_most(file: Path) -> Range | None:
    """Least and greatest value of a grey image that states no range; None for any other.

    Raises as :func:`read`.
    """
    import pydicom

    try:
        header = pydicom.dcmread(file, specific_tags=TAGS)
        _refuse(header)
        if str(header.PhotometricInterpretation) in COLOUR or _states(header):
            return None
        values, _ = _rescaled(header.pixel_array, header)
    except (UnreadableError, MissingExtraError, OSError):
        raise
    except Exception as error:
        raise UnreadableError("it does not decode") from error
    return float(values.min()), float(values.max())


def _states(header: Any) -> bool:
    """Whether a table, a window or fewer stored bits than there is room for say what is black and white."""
    tables = any(item.get("LUTData") is not None for item in header.get("VOILUTSequence") or ())
    window = None not in (header.get("WindowCenter"), header.get("WindowWidth"))
    modality = bool(header.get("ModalityLUTSequence"))
    return (
        tables
        or window
        or modality
        or int(header.BitsStored) < int(header.BitsAllocated)
        or (int(header.BitsAllocated) <= 8)
    )


def _rescaled(stored: NDArray[Any], header: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values through the modality table, or slope and intercept, and the (2,) ends of what they can be."""
    bits, signed = int(header.BitsStored), bool(header.PixelRepresentation)
    ends = np.array([-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1] if signed else [0.0, 2.0**bits - 1])
    values = stored.astype(np.float64)
    if header.get("ModalityLUTSequence"):
        values, depth = _looked_up(values, header.ModalityLUTSequence[0], header)
        ends = np.array([0.0, 2.0**depth - 1])
    elif None not in (header.get("RescaleSlope"), header.get("RescaleIntercept")):
        values, ends = (
            part * float(header.RescaleSlope) + float(header.RescaleIntercept) for part in (values, ends)
        )
    return values, ends


def _shown(stored: NDArray[Any], header: Any, span: Span) -> NDArray[np.uint8]:
    """(H, W) grey as a screen shows MONOCHROME2."""
    from pydicom.pixels.processing import apply_windowing

    values, ends = _rescaled(stored, header)
    tables = [item for item in header.get("VOILUTSequence") or () if item.get("LUTData") is not None]
    if tables:
        values, depth = _looked_up(values, tables[0], header)
        return eight_bits(values, 0, 2**depth - 1)
    if None in (header.get("WindowCenter"), header.get("WindowWidth")):
        whole = float(ends.min()), float(ends.max())
        return eight_bits(values, *(whole if _states(header) else levels.ends(values, span, whole)))
    # pydicom spreads a window over the range of the stored bits: here over 0 to 255.
    header.BitsStored, header.PixelRepresentation = 8, 0
    for done in ("ModalityLUTSequence", "RescaleSlope", "RescaleIntercept"):
        header.pop(done, None)
    try:
        return eight_bits(apply_windowing(values, header), 0, 255)
    except ValueError:
        raise UnreadableError("its window (width or VOI LUT function) is not a valid one") from None


def _looked_up(values: NDArray[Any], item: Any, header: Any) -> tuple[NDArray[np.float64], int]:
    """Values through a table of a modality or VOI LUT sequence, and the bits of its entries.

    pydicom's own function counts positions in the type of the entries, so tables of 8-bit entries with more
    than 256 positions wrap round in it.
    """
    entries, first, depth = (int(number) for number in item.LUTDescriptor)
    entries = entries or 2**16
    raw = item.LUTData
    if isinstance(raw, bytes):
        order = "<" if header.file_meta.TransferSyntaxUID.is_little_endian else ">"
        table = np.frombuffer(raw, "u1" if len(raw) < 2 * entries else f"{order}u2")[:entries]
    else:
        table = np.atleast_1d(np.asarray(raw))
    position = np.clip(np.rint(values).astype(np.int64) - first, 0, len(table) - 1)
    return table[position].astype(np.float64), depth
