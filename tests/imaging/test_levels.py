"""Images of more than eight bits: black and white are what the file states, else one range for all."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image, TiffImagePlugin

from primum.data import ranges
from primum.data.images import CorruptImageError, ImageTable
from primum.imaging import decode, levels

from .test_dicom import made, save

CT = (-1024.0, 3071.0)


def png(path: Path, values: np.ndarray, bits: int | None = None) -> Path:
    """A 16-bit grey PNG, with a chunk of its significant bits where they are given."""
    Image.fromarray(values.astype(np.uint16)).save(path)
    if bits is not None:
        raw, chunk = path.read_bytes(), b"sBIT" + bytes([bits])
        block = struct.pack(">I", 1) + chunk + struct.pack(">I", zlib.crc32(chunk))
        path.write_bytes(raw[:33] + block + raw[33:])  # behind the header
    return path


def tiff(path: Path, values: np.ndarray, ends: tuple[float, float] | None = None) -> Path:
    tags: Any = TiffImagePlugin.ImageFileDirectory_v2()
    if ends is not None:
        for tag, end in zip((levels.SMALLEST, levels.LARGEST), ends, strict=True):
            tags.tagtype[tag] = 11
            tags[tag] = end
    Image.fromarray(values.astype(np.float32)).save(path, tiffinfo=tags)
    return path


def grey(path: Path, span: levels.Span = "own") -> list[int]:
    return np.asarray(decode.read(path, span))[..., 0].ravel().tolist()


def ct(path: Path, values: list[int], **tags: Any) -> Path:
    """A computed tomography without a window: 16 of 16 bits, signed, in Hounsfield units."""
    return save(made(np.array([values], dtype=np.int16), bits=16, **tags), path)


def test_a_tomography_without_a_window_is_no_flat_grey(tmp_path: Path) -> None:
    path = ct(tmp_path / "ct.dcm", [-1024, 0, 1023, 3071])
    assert grey(path, CT) == [0, 64, 127, 255]
    assert grey(path) == [0, 64, 127, 255]
    assert grey(path, "type") == [124, 128, 131, 139]  # of all that 16 bits can say
    assert decode.least_and_most(path) == CT


def test_twelve_bits_in_a_png_use_the_whole_of_the_screen(tmp_path: Path) -> None:
    path = png(tmp_path / "a.png", np.array([[0, 1024, 2047, 2300]]))
    assert grey(path, (0, 4095)) == [0, 64, 127, 143]
    assert grey(path, "type") == [0, 4, 8, 9]
    assert decode.least_and_most(path) == (0, 2300)
    stated = png(tmp_path / "b.png", np.array([[0, 1024, 2047, 4095]]), bits=12)
    assert decode.least_and_most(stated) is None
    assert grey(stated, (0, 100)) == [0, 64, 127, 255]  # what the file states comes first


def test_hounsfield_units_below_zero_are_kept(tmp_path: Path) -> None:
    path = tiff(tmp_path / "a.tif", np.array([[-1000.0, 0.0, 1000.0]]))
    assert grey(path) == [0, 128, 255]
    assert grey(path, (-1000, 3000)) == [0, 64, 128]
    stated = tiff(tmp_path / "b.tif", np.array([[-1000.0, 0.0, 1000.0]]), (-2000.0, 2000.0))
    assert grey(stated, (0, 1)) == [64, 128, 191]
    assert decode.least_and_most(stated) is None


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_pixel_that_is_no_number_is_named(value: float, tmp_path: Path) -> None:
    tiff(tmp_path / "a.tif", np.array([[0.0, value, 1.0]]))
    table = images(tmp_path, ["a.tif"])
    for look in (table.image, table.levels):
        with pytest.raises(
            CorruptImageError, match=r"at a\.tif, 1 of its pixels are NaN or infinite; repair it"
        ):
            look(0)


def test_an_image_of_one_value_is_black_and_eight_bits_stay(tmp_path: Path) -> None:
    assert grey(png(tmp_path / "flat.png", np.full((1, 3), 700))) == [0, 0, 0]
    Image.fromarray(np.array([[0, 7, 255]], dtype=np.uint8)).save(tmp_path / "plain.png")
    assert grey(tmp_path / "plain.png", (0, 10)) == [0, 7, 255]
    assert decode.least_and_most(tmp_path / "plain.png") is None


def images(folder: Path, paths: list[str]) -> ImageTable:
    n = len(paths)
    cases = pl.DataFrame(
        {
            "id": paths, "label": ["a", "b"] * (n // 2) + ["a"] * (n % 2), "patient": paths, "site": None,
            "split": "train", "path": paths,
        },
        schema_overrides={"site": pl.String},
    )  # fmt: skip
    return ImageTable("made", ("a", "b"), cases, folder)


def test_one_range_for_all_images_that_state_none(tmp_path: Path) -> None:
    for at, high in enumerate((2000, 4000, 3000)):
        png(tmp_path / f"{at}.png", np.array([[at * 10, high]]))
    png(tmp_path / "stated.png", np.array([[0, 9]]), bits=12)
    Image.fromarray(np.zeros((1, 2), dtype=np.uint8)).save(tmp_path / "plain.jpg")
    seen = ranges.measure(images(tmp_path, ["0.png", "1.png", "2.png", "stated.png", "plain.jpg"]))
    assert (seen.n, len(seen.low), seen.span) == (5, 3, (0.0, 4000.0))
    assert "3 of 5 images have more than 8 bits and state no range: 0 to 4000" in ranges.told(seen, seen.span)
    assert seen.outside((0, 3600)) == 1
    assert seen.outside((0, 4000)) == 0
    assert ranges.told(ranges.measure(images(tmp_path, ["plain.jpg"])), None) == ""


def test_one_damaged_image_in_a_hundred_does_not_flatten_the_others() -> None:
    low, high = np.zeros(200), np.full(200, 4095.0)
    low[3], high[5] = -30_000, 65_535
    assert ranges.Ranges(200, low, high).span == (0, 4095)
