"""Pictures in the page: only from the folder given, and only what is a picture."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest

from primum.report import copies
from primum.report.thumbnails import EXACT, embed, inside
from tests.data.imaging.named import SECRET, named

images = pytest.importorskip("PIL.Image")

JPEG = b"\xff\xd8\xff\xe0" + b"no picture"


def seen(found: str | None) -> np.ndarray:
    assert found is not None
    return np.asarray(images.open(io.BytesIO(base64.b64decode(found.partition(",")[2]))))


def test_small_pictures_are_shown_pixel_by_pixel(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    pixels = np.random.default_rng(0).integers(0, 255, (EXACT, 60, 3), dtype=np.uint8)
    images.fromarray(pixels).save(tmp_path / "deep" / "a.bin", "PNG")
    found = embed("deep/a.bin", tmp_path)
    assert found is not None
    assert found.startswith("data:image/png;base64,")
    np.testing.assert_array_equal(seen(found), pixels)
    assert embed(str(tmp_path / "deep" / "a.bin"), tmp_path) == found


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "GIF"])
@pytest.mark.parametrize("side", [64, 700])
@pytest.mark.parametrize("embedding", [embed, copies.picture])
def test_no_name_goes_along(tmp_path: Path, kind: str, side: int, embedding) -> None:
    file = named(tmp_path / "a.img", kind, side)
    assert SECRET.encode() in file.read_bytes()
    found = embedding("a.img", tmp_path)
    assert found is not None
    content = base64.b64decode(found.partition(",")[2])
    assert SECRET.encode() not in content
    opened = images.open(io.BytesIO(content))
    assert not opened.getexif()
    assert not set(opened.info) & {"comment", "exif", "icc_profile", "xmp", "XML:com.adobe.xmp", "Author"}


@pytest.mark.parametrize(
    "path", ["../out.jpg", "in/../../out.jpg", "/etc/hostname", "", None, "a\0b", "x" * 5000]
)
def test_nothing_outside_is_read(tmp_path: Path, path: str | None) -> None:
    folder = tmp_path / "images"
    (folder / "in").mkdir(parents=True)
    (tmp_path / "out.jpg").write_bytes(JPEG)
    assert inside(path, folder) is None
    assert embed(path, folder) is None
    assert embed("out.jpg", None) is None


def test_links_out_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    (tmp_path / "out.jpg").write_bytes(JPEG)
    (folder / "link.jpg").symlink_to(tmp_path / "out.jpg")
    assert embed("link.jpg", folder) is None


def test_other_files_are_not_pictures(tmp_path: Path) -> None:
    (tmp_path / "notes.svg").write_text("<svg onload='alert(1)'/>")
    (tmp_path / "empty.png").write_bytes(b"")
    assert embed("notes.svg", tmp_path) is None
    assert embed("empty.png", tmp_path) is None
    assert embed("absent.png", tmp_path) is None


def test_a_file_that_is_no_picture_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(JPEG)
    assert embed("a.jpg", tmp_path) is None
    assert copies.picture("a.jpg", tmp_path) is None


def test_large_and_deep_pictures_are_shrunk(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (900, 900, 3), dtype=np.uint8)
    images.fromarray(noise).save(tmp_path / "large.png")
    ramp = np.linspace(1000, 60000, 256 * 256).reshape(256, 256).astype(np.uint16)
    images.fromarray(ramp).save(tmp_path / "deep.tif")
    for name, side in (("large.png", 480), ("deep.tif", 256)):
        found = embed(name, tmp_path)
        assert found is not None
        assert found.startswith("data:image/jpeg;base64,")
        shown = seen(found)
        assert shown.shape == (side, side, 3)
    assert shown[0].mean() < 20
    assert shown[-1].mean() > 235
