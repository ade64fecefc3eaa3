"""What a PNG file states of its samples before they are decoded (PNG specification, third edition, 2025)."""

from __future__ import annotations

import struct
from pathlib import Path

MARK = b"\x89PNG\r\n\x1a\n"
HEAD = 26  # bytes that tell depth and colour
GREY = 0  # colour type
FULL = 16  # bits of a deep sample


def depth(start: bytes) -> tuple[int, int]:
    """Bits per sample and colour type, from a PNG's first bytes (IHDR); zeros where it is cut off."""
    return (start[24], start[25]) if len(start) >= HEAD else (0, 0)


def significant(file: Path) -> int | None:
    """Bits of a grey sample that carry something (sBIT); None where the file does not say."""
    with file.open("rb") as opened:
        opened.seek(len(MARK))
        while len(head := opened.read(8)) == 8:
            size, kind = struct.unpack(">I4s", head)
            if kind == b"sBIT":
                bits = opened.read(1)
                return bits[0] if bits and 0 < bits[0] <= FULL else None
            if kind in (b"IDAT", b"IEND"):
                return None
            # content and the four bytes of its checksum
            opened.seek(size + 4, 1)
    return None
