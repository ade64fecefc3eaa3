"""Finished drafts take their final names: all at once, or as soon as anybody looks there again."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from primum.core import drafts
from primum.core.check import InputError

NOTE = "PRIMUM-UNFINISHED.txt"
EXPLAINED = (
    "Results are being exchanged here. If this file stays, that was interrupted and they may belong to "
    "different runs: the next primum that reads or writes here brings it to its end. Process:"
)
ACTIVE: set[Path] = set()  # folders in which another thread of this process exchanges files
PATIENCE, STEP = 5.0, 0.02  # seconds


def exchange(finals: Mapping[Path, Path]) -> None:
    """Give drafts, which are on the disk whole, their final names.

    A note says for the moment between the first name and the last what is to be done; a killed writer leaves
    it for :func:`settle`.

    Where one of them cannot take its name, or Ctrl-C comes in between, what was replaced is put back.
    """
    folders: dict[Path, dict[str, str]] = {}
    for draft, final in finals.items():
        folders.setdefault(final.parent, {})[draft.name] = final.name
    for folder in folders:
        settle(folder)
    noted = [
        folder for folder, names in folders.items() if len(names) > 1 and not (folder / NOTE).exists()
    ]  # one of somebody else stays
    backups: dict[Path, Path] = {}
    ACTIVE.update(folders)
    try:
        for folder in noted:
            _write_note(folder, folders[folder])
        for draft, final in finals.items():
            if len(finals) > 1 and final.exists():
                backups[final] = _backup(final)
            # the one step a kill cannot cut in half: before it the old file stands, after it the new
            os.replace(draft, final)
    except BaseException:
        for draft, final in finals.items():
            if draft.exists():  # it had not taken its name
                continue
            if final in backups:
                os.replace(backups[final], final)
            # it had taken its name where nothing stood before
            elif len(finals) > 1:
                final.unlink(missing_ok=True)
        raise
    finally:
        for folder in folders:
            sync(folder)
        for folder in noted:
            (folder / NOTE).unlink(missing_ok=True)
        ACTIVE.difference_update(folders)
        for copy in backups.values():
            drafts.end(copy)


def settle(folder: Path) -> None:
    """Bring an exchange to its end that a killed writer left in a folder; wait for a living one.

    Raises InputError where that is not possible, as the folder may not be written to.
    """
    if folder in ACTIVE:
        return
    note = folder / NOTE
    until = time.monotonic() + PATIENCE
    while (writer := _writer(note)) is not None:
        if drafts.is_alive(writer) and time.monotonic() < until:
            time.sleep(STEP)
            continue
        try:
            for line in note.read_text(encoding="utf-8").splitlines()[2:]:
                draft, _, final = line.partition("\t")
                # a note may come from anywhere: it moves drafts of ours within its folder, nothing else
                if drafts.is_draft(draft) and (folder / draft).is_file() and Path(final).name == final:
                    os.replace(folder / draft, folder / final)
            note.unlink(missing_ok=True)
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"{folder}: writing results here was interrupted and they may belong to different runs, "
                f"bringing that to its end failed ({error.__class__.__name__}); run their command again"
            ) from None


def sync(path: Path) -> None:
    """Have the disk hold what was written; some file systems cannot do that for folders."""
    handle = os.open(path, os.O_RDONLY)
    try:
        if path.is_dir():
            with suppress(OSError):
                os.fsync(handle)
        else:
            os.fsync(handle)
    finally:
        os.close(handle)


def _write_note(folder: Path, names: Mapping[str, str]) -> None:
    """Write the note whole: a reader must never see half of it."""
    lines = [EXPLAINED, str(os.getpid()), *(f"{draft}\t{final}" for draft, final in names.items())]
    draft = drafts.begin(folder / NOTE)
    draft.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sync(draft)
    os.replace(draft, folder / NOTE)
    drafts.end(draft)
    sync(folder)


def _writer(note: Path) -> int | None:
    """Process that wrote a note of ours; None where there is none."""
    if not note.is_file():  # whatever else bears that name, a pipe perhaps
        return None
    try:
        lines = note.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    return int(lines[1]) if lines[:1] == [EXPLAINED] and lines[1:2] and lines[1].isdecimal() else None


def _backup(final: Path) -> Path:
    copy = drafts.begin(final)
    try:
        os.unlink(copy)
        os.link(final, copy)
    except OSError:  # a file system without links
        shutil.copyfile(final, copy)
    return copy
