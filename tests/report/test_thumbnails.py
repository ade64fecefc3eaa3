"""Pictures in the page: only from the folder given, and only what is a picture."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest

from primum.report.thumbnails import LARGEST, embed, inside

JPEG = b"\xff\xd8\xff\xe0" + b"a small picture"


def test_small_pictures_go_in_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.bin").write_bytes(JPEG)
    found = embed("deep/a.bin", tmp_path)
    assert found == "data:image/jpeg;base64," + base64.b64encode(JPEG).decode()
    assert embed(str(tmp_path / "deep" / "a.bin"), tmp_path) == found


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


def test_large_and_deep_pictures_are_shrunk(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    noise = np.random.default_rng(0).integers(0, 255, (900, 900, 3), dtype=np.uint8)
    image.fromarray(noise).save(tmp_path / "large.png")
    assert (tmp_path / "large.png").stat().st_size > LARGEST
    ramp = np.linspace(1000, 60000, 256 * 256).reshape(256, 256).astype(np.uint16)
    image.fromarray(ramp).save(tmp_path / "deep.tif")
    for name, side in (("large.png", 480), ("deep.tif", 256)):
        found = embed(name, tmp_path)
        assert found is not None
        head, body = found.split(",")
        assert head == "data:image/jpeg;base64"
        shown = np.asarray(image.open(io.BytesIO(base64.b64decode(body))))
        assert shown.shape == (side, side, 3)
    assert shown[0].mean() < 20
    assert shown[-1].mean() > 235
