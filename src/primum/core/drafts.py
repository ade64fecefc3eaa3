"""Drafts of files that are being written: named so that nobody takes them for results, cleared when left."""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path

# .primum-draft-PID-RANDOM-NAME; before, .STEM-RANDOM.SUFFIX, which says nothing of its writer.
NAMED = re.compile(r"\.primum-draft-(?P<pid>\d+)-[a-z0-9_]{8}-.+")
OLDER = re.compile(r"\.[^/]+-[a-z0-9_]{8}\.[A-Za-z0-9]+")
LONGEST = 100  # characters of a final name that its draft repeats, as names of files have an end
OPEN: set[Path] = set()  # of this process
CLEARED: set[Path] = set()  # folders that were looked through already, as they may hold many files


def begin(final: Path) -> Path:
    """An empty draft in the folder of ``final`` and with its ending; what killed writers left goes first."""
    if final.parent not in CLEARED:
        CLEARED.add(final.parent)
        clear(final.parent)
    # in the folder of the final file: a name is taken whole only within one file system
    prefix = f".primum-draft-{os.getpid()}-"
    handle, name = tempfile.mkstemp(prefix=prefix, suffix=f"-{final.name[-LONGEST:]}", dir=final.parent)
    os.close(handle)
    OPEN.add(Path(name))
    return Path(name)


def end(draft: Path) -> None:
    """Forget a draft, and remove it where it did not become the final file."""
    draft.unlink(missing_ok=True)
    OPEN.discard(draft)


def is_draft(name: str) -> bool:
    """Whether a file of that name is a draft of any version of this program."""
    return bool(NAMED.fullmatch(name) or OLDER.fullmatch(name))


def clear(folder: Path) -> None:
    """Remove the drafts of writers that are no more; a draft of unknown origin stays, as nobody reads it."""
    with suppress(OSError):
        for entry in os.scandir(folder):
            match = NAMED.fullmatch(entry.name)
            if match and Path(entry.path) not in OPEN and not is_alive(int(match["pid"])):
                with suppress(OSError):
                    os.unlink(entry.path)


def is_alive(pid: int) -> bool:
    """Whether another process than this one has a number."""
    if pid == os.getpid():  # in a container every writer may have had this number
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
