"""What is refused before it is decoded: other formats, large claims, and paths that are no plain files."""

from __future__ import annotations

import ast
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

import primum
from primum.data.copies import find
from primum.data.images import ImageTable
from primum.data.imaging import decode, limits, opening
from primum.data.imaging.opening import UnreadableError
from primum.data.sets import load
from primum.report import copies, thumbnails
from tests.data.imaging.test_dicom import listed

SOURCE = Path(primum.__file__).parent


def part(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def claiming(width: int, height: int, depth: int = 8, colour: int = 0) -> bytes:
    """A PNG whose header claims a size and whose pixels are cut off."""
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(b"\0" * 64))


def picture(file: Path, kind: str = "PNG", side: int = 8, **rest: object) -> Path:
    Image.fromarray(np.arange(side * side, dtype=np.uint8).reshape(side, side)).save(file, kind, **rest)
    return file


def names(tree: ast.AST) -> set[str]:
    """Names under which a module that opens images may be known here."""
    known = {"Image", "images", "pillow", "PIL"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("PIL"):
            known |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            known |= {alias.asname or alias.name for alias in node.names if alias.name.startswith("PIL")}
    return known


def test_one_function_opens_images() -> None:
    doors, headers = [], []
    for file in SOURCE.rglob("*.py"):
        text = file.read_text("utf-8")
        tree = ast.parse(text)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr == "open":
                whose = ast.unparse(node.value)
                if whose.split(".")[0].split("(")[0] in names(tree) or "pillow()" in whose:
                    doors.append(file.name)
            if isinstance(node, ast.Attribute) and node.attr == "dcmread":
                headers.append(file.name)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("PIL", "pydicom")):
                assert not {"open", "dcmread"} & {alias.name for alias in node.names}, file
        assert "LOAD_TRUNCATED_IMAGES" not in text, file
        assert "MAX_IMAGE_PIXELS" not in text, file
    assert doors == ["opening.py"]
    assert headers == ["header.py"]


@pytest.mark.parametrize("kind", opening.FORMATS)
def test_the_formats_that_are_meant_are_read_by_content(tmp_path: Path, kind: str) -> None:
    assert decode.read(picture(tmp_path / "x.png", kind)).size == (8, 8)


@pytest.mark.parametrize("kind", ["EPS", "PPM", "JPEG2000", "ICO", "TGA", "PCX", "PDF"])
def test_no_other_format_is_opened(tmp_path: Path, kind: str, monkeypatch) -> None:
    import subprocess

    def started(*given: object, **rest: object) -> None:
        raise AssertionError("a program was started")

    file = picture(tmp_path / "x.png", kind, side=64)
    for name in ("Popen", "run", "call", "check_call", "check_output"):
        monkeypatch.setattr(subprocess, name, started)
    with pytest.raises(UnreadableError, match="it does not decode as JPEG, PNG, WebP, BMP, TIFF or GIF"):
        decode.load(file)
    assert thumbnails.embed("x.png", tmp_path) is None
    assert copies.picture("x.png", tmp_path) is None
    assert list(find(listed(tmp_path, "x.png")).unreadable) == [0]


@pytest.mark.parametrize("size", [(13_000, 13_000), (20_001, 5_000), (2**31 - 1, 2**31 - 1)])
def test_a_large_claim_is_refused_by_the_header(tmp_path: Path, size: tuple[int, int], refused) -> None:
    (tmp_path / "x.png").write_bytes(claiming(*size, depth=16))
    table = listed(tmp_path, "x.png")
    refused(lambda: table.image(0), "at x.png", "pixels, at most 100 million are read; shrink it")
    assert thumbnails.embed("x.png", tmp_path) is None
    assert copies.picture("x.png", tmp_path) is None
    assert "100 million" in find(table).unreadable[0]


@pytest.mark.parametrize("size", [(3_000, 3_000), (4_000, 5_000), (8_688, 5_792), (10_000, 10_000)])
def test_images_of_the_clinic_pass(size: tuple[int, int], recwarn) -> None:
    with opening.opened(claiming(*size)) as opened:  # the header alone: these would take long to decode
        assert opened.size == size
    assert not recwarn.list


def test_large_claims_of_other_formats(tmp_path: Path) -> None:
    wide = struct.pack("<H", 65_000)
    gif = picture(tmp_path / "a.gif", "GIF").read_bytes()
    bmp = picture(tmp_path / "a.bmp", "BMP").read_bytes()
    jpeg = picture(tmp_path / "a.jpg", "JPEG").read_bytes()
    at = jpeg.index(b"\xff\xc0") + 5
    for name, content in (
        ("gif", gif[:6] + wide * 2 + gif[10:]),
        ("bmp", bmp[:18] + struct.pack("<ii", 65_000, 65_000) + bmp[26:]),
        ("jpg", jpeg[:at] + struct.pack(">HH", 65_000, 65_000) + jpeg[at + 4 :]),
    ):
        file = tmp_path / f"x.{name}"
        file.write_bytes(content)
        with pytest.raises(UnreadableError, match="pixels, at most 100 million"):
            decode.load(file)


def tiff(tags: dict[int, int]) -> bytes:
    """A little-endian TIFF of 8 × 8 grey pixels with these tags of four bytes changed or added."""
    plain = {256: 8, 257: 8, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 8, 279: 64}
    entries = sorted((plain | tags).items())
    stored = struct.pack("<H", len(entries)) + b"".join(
        struct.pack("<HHII", tag, 4, 1, v) for tag, v in entries
    )
    return b"II*\0" + struct.pack("<I", 72) + bytes(64) + stored + bytes(4)


def test_claims_of_a_tiff(tmp_path: Path) -> None:
    file = tmp_path / "x.tif"
    file.write_bytes(tiff({}))
    assert decode.read(file).size == (8, 8)
    for tags in ({256: 60_000, 257: 60_000}, {322: 60_000, 323: 60_000, 324: 8, 325: 64}):
        file.write_bytes(tiff(tags))
        with pytest.raises(UnreadableError, match="pixels, at most 100 million are read"):
            decode.load(file)
    for tags in ({258: 2**31}, {277: 2**31}, {273: 2**32 - 1}, {259: 7}):
        file.write_bytes(tiff(tags))
        with pytest.raises(UnreadableError, match="it does not decode"):
            decode.load(file)


def test_the_first_of_many_pages_alone_is_decoded(tmp_path: Path, monkeypatch) -> None:
    pages = [Image.new("RGB", (8, 8), (10 * k, 0, 0)) for k in range(1, 6)]
    for kind in ("TIFF", "GIF", "WEBP", "PNG"):
        more = {"lossless": True} if kind == "WEBP" else {}
        pages[0].save(tmp_path / "x.img", kind, save_all=True, append_images=pages[1:], **more)
        assert decode.read(tmp_path / "x.img").getpixel((3, 3)) == (10, 0, 0), kind


def test_compressed_text_that_swells_is_refused(tmp_path: Path) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "a" * 2**22, zip=True)
    picture(tmp_path / "x.png", pnginfo=text)
    with pytest.raises(UnreadableError, match="it does not decode; repair it"):
        decode.load(tmp_path / "x.png")


def test_a_file_that_is_too_large_is_not_opened(tmp_path: Path, refused) -> None:
    with (tmp_path / "x.png").open("wb") as file:
        file.truncate(limits.FILE + 1)  # no disk is filled
    refused(lambda: listed(tmp_path, "x.png").image(0), "at most 1,024 are read")
    assert list(find(listed(tmp_path, "x.png")).unreadable) == [0]


@pytest.fixture
def odd(tmp_path: Path) -> dict[str, str]:
    """Paths that are no plain files, and what is said of each."""
    os.mkfifo(tmp_path / "pipe.tif")
    (tmp_path / "folder.dcm").mkdir()
    (tmp_path / "ring.png").symlink_to(tmp_path / "ring.png")
    (tmp_path / "device.bmp").symlink_to("/dev/zero")
    (tmp_path / "empty").write_bytes(b"")
    return {
        "pipe.tif": "a pipe or a device", "folder.dcm": "this is a folder", "ring.png": "round in a circle",
        "device.bmp": "a pipe or a device", "empty": "the file is empty", "gone.png": "no such file",
        "empty/x.png": "no such file", "a\0b.png": "its name is none", "x" * 5000: "no such file",
        "\udcff.png": "no such file",
    }  # fmt: skip


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders here")
def test_a_path_that_is_no_plain_file_is_named_and_never_waited_for(
    tmp_path: Path, odd: dict[str, str]
) -> None:
    for path, said in odd.items():
        with pytest.raises(UnreadableError, match=said):
            decode.load(tmp_path / path)
        with pytest.raises(UnreadableError, match=said):
            opening.content(tmp_path / path)
        assert decode.kind(tmp_path / path) is None
        assert thumbnails.embed(path, tmp_path) is None
        assert copies.picture(path, tmp_path) is None
    paths = [path for path in odd if path.isascii()]
    table: ImageTable = listed(tmp_path, *paths)
    assert table.fingerprint() == table.fingerprint()
    assert sorted(find(table).unreadable) == list(range(len(paths)))


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode here")
def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path, refused) -> None:
    for kind in ("a", "b"):
        (tmp_path / kind).mkdir()
        picture(tmp_path / kind / "x.png")
    name = os.fsdecode(b"\xff.png")
    try:
        picture(tmp_path / "a" / name)
    except OSError:
        pytest.skip("this file system takes UTF-8 names alone")
    refused(lambda: load("folder", tmp_path), r"\udcff.png is not; rename it")
    (tmp_path / "a" / name).unlink()
    (tmp_path / os.fsdecode(b"\xfe")).mkdir()
    refused(lambda: load("folder", tmp_path), r"\udcfe is not; rename it")
