"""Pictures for the gallery, turned into data URIs; nothing outside the given folder is ever read."""

from __future__ import annotations

import base64
from pathlib import Path

from primum.core.check import MissingExtraError
from primum.data.imaging import encoded
from primum.data.imaging.opening import UnreadableError
from primum.data.imaging.preview import preview

SIDE = 480
EXACT = 128  # pixels: pictures no larger are shown pixel by pixel, where a JPEG would blur them


def embed(path: str | None, images: Path | None) -> str | None:
    """Return the picture at ``path`` as a data URI, or None when it cannot or may not be shown.

    It is encoded anew from its pixels: what a file says besides, as the name of a patient, stays behind.

    Args:
        path: as written in the audit, relative to ``images`` or absolute.
        images: the only folder pictures are taken from; links that lead out of it are refused too.
    """
    file = inside(path, images)
    if file is None:
        return None
    try:
        small = preview(file, SIDE)
    except (MissingExtraError, OSError, UnreadableError):
        return None
    if max(small.size) <= EXACT:
        return _uri(encoded.png(small), "png")
    return _uri(encoded.jpeg(small, 88), "jpeg")


def inside(path: str | None, images: Path | None) -> Path | None:
    """Resolve ``path`` and return it only if it is a file within ``images``."""
    if not path or images is None:
        return None
    try:
        root = images.resolve(strict=True)
        file = (root / path).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        return None
    return file if file.is_relative_to(root) and file.is_file() else None


def _uri(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"
