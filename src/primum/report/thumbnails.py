"""Pictures for the gallery, turned into data URIs; nothing outside the given folder is ever read."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

from primum.check import MissingExtraError
from primum.imaging import decode, dicom, png

LARGEST = 1_000_000
SIDE = 480
SIGNATURES = {b"\xff\xd8\xff": "jpeg", b"\x89PNG\r\n\x1a\n": "png"}


def embed(path: str | None, images: Path | None) -> str | None:
    """Return the picture at ``path`` as a data URI, or None when it cannot or may not be shown.

    Args:
        path: as written in the audit, relative to ``images`` or absolute.
        images: the only folder pictures are taken from; links that lead out of it are refused too.
    """
    found = inside(path, images)
    if found is None:
        return None
    try:
        small = found.stat().st_size <= LARGEST
        with found.open("rb") as stream:
            start = stream.read(png.HEAD)
        kind = next((kind for mark, kind in SIGNATURES.items() if start.startswith(mark)), None)
        deep = kind == "png" and png.depth(start) == (png.FULL, png.GREY)  # a browser shows 12 bits as black
        if small and kind and not deep:
            return _uri(found.read_bytes(), kind)
        return _shrunk(found)
    except OSError:
        return None


def inside(path: str | None, images: Path | None) -> Path | None:
    """Resolve ``path`` and return it only if it is a file within ``images``."""
    if not path or images is None:
        return None
    try:
        root = images.resolve(strict=True)
        found = (root / path).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        return None
    return found if found.is_relative_to(root) and found.is_file() else None


def _uri(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _shrunk(path: Path) -> str | None:
    """Shrink DICOM and any format pillow reads; None without a reader or when the file is not a picture."""
    try:
        from PIL import Image
    except ImportError:
        return None
    try:
        if dicom.is_dicom(path):
            return _small(dicom.load(path).visible())
        with Image.open(path) as opened:
            deep = opened.mode.startswith(("I", "F"))
            return _small(decode.load(path).visible() if deep else opened.copy())
    except (MissingExtraError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _small(picture: Any) -> str:
    picture.thumbnail((SIDE, SIDE))
    written = io.BytesIO()
    picture.convert("RGB").save(written, format="JPEG", quality=88)
    return _uri(written.getvalue(), "jpeg")
