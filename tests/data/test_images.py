"""The table of images: what it refuses, what it decodes, what tells two data sets apart."""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from primum.data.images import CorruptImageError, ImageTable


def table(root: Path | None, *paths: str | None, **columns: list[str]) -> ImageTable:
    n = len(paths)
    given = {
        "id": [f"case-{row}" for row in range(n)], "label": ["a", "b"] * (n // 2) + ["a"] * (n % 2),
        "patient": [f"p{row}" for row in range(n)], "site": [None] * n, "split": ["test"] * n,
    }  # fmt: skip
    cases = pl.DataFrame(given | columns | {"path": pl.Series(list(paths), dtype=pl.String)})
    return ImageTable("made", ("a", "b"), cases, root)


def grey16(path: Path, values: np.ndarray) -> None:
    """A 16-bit grey PNG, written byte by byte."""
    high, wide = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", wide, high, 16, 0, 0, 0, 0)
    png = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    path.write_bytes(png)


@pytest.mark.parametrize(
    ("mode", "colour", "suffix", "expected"),
    [
        ("L", 90, "png", (90, 90, 90)),
        ("1", 1, "png", (255, 255, 255)),
        ("RGB", (200, 40, 10), "png", (200, 40, 10)),
        ("CMYK", (0, 255, 255, 0), "tif", (255, 0, 0)),
        ("RGBA", (200, 40, 10, 255), "png", (200, 40, 10)),
        ("RGBA", (200, 40, 10, 0), "png", (0, 0, 0)),
        ("LA", (90, 0), "png", (0, 0, 0)),
        ("LA", (90, 255), "png", (90, 90, 90)),
    ],
)
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str, colour, suffix: str, expected) -> None:
    Image.new(mode, (5, 4), colour).save(tmp_path / f"x.{suffix}")
    image = table(tmp_path, f"x.{suffix}").image(0)
    assert image.mode == "RGB"
    assert image.size == (5, 4)
    assert image.getpixel((2, 2)) == expected


def test_a_palette_becomes_its_colours(tmp_path: Path) -> None:
    image = Image.new("P", (5, 4), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    image.save(tmp_path / "x.png")
    assert table(tmp_path, "x.png").image(0).getpixel((0, 0)) == (10, 20, 30)


def test_sixteen_bit_grey_is_scaled_not_clipped(tmp_path: Path) -> None:
    values = np.array([[0, 257 * 20, 257 * 128, 65535]])
    grey16(tmp_path / "x.png", values)
    image = table(tmp_path, "x.png").image(0)
    assert np.asarray(image)[0, :, 0].tolist() == [0, 20, 128, 255]
    assert image.mode == "RGB"


def test_an_image_that_does_not_decode_is_named(tmp_path: Path, refused) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 40, 3), dtype=np.uint8)).save(
        tmp_path / "x.jpg"
    )
    whole = (tmp_path / "x.jpg").read_bytes()
    (tmp_path / "sub").mkdir()
    for content in (b"", b"no image", whole[: len(whole) // 2]):
        (tmp_path / "sub" / "bad.jpg").write_bytes(content)
        broken = table(tmp_path, "sub/bad.jpg")
        refused(lambda broken=broken: broken.image(0), "at sub/bad.jpg", "does not decode", "--skip-corrupt")
        with pytest.raises(CorruptImageError) as caught:
            broken.image(0)
        assert str(tmp_path) not in str(caught.value)
    refused(lambda: table(tmp_path, "gone.jpg").image(0), "gone.jpg", "no such file", "--skip-corrupt")


def test_made_pixels_come_back_as_they_are() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 3, 5, 3), dtype=np.uint8)
    made = replace(table(None, None, None, None, None), pixels=pixels)
    assert (np.asarray(made.image(2)) == pixels[2]).all()
    last = made.take(np.array([3, 1]))
    assert last.cases["id"].to_list() == ["case-3", "case-1"]
    assert (np.asarray(last.image(0)) == pixels[3]).all()


def test_take_keeps_rows_by_number_or_by_truth() -> None:
    made = table(None, *[None] * 5)
    assert made.take(np.array([4, 0])).cases["id"].to_list() == ["case-4", "case-0"]
    assert made.take(np.array([True, False, False, True, False])).cases["id"].to_list() == [
        "case-0",
        "case-3",
    ]
    assert len(made.take(np.array([], dtype=np.int64))) == 0


def test_split_gives_its_rows_and_refuses_an_empty_one(refused) -> None:
    made = table(None, *[None] * 4, split=["train", "test", "train", "cal"])
    assert made.split("train").cases["id"].to_list() == ["case-0", "case-2"]
    refused(lambda: made.split("val"), "made", "'val'")


def test_labels_are_numbered_in_the_order_of_classes() -> None:
    made = replace(table(None, *[None] * 4), classes=("b", "a"))
    assert made.label_index.tolist() == [1, 0, 1, 0]
    assert made.label_index.dtype == np.int64


def test_a_table_of_another_form_is_refused(refused) -> None:
    good = table(None, *[None] * 4)
    refused(lambda: replace(good, cases=good.cases.drop("patient")), "made", "patient")
    refused(lambda: table(None, None, None, id=["x", "x"]), "made", "share an id")
    refused(lambda: table(None, None, None, label=["a", "bb"]), "label 'bb'", "did you mean 'b'?")
    refused(lambda: table(None, None, None, split=["test", "tests"]), "split 'tests'", "did you mean 'test'?")
    refused(lambda: replace(good, classes=("a",)), "at least two classes")


def test_the_fingerprint_tells_data_apart_and_nothing_else(tmp_path: Path, draw) -> None:
    draw(tmp_path, ["x.png", "y.png"])
    made = table(tmp_path, "x.png", "y.png")
    mark = made.fingerprint()
    assert mark == table(tmp_path, "x.png", "y.png").fingerprint()
    os.utime(tmp_path / "x.png", (0, 0))
    assert mark == made.fingerprint()
    changed = [
        replace(made, name="other"),
        table(tmp_path, "x.png", "y.png", id=["case-0", "case-2"]),
        table(tmp_path, "x.png", "y.png", label=["b", "b"]),
        table(tmp_path, "x.png", "y.png", split=["test", "cal"]),
        table(tmp_path, "x.png", "x.png"),
    ]
    marks = {one.fingerprint() for one in changed}
    (tmp_path / "x.png").write_bytes(b"another size")
    marks |= {mark, made.fingerprint()}
    assert len(marks) == len(changed) + 2


def test_the_fingerprint_of_made_images_reads_their_pixels() -> None:
    pixels = np.zeros((2, 3, 3, 3), dtype=np.uint8)
    made = replace(table(None, None, None), pixels=pixels)
    other = pixels.copy()
    other[1, 2, 2, 2] = 1
    assert made.fingerprint() != replace(made, pixels=other).fingerprint()
    assert made.fingerprint() == replace(made, pixels=pixels.copy()).fingerprint()


def test_made_pixels_of_any_number_of_channels() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 4), dtype=np.uint8)
    made = replace(table(None, None, None, None), pixels=pixels)
    assert made.channels == 4
    np.testing.assert_array_equal(np.dstack([np.asarray(plane) for plane in made.planes(1)]), pixels[1])
    assert made.image(1).mode == "RGB"
    np.testing.assert_array_equal(np.asarray(made.image(1))[..., 2], pixels[1, ..., 0])


def test_an_image_of_three_colours_is_one_plane(tmp_path: Path, draw) -> None:
    draw(tmp_path, ["x.png"])
    made = table(tmp_path, "x.png")
    assert made.channels == 3
    assert [plane.mode for plane in made.planes(0)] == ["RGB"]


def test_the_fingerprint_sees_files_that_no_compression_tells_apart(tmp_path: Path) -> None:
    for suffix in ("bmp", "tif"):
        made = table(tmp_path, f"x.{suffix}")
        marks = set()
        for grey in (0, 1):
            Image.new("L", (300, 300), grey).save(tmp_path / f"x.{suffix}")
            marks.add(made.fingerprint())
        assert len(marks) == 2
