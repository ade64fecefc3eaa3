"""The header of a DICOM file, and whether what it claims is there and not too much."""

from __future__ import annotations

import io
import math
import struct
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any

from primum.core.check import MissingExtraError
from primum.data.imaging import limits, opening
from primum.data.imaging.opening import UnreadableError

TAGS = [
    "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "NumberOfFrames",
    "SharedFunctionalGroupsSequence", "ModalityLUTSequence", "RescaleSlope", "RescaleIntercept",
    "VOILUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction", "PixelPaddingValue",
    "PixelPaddingRangeLimit", "PixelData",
]  # fmt: skip
PART = 2**24  # bytes that are inflated at once
RLE_HEAD, SWELL = 64, 64  # bytes that say where segments begin; most that a byte of RLE can become
NOTHING = 128  # the byte before no run
META = 2  # group of the elements that are never deflated
JPEG_FAMILY = (b"\xff\xd8", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  ")  # JPEG, JPEG-LS; JPEG 2000; JP2
HALVED = {"YBR_FULL_422": 2 / 3}  # of three full samples, where two pixels share their colour


def read(file: Path, *, pixels: bool = True) -> Any:
    """The elements of a file that shape its pixels, as a pydicom data set; with ``pixels``, these too.

    Raises:
        UnreadableError: as :func:`opening.checked`, and for a deflated file of more than ``limits.DECODED``.
        MissingExtraError: without pydicom. Anything that pydicom raises for damaged files.
    """
    try:
        import pydicom
        from pydicom.filereader import read_file_meta_info
    except ImportError:
        raise lacking() from None
    meta = read_file_meta_info(opening.checked(file))
    if meta.get("TransferSyntaxUID") == pydicom.uid.DeflatedExplicitVRLittleEndian:
        return _inflated(file, meta, pixels)
    return pydicom.dcmread(file, specific_tags=TAGS, stop_before_pixels=not pixels)


def lacking() -> MissingExtraError:
    """The sentence where pydicom is not installed."""
    return MissingExtraError(
        "reading DICOM needs pydicom, which is not installed: pip install 'primum[train]'"
    )


def bounded(header: Any) -> None:
    """Refuse pixels that are more than the limits allow, or that the file does not hold.

    Raises:
        UnreadableError: with what is claimed; anything else for a header without sizes.
    """
    rows, columns, samples = (int(header[tag].value) for tag in ("Rows", "Columns", "SamplesPerPixel"))
    opening.within(columns, rows)
    claimed = math.ceil(rows * columns * samples * int(header.BitsAllocated) / 8)
    if claimed > limits.DECODED:
        raise UnreadableError(
            f"it claims {claimed / 2**20:,.0f} MB of pixels, at most {limits.DECODED // 2**20:,} are read; "
            "export it with fewer bits"
        )
    length = len(header.PixelData)
    if header.file_meta.TransferSyntaxUID.is_encapsulated:
        _one_picture(header, rows, columns)
    elif not claimed * HALVED.get(header.PhotometricInterpretation, 1) <= length < 2 * max(claimed, 2):
        raise UnreadableError(
            f"it does not decode, its header claims {claimed:,} bytes of pixels and it holds {length:,}; "
            "export it again"
        )


def _inflated(file: Path, meta: Any, pixels: bool) -> Any:
    """A deflated file, inflated here and never by pydicom, which would inflate without end."""
    from pydicom.dataset import FileDataset
    from pydicom.filereader import read_dataset, read_preamble
    from pydicom.tag import Tag
    from pydicom.uid import ExplicitVRLittleEndian

    with file.open("rb") as stream:
        read_preamble(stream, False)
        read_dataset(stream, False, True, stop_when=lambda tag, vr, length: tag.group != META)
        packed = stream.read()
    _countable(packed)
    # the length is known by now, so that inflating all at once is safe
    last = Tag("PixelData")
    content = io.BytesIO(zlib.decompress(packed, -zlib.MAX_WBITS))
    elements = read_dataset(
        content, False, True, specific_tags=[Tag(name) for name in TAGS],
        stop_when=None if pixels else lambda tag, vr, length: tag == last,
    )  # fmt: skip
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return FileDataset(io.BytesIO(), elements, None, meta, False, True)


def _countable(packed: bytes) -> None:
    """Refuse what inflates to more than ``limits.DECODED``; counted part by part, nothing is kept."""
    pump, size = zlib.decompressobj(-zlib.MAX_WBITS), 0
    while packed and not pump.eof:
        size += len(pump.decompress(packed, PART))
        packed = pump.unconsumed_tail
        if size > limits.DECODED:
            raise UnreadableError(
                f"inflated it has more than {limits.DECODED // 2**20:,} MB; export it uncompressed or smaller"
            )


def _countable_runs(frame: bytes, plane: int) -> None:
    """Refuse RLE of which a segment swells beyond its plane; small ones cannot swell much and pass uncounted.

    A segment is one byte of each pixel, packed by PackBits (DICOM PS3.5 G.3, G.5).
    """
    # the first of the 16 numbers counts the segments, the others say where they begin, 0 for none
    starts = struct.unpack("<16L", frame[:RLE_HEAD])[1:]
    ends = [start for start in starts if start] + [len(frame)]
    for start, end in pairwise(ends):
        # PackBits swells by a known factor: what cannot reach the limit need not be counted
        if (end - start) * SWELL <= limits.DECODED:
            continue
        size, at = 0, start
        while at < end and size <= plane + SWELL * 2:
            head = frame[at]
            if head > NOTHING:
                size, at = size + 257 - head, at + 2
            elif head < NOTHING:
                size, at = size + head + 1, at + head + 2
            else:
                at += 1
        if size > plane + SWELL * 2:
            raise UnreadableError(
                f"it does not decode, its runs hold more than the {plane:,} pixels its header claims; "
                "export it again"
            )


def _one_picture(header: Any, rows: int, columns: int) -> None:
    """Refuse a compressed picture of another size than the header's, or of another kind than its syntax."""
    from pydicom.encaps import generate_frames
    from pydicom.uid import RLELossless

    frame = next(generate_frames(header.PixelData, number_of_frames=1))
    if header.file_meta.TransferSyntaxUID == RLELossless:
        _countable_runs(frame, rows * columns)
        return
    if not frame.startswith(JPEG_FAMILY):
        raise UnreadableError("it does not decode, what it holds compressed is no JPEG; export it again")
    try:
        with opening.opened(frame, ("JPEG", "JPEG2000")) as picture:
            wide, high = picture.size
    except UnreadableError as error:
        if opening.DAMAGED in str(error) or opening.UNKNOWN in str(error):
            return  # JPEG-LS and others are for another decoder to judge
        raise
    if (wide, high) != (columns, rows):
        raise UnreadableError(
            f"it does not decode, its header claims {columns:,} × {rows:,} pixels and its compressed image "
            f"{wide:,} × {high:,}; export it again"
        )
