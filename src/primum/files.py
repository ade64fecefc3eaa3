"""Write outputs whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from primum.check import InputError


@contextmanager
def whole(path: Path | str) -> Iterator[Path]:
    """Give a temporary path beside ``path``; it takes the final name only if the block ends well.

    >>> with whole("audit.json") as draft:
    ...     draft.write_text("{}")
    """
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{final.stem}-", suffix=final.suffix, dir=final.parent)
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        umask = os.umask(0)
        os.umask(umask)
        draft.chmod(0o666 & ~umask)
        os.replace(draft, final)
    finally:
        draft.unlink(missing_ok=True)


def existing(path: Path | str, what: str) -> Path:
    """Return the path of a file that must be there and hold something."""
    found = Path(path)
    if not found.exists():
        raise InputError(f"{found}: {what} was expected here, there is no such file")
    if found.is_dir():
        raise InputError(f"{found}: {what} was expected here, this is a folder")
    if found.stat().st_size == 0:
        raise InputError(f"{found}: {what} was expected here, the file is empty")
    return found
