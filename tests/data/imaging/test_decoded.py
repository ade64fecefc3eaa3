"""Images of more than eight bits: black and white are what the file states, else the range asked for."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from primum.data.imaging import decode, decoded
from primum.data.imaging.decode import CLAIMED, UnreadableError
from primum.data.imaging.decoded import Grey, Range
from primum.data.imaging.ranges import Unfit
from primum.report import copies, thumbnails
from tests.data.imaging.test_dicom import made, save

CT = (-1024.0, 3071.0)


def png(path: Path, values: Any, bits: int | None = None) -> Path:
    """A 16-bit grey PNG, with a chunk of its significant bits where they are given."""
    Image.fromarray(np.asarray(values).astype(np.uint16)).save(path)
    if bits is not None:
        raw, chunk = path.read_bytes(), b"sBIT" + bytes([bits])
        block = struct.pack(">I", 1) + chunk + struct.pack(">I", zlib.crc32(chunk))
        path.write_bytes(raw[:33] + block + raw[33:])  # behind the header
    return path


def tiff(path: Path, values: Any, ends: tuple[float, float] | None = None) -> Path:
    tags: Any = TiffImagePlugin.ImageFileDirectory_v2()
    if ends is not None:
        for tag, end in zip(CLAIMED, ends, strict=True):
            tags.tagtype[tag] = 11
            tags[tag] = end
    Image.fromarray(np.asarray(values).astype(np.float32)).save(path, tiffinfo=tags)
    return path


def twelve(path: Path, values: list[int]) -> Path:
    """A TIFF of one row of samples of 12 bits, two in three bytes."""
    packed = bytearray()
    for first, second in zip(values[::2], values[1::2], strict=True):
        packed += bytes([first >> 4, (first & 15) << 4 | second >> 8, second & 255])
    tags = {256: len(values), 257: 1, 258: 12, 259: 1, 262: 1, 273: 8, 277: 1, 278: 1, 279: len(packed)}
    start = 8 + len(packed) + len(packed) % 2
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    head = struct.pack("<2sHI", b"II", 42, start) + bytes(packed) + b"\0" * (len(packed) % 2)
    path.write_bytes(head + struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0))
    return path


def colour16(path: Path, values: np.ndarray) -> Path:
    """A PNG of 16 bits per colour, written byte by byte."""
    high, wide, _ = values.shape
    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in values)
    parts = {b"IHDR": struct.pack(">IIBBBBB", wide, high, 16, 2, 0, 0, 0), b"IDAT": zlib.compress(lines)}
    chunks = [
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in (parts | {b"IEND": b""}).items()
    ]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    return path


def ct(path: Path, values: list[int], **tags: Any) -> Path:
    """A computed tomography without a window: 16 of 16 bits, signed, in Hounsfield units."""
    return save(made(np.array([values], dtype=np.int16), bits=16, signed=True, **tags), path)


def given(path: Path, within: Range | None = None) -> list[int]:
    """What a network is given."""
    return np.asarray(decode.read(path, within))[..., 0].ravel().tolist()


def seen(path: Path) -> list[int]:
    """What people see."""
    return np.asarray(decode.load(path).visible())[..., 0].ravel().tolist()


def extremes(path: Path) -> Range:
    found = decode.load(path)
    assert isinstance(found, Grey)
    assert found.stated is None
    return found.extremes()


def stated(path: Path) -> Range | None:
    found = decode.load(path)
    assert isinstance(found, Grey)
    return found.stated


def test_a_tomography_without_a_window_is_no_flat_grey(tmp_path: Path) -> None:
    path = ct(tmp_path / "ct.dcm", [-1024, 0, 1023, 3071])
    assert given(path, CT) == [0, 64, 127, 255]
    assert seen(path) == [0, 64, 127, 255]
    assert given(path) == [124, 128, 131, 139]  # of all that 16 bits can say, as older networks were given it
    assert extremes(path) == CT
    assert given(ct(tmp_path / "x.dcm", [-1024, 0, 1023, 3071], kind="MONOCHROME1"), CT) == [255, 191, 128, 0]
    wide = ct(tmp_path / "x.dcm", [0, 1024, 2047, 4095], RescaleSlope=1, RescaleIntercept=-1024)
    assert given(wide, CT) == [0, 64, 127, 255]


def test_padding_around_a_tomography_widens_no_range(tmp_path: Path) -> None:
    path = ct(tmp_path / "ct.dcm", [-32768, -1024, 0, 3071], PixelPaddingValue=-32768)
    assert extremes(path) == CT
    assert given(path, CT) == [0, 0, 64, 255]
    assert not decode.load(path).outside(CT)
    limit = {"PixelPaddingValue": -32768, "PixelPaddingRangeLimit": -2000}
    assert extremes(ct(tmp_path / "x.dcm", [-2500, -1024, 0, 3071], **limit)) == CT
    assert extremes(ct(tmp_path / "x.dcm", [-2000, -1024, 0, 3071])) == (-2000, 3071)


def test_bits_stored_state_a_range_where_a_word_has_more(tmp_path: Path) -> None:
    assert stated(save(made([[0, 5]], bits=12), tmp_path / "x.dcm")) == (0, 4095)
    assert stated(save(made([[0, 5]], bits=16), tmp_path / "x.dcm")) is None
    windowed = save(made([[0, 5]], bits=16, WindowCenter=3, WindowWidth=6), tmp_path / "x.dcm")
    assert decode.kind(windowed) == "16-bit DICOM with a window"


def test_twelve_bits_in_a_png_use_the_whole_of_the_screen(tmp_path: Path) -> None:
    path = png(tmp_path / "a.png", [[0, 1024, 2047, 2300]])
    assert given(path, (0, 4095)) == [0, 64, 127, 143]
    assert given(path) == [0, 3, 7, 8]  # divided by 65535 and cut, as older networks were given it
    assert extremes(path) == (0, 2300)


def test_significant_bits_stand_above_or_below(tmp_path: Path) -> None:
    # The specification scales 12 bits up: 1024 becomes 16384, or with the upper bits repeated 16388.
    for rest in (0, 1):
        values = [(value << 4) | rest * (value >> 8) for value in (0, 1024, 2047, 4095)]
        scaled = png(tmp_path / "a.png", [values], bits=12)
        assert stated(scaled) == (0, 65535)
        assert given(scaled, (0, 100)) == [0, 64, 127, 255]  # what the file states comes first
    dark = png(tmp_path / "b.png", [[0, 16, 160, 4080]], bits=12)
    assert stated(dark) == (0, 65535)
    # Many writers leave them below.
    plain = png(tmp_path / "c.png", [[0, 1024, 2047, 4095]], bits=12)
    assert stated(plain) == (0, 4095)
    assert given(plain, (0, 100)) == [0, 64, 127, 255]
    assert stated(png(tmp_path / "d.png", [[0, 9]], bits=16)) is None


def test_hounsfield_units_below_zero_are_kept(tmp_path: Path) -> None:
    path = tiff(tmp_path / "a.tif", [[-1000.0, 0.0, 1000.0]])
    assert seen(path) == [0, 128, 255]
    assert given(path, (-1000, 3000)) == [0, 64, 128]


def test_sample_values_of_a_tiff_count_as_its_extremes(tmp_path: Path) -> None:
    # A detector's range, or the image's own: were it spread image by image, equal values would differ.
    path = tiff(tmp_path / "a.tif", [[-1000.0, 0.0, 1000.0]], (-2000.0, 2000.0))
    assert extremes(path) == (-2000, 2000)
    own = tiff(tmp_path / "b.tif", [[0.0, 500.0]], (0.0, 500.0))
    assert given(own, (-2000, 2000))[0] == given(path, (-2000, 2000))[1] == 128
    assert extremes(tiff(tmp_path / "c.tif", [[-5.0, 9.0]], (0.0, 1.0))) == (-5, 9)  # they cannot be true


def test_a_tiff_of_twelve_bits_states_them(tmp_path: Path) -> None:
    path = twelve(tmp_path / "a.tif", [0, 1024, 2047, 4095])
    assert stated(path) == (0, 4095)
    assert given(path, (0, 100)) == [0, 64, 127, 255]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_pixel_that_is_no_number_is_refused(value: float, tmp_path: Path) -> None:
    path = tiff(tmp_path / "a.tif", [[0.0, value, 1.0]])
    with pytest.raises(UnreadableError, match="NaN or infinite values; export"):
        decode.read(path)


def test_an_image_of_one_value_is_black_and_eight_bits_stay(tmp_path: Path) -> None:
    assert seen(png(tmp_path / "flat.png", [[700] * 3])) == [0, 0, 0]
    for name in ("plain.png", "plain.bmp", "plain.tif"):
        Image.fromarray(np.array([[0, 7, 255]], dtype=np.uint8)).save(tmp_path / name)
        assert given(tmp_path / name, (0, 10)) == given(tmp_path / name) == [0, 7, 255]
        assert decode.kind(tmp_path / name) == "8-bit"


def test_the_first_bytes_tell_what_is_stored(tmp_path: Path) -> None:
    assert decode.kind(png(tmp_path / "a.png", [[1, 2]])) is None
    assert decode.kind(tiff(tmp_path / "a.tif", [[1, 2]])) is None
    assert decode.kind(colour16(tmp_path / "b.png", np.full((2, 2, 3), 5))) == "16-bit colour PNG"
    assert decode.kind(tmp_path / "absent.png") is None
    (tmp_path / "bad.png").write_bytes(b"\x89PNG")
    assert decode.kind(tmp_path / "bad.png") is None


def test_rows_that_do_not_fit_are_counted(tmp_path: Path) -> None:
    within, beyond = (
        decode.load(png(tmp_path / "a.png", [[5, high]])) for high in (4504, 4505)
    )  # by a tenth of it, and by more
    unfit = Unfit()
    for row, one in enumerate((within, beyond, beyond)):
        unfit.add(row, [one], [(0, 4095)])
    assert (unfit.clipped, unfit.unknown) == ({1, 2}, set())
    assert unfit.notes([0], [(0, 4095)]) == ()
    [note] = unfit.notes([0, 1], [(0, 4095)])
    assert note.startswith("1 of 2 images has grey values beyond the range the network reads (0 to 4095)")
    older = Unfit()
    older.add(0, [within], [None])
    assert "none on record" in older.notes([0], None)[0]


def test_pages_show_deep_images(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 4095, 64).astype(int), (64, 1))
    png(tmp_path / "a.png", ramp)
    save(made(ramp, bits=16), tmp_path / "a.dcm")
    tiff(tmp_path / "a.tif", ramp - 1000.0)
    for name in ("a.png", "a.dcm", "a.tif"):
        for show in (copies.picture, thumbnails.embed):
            embedded = show(name, tmp_path)
            assert embedded is not None
            written = Image.open(io.BytesIO(base64.b64decode(embedded.partition(",")[2])))
            levels = np.asarray(written.convert("L"))[32]
            assert levels[0] < 10, name
            assert 100 < levels[32] < 155, name
            assert levels[-1] > 245, name


@pytest.mark.parametrize("shape", [(11, 13), (5, 7, 3), (1, 40), (0, 4)])
def test_levels_part_by_part_are_levels_of_the_whole(monkeypatch, shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).integers(0, 65536, shape).astype(np.uint16)
    plain = np.rint(np.clip((values.astype(np.float64) - 900) * (255 / 50_000), 0, 255)).astype(np.uint8)
    for part in (1, 30, 2**20):
        monkeypatch.setattr(decoded, "PART", part)
        np.testing.assert_array_equal(decoded.levels(values, 900, 50_900), plain)
        if len(shape) == 2 and values.size:
            whole = decoded.Grey("16-bit PNG", values, (0.0, 65535.0), cut=True).render()
            expected = np.clip(values / 65535 * 255, 0, 255).astype(np.uint8)
            np.testing.assert_array_equal(np.asarray(whole)[..., 0], expected)
