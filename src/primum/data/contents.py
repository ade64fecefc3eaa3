"""What an image's files hold, so that it is known again whatever it is called."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import track

from primum.data.images import CHANNELS, SEPARATOR
from primum.data.imaging import opening

if TYPE_CHECKING:
    from primum.data.images import ImageTable

THREADS = min(16, os.cpu_count() or 1)


def read(table: ImageTable, row: int) -> list[bytes]:
    """Bytes of each file (channel) of an image, empty where it cannot be read; or its pixels in memory."""
    if table.pixels is not None:
        return [table.pixels[row].tobytes()]
    cases = table.cases
    listed = cases[CHANNELS][row].split(SEPARATOR) if CHANNELS in cases.columns else [cases["path"][row]]
    return [_bytes((table.root or Path()) / path) for path in listed]


def digest(contents: Sequence[bytes]) -> str:
    """sha256, in hexadecimal, over the sha256 of each of an image's files."""
    joined = hashlib.sha256()
    for content in contents:
        joined.update(hashlib.sha256(content).digest())
    return joined.hexdigest()


def digests(table: ImageTable, *, bar: bool = False) -> list[str]:
    """:func:`digest` of every image of a table, each file read once, in threads."""
    if table.pixels is not None:
        return [digest(read(table, row)) for row in range(len(table))]
    with ThreadPoolExecutor(THREADS) as pool:
        coming = pool.map(lambda row: digest(read(table, row)), range(len(table)))
        console = Console(stderr=True)
        return list(track(coming, "reading", len(table), console=console, transient=True, disable=not bar))


def _bytes(path: Path) -> bytes:
    try:
        return opening.content(path)
    except opening.UnreadableError:
        return b""
