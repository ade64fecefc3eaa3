"""Pictures for the gallery, turned into data URIs; nothing outside the given folder is ever read."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

from primum.check import MissingExtraError
from primum.imaging import dicom

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
            start = stream.read(16)
        kind = next((kind for mark, kind in SIGNATURES.items() if start.startswith(mark)), None)
        if small and kind:
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
            return _small(dicom.read(path))
        with Image.open(path) as opened:
            return _small(_eight_bits(opened))
    except (MissingExtraError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _small(picture: Any) -> str:
    picture.thumbnail((SIDE, SIDE))
    written = io.BytesIO()
    picture.convert("RGB").save(written, format="JPEG", quality=88)
    return _uri(written.getvalue(), "jpeg")


def _eight_bits(picture: Any) -> Any:
    """Stretch a picture of more than eight bits (X-ray, microscopy) to eight; leave others alone."""
    if not picture.mode.startswith(("I", "F")):
        return picture.copy()
    wide = picture.convert("F")
    low, high = wide.getextrema()
    scale = 255 / ((high - low) or 1)
    return wide.point(lambda value: value * scale + -low * scale).convert("L")
