"""One writer at a time in a folder that is worked on for long."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from primum.core.check import InputError
from primum.core.files import LOCK

try:
    import fcntl

    HAS_LOCKS = True
except ImportError:  # Windows has no such locks
    HAS_LOCKS = False

STEP = 0.2  # seconds


@contextmanager
def alone(folder: Path, patience: float = 0.0) -> Iterator[None]:
    """Hold a folder while the block runs; the lock goes with the process, however that ends.

    Args:
        folder: made where it is not there. patience: seconds to wait for another writer, which may be ending.

    Raises:
        InputError: when another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file, until = folder / LOCK, time.monotonic() + patience
    while (handle := _locked(file)) is None:
        if time.monotonic() >= until:
            raise InputError(
                f"{folder}: another primum is writing here; wait until it ends, or name another folder"
            )
        time.sleep(STEP)
    try:
        yield
    finally:
        # removed while the lock is held: after it another holder may already stand on the same name
        file.unlink(missing_ok=True)
        os.close(handle)


def _locked(file: Path) -> int | None:
    """A handle that holds the lock, None where another process does."""
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    if not HAS_LOCKS:
        return handle
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # removed and made anew since it was opened: a lock on the old file would hold nobody off
        if os.path.samestat(os.fstat(handle), os.stat(file)):
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(handle)  # held, or the file of a holder that has just gone
    return None
