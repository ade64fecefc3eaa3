"""DICOM files that claim more than they hold, or hold more than they claim."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pydicom = pytest.importorskip("pydicom")

from pydicom.encaps import encapsulate  # noqa: E402
from pydicom.uid import (  # noqa: E402
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

from primum.data.imaging import decode, limits  # noqa: E402
from primum.data.imaging.opening import UnreadableError  # noqa: E402
from tests.data.imaging.test_dicom import SECRET, made, save  # noqa: E402

HEAD = 128 + 4 + 12  # bytes of preamble, mark and group length


def deflated(file: Path, more: bytes = b"", instead: bytes | None = None) -> Path:
    """A deflated file with ``more`` before its pixels, or with something else inside."""
    save(made([[0, 819, 4095]], syntax=DeflatedExplicitVRLittleEndian), file)
    whole = file.read_bytes()
    end = HEAD + struct.unpack("<I", whole[HEAD - 4 : HEAD])[0]
    inner = zlib.decompress(whole[end:], -zlib.MAX_WBITS)
    at = inner.index(b"\xe0\x7f\x10\x00")
    pump = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    content = inner[:at] + more + inner[at:] if instead is None else instead
    file.write_bytes(whole[:end] + pump.compress(content) + pump.flush())
    return file


def private(size: int) -> bytes:
    """A private element of so many zeros."""
    return struct.pack("<HH2sHI", 0x0029, 0x1010, b"OB", 0, size) + bytes(size)


def test_a_deflated_file_is_read_up_to_the_limit(tmp_path: Path, monkeypatch) -> None:
    file = deflated(tmp_path / "x.dcm", private(2**16))
    assert np.asarray(decode.read(file))[0, :, 0].tolist() == [0, 51, 255]
    monkeypatch.setattr(limits, "DECODED", 2**15)
    with pytest.raises(UnreadableError, match="inflated it has more than 0 MB; export it uncompressed"):
        decode.load(file)
    assert decode.kind(file) is None


def test_a_deflated_file_that_swells_takes_no_memory(tmp_path: Path) -> None:
    file = deflated(tmp_path / "x.dcm")
    pump = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    swollen = b"".join(pump.compress(bytes(2**24)) for _ in range(limits.DECODED // 2**24 + 1)) + pump.flush()
    whole = file.read_bytes()
    end = HEAD + struct.unpack("<I", whole[HEAD - 4 : HEAD])[0]
    file.write_bytes(whole[:end] + swollen)
    assert file.stat().st_size < 2**20
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableError, match="inflated it has more than 512 MB"):
            decode.load(file)
        assert tracemalloc.get_traced_memory()[1] < 2**26
    finally:
        tracemalloc.stop()


def test_a_deflated_file_in_a_deflated_file_is_not_inflated_twice(tmp_path: Path) -> None:
    within = deflated(tmp_path / "y.dcm", private(2**16)).read_bytes()
    with pytest.raises(UnreadableError):
        decode.load(deflated(tmp_path / "x.dcm", instead=within))


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"Rows": 65_535, "Columns": 65_535}, "it claims 65,535 × 65,535 pixels, at most 100 million"),
        ({"Rows": 9_000, "Columns": 9_000, "BitsAllocated": 64}, "MB of pixels, at most 512 are read"),
        ({"Rows": 9_000, "Columns": 9_000, "SamplesPerPixel": 60_000}, "MB of pixels, at most 512 are read"),
        ({"Rows": 9_000, "Columns": 9_000}, "claims 162,000,000 bytes of pixels and it holds 128"),
        ({"Rows": 2, "Columns": 2}, "claims 8 bytes of pixels and it holds 128"),
        ({"NumberOfFrames": 2**31 - 1}, "multi-frame"),
    ],
)
def test_claims_are_held_against_the_limits_and_the_file(
    tmp_path: Path, claims: dict[str, int], said: str
) -> None:
    with pytest.raises(UnreadableError, match=said) as caught:
        decode.load(save(made(np.zeros((8, 8)), **claims), tmp_path / "x.dcm"))
    assert SECRET not in str(caught.value)


def compressed(file: Path, frame: bytes, syntax: str) -> Path:
    found = made(np.zeros((8, 8)), bits=8)
    found.PixelData = encapsulate([frame])
    found["PixelData"].VR = "OB"
    found.file_meta.TransferSyntaxUID = syntax
    return save(found, file)


@pytest.mark.parametrize(("kind", "syntax"), [("JPEG", JPEGBaseline8Bit), ("JPEG2000", JPEG2000Lossless)])
def test_a_compressed_image_has_the_size_of_its_header(tmp_path: Path, kind: str, syntax: str) -> None:
    for side in (8, 16):
        stream = io.BytesIO()
        Image.new("L", (side, side), 90).save(stream, kind)
        file = compressed(tmp_path / f"{side}.dcm", stream.getvalue(), syntax)
        if side == 8:
            assert np.asarray(decode.read(file)).max() == 90
            continue
        with pytest.raises(UnreadableError, match="claims 8 × 8 pixels and its compressed image 16 × 16"):
            decode.load(file)


def test_a_compressed_image_is_of_its_kind(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.new("L", (8, 8)).save(stream, "EPS")
    file = compressed(tmp_path / "x.dcm", stream.getvalue(), JPEGBaseline8Bit)
    with pytest.raises(UnreadableError, match="what it holds compressed is no JPEG"):
        decode.load(file)


def test_runs_hold_no_more_than_the_header_claims(tmp_path: Path, monkeypatch) -> None:
    values = np.random.default_rng(0).integers(0, 4096, (40, 50)) // 600 * 600
    honest = made(values)
    honest.compress(RLELossless)
    save(honest, tmp_path / "x.dcm")
    monkeypatch.setattr(limits, "DECODED", 40 * 50 * 2)  # so that files of this size are counted
    shown = np.asarray(decode.load(tmp_path / "x.dcm").render())[..., 0]
    np.testing.assert_array_equal(shown, np.rint(values / 4095 * 255))
    swollen = made(np.zeros((8, 8)), bits=8)
    runs = struct.pack("<16L", 1, 64, *[0] * 14) + b"\x81\0" * 5000
    swollen.PixelData = encapsulate([runs])
    swollen["PixelData"].VR = "OB"
    swollen.file_meta.TransferSyntaxUID = RLELossless
    with pytest.raises(UnreadableError, match="its runs hold more than the 64 pixels its header claims"):
        decode.load(save(swollen, tmp_path / "y.dcm"))


@pytest.mark.parametrize("slope", ["inf", "1e308", "nan"])
def test_a_slope_that_is_not_finite_is_refused(tmp_path: Path, slope: str) -> None:
    file = save(made([[0, 819, 4095]], RescaleSlope="2", RescaleIntercept="0"), tmp_path / "x.dcm")
    whole = file.read_bytes()
    at = whole.index(struct.pack("<HH2s", 0x0028, 0x1053, b"DS"))
    text = slope.encode().ljust(6)
    file.write_bytes(whole[: at + 6] + struct.pack("<H", 6) + text + whole[at + 10 :])
    with pytest.raises(UnreadableError, match="its rescale slope or intercept is not finite"):
        decode.load(file)


@pytest.mark.parametrize("tag", [(0x0028, 0x3010), (0x0008, 0x1140)])
def test_deep_sequences_are_refused_or_passed_over(tmp_path: Path, tag: tuple[int, int]) -> None:
    whole = save(made([[0, 819, 4095]]), tmp_path / "x.dcm").read_bytes()
    opening = struct.pack("<HH2sHI", *tag, b"SQ", 0, 2**32 - 1) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 2**32 - 1
    )
    closing = struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    at = whole.rindex(b"\xe0\x7f\x10\x00")
    (tmp_path / "x.dcm").write_bytes(whole[:at] + opening * 20_000 + closing * 20_000 + whole[at:])
    with pytest.raises(UnreadableError, match="it does not decode"):
        decode.load(tmp_path / "x.dcm")
    assert decode.kind(tmp_path / "x.dcm") is None


def test_a_length_beyond_the_file_costs_nothing(tmp_path: Path) -> None:
    whole = save(made([[0, 819, 4095, 0]]), tmp_path / "x.dcm").read_bytes()
    at = whole.rindex(b"\xe0\x7f\x10\x00") + 8
    (tmp_path / "x.dcm").write_bytes(whole[:at] + struct.pack("<I", 2**32 - 2) + whole[at + 4 :])
    assert np.asarray(decode.read(tmp_path / "x.dcm"))[0, :, 0].tolist() == [0, 51, 255, 0]
    (tmp_path / "x.dcm").write_bytes(whole[:at] + struct.pack("<I", 2**32 - 2) + whole[at + 4 : -2])
    with pytest.raises(UnreadableError, match="claims 8 bytes of pixels and it holds 6"):
        decode.load(tmp_path / "x.dcm")
