"""Paths that are read, refused where they are no files; outputs that are written whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from primum.core import drafts, exchange
from primum.core.check import InputError

KINDS = (
    (stat.S_ISDIR, "this is a folder"),
    (stat.S_ISFIFO, "this is a pipe"),
    (stat.S_ISSOCK, "this is a socket"),
    (lambda mode: stat.S_ISCHR(mode) or stat.S_ISBLK(mode), "this is a device"),
)
LOCK = ".lock"


def existing(path: Path | str, noun: str) -> Path:
    """The path of a file that must be there and hold something; ``noun`` says what it should be.

    Raises InputError for a folder, a pipe, a socket or a device too, none of which is opened.
    """
    place = Path(path)
    # before the file is looked at: a killed writer may have left it half exchanged
    exchange.settle(place.parent)
    status = _status(place, f"{place}: {noun} was expected here")
    if status is None:
        raise InputError(f"{place}: {noun} was expected here, there is no such file")
    for kind, words in KINDS:
        if kind(status.st_mode):
            raise InputError(f"{place}: {noun} was expected here, {words}")
    if status.st_size == 0:
        raise InputError(f"{place}: {noun} was expected here, the file is empty")
    if not os.access(place, os.R_OK):
        raise InputError(f"{place}: {noun} was expected here, you may not read this file")
    return place


def folder(path: Path | str, noun: str) -> Path:
    """The path of a folder that must be there; ``noun`` is what it should be, for the sentence."""
    place = Path(path)
    status = _status(place, f"{place}: {noun} was expected here")
    if status is None or not stat.S_ISDIR(status.st_mode):
        arrived = "there is no such folder" if status is None else "this is a file"
        raise InputError(f"{place}: {noun} was expected here, {arrived}")
    return place


def real(path: Path | str) -> Path:
    """The absolute path with its links followed, as far as they lead anywhere; a circle of links stays."""
    return Path(os.path.realpath(path))


def replaceable(path: Path | str) -> Path:
    """The path of a file that may be written, links followed; nothing is touched yet.

    Raises InputError where a folder, a pipe, a socket or a device stands there, or its folder cannot be
    written to.
    """
    place = Path(path)
    status = _status(place, f"{place}: a file is to be written here")
    place = place.resolve() if place.is_symlink() else place
    for kind, words in KINDS:
        if status is not None and kind(status.st_mode):
            raise InputError(f"{place}: a file is to be written here, {words}; name another place")
    above = _standing(place.parent)
    if not above.is_dir():
        raise InputError(f"{place}: a file is to be written here, {above} is no folder; name another place")
    if not os.access(above, os.W_OK | os.X_OK):
        raise InputError(f"{place}: a file is to be written here, {above} may not be written to")
    return place


def bare(path: Path, *names: str) -> bool:
    """Whether a folder holds nothing but a lock, what killed writers left, and files named ``names``.

    True also where it is not there.
    """
    if not path.exists():
        return True
    exchange.settle(path)
    expected = (LOCK, *names)
    return path.is_dir() and all(name in expected or drafts.is_draft(name) for name in os.listdir(path))


def set_aside(path: Path) -> Path:
    """Rename a folder to the next free ``NAME.damaged-N``, so that nothing in it is lost; its new path."""
    number = 1
    while (place := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    return path.rename(place)


def remove(path: Path, *patterns: str) -> None:
    """Remove the files of a folder that match, and the folder where nothing else is in it."""
    for pattern in patterns:
        for file in path.glob(pattern):
            if file.is_file() or file.is_symlink():
                file.unlink(missing_ok=True)
    with suppress(OSError):
        path.rmdir()


@contextmanager
def whole(path: Path | str) -> Iterator[Path]:
    """Give a temporary path beside ``path``; it takes the final name only if the block ends well.

    What was there is replaced only after the new file is on the disk, so that a loss of power leaves one of
    the two.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with whole(Path(folder) / "audit.json") as draft:
    ...         length = draft.write_text("{}")
    ...     os.listdir(folder)
    ['audit.json']
    """
    with together([path]) as opened:
        yield next(iter(opened.values()))


@contextmanager
def together(paths: Sequence[Path | str]) -> Iterator[Mapping[Path | str, Path]]:
    """Give a temporary path for each of ``paths``; all take their final names, or none does.

    Should the program be killed between the first name and the last, :func:`primum.core.exchange.settle`
    gives the rest of them when anybody next reads or writes there.
    """
    finals = {path: replaceable(path) for path in paths}
    if len(set(finals.values())) < len(finals):
        raise InputError("two outputs have one name; name different files")
    with ExitStack() as opened:
        parts: dict[Path | str, Path] = {}
        for path, final in finals.items():
            final.parent.mkdir(parents=True, exist_ok=True)
            parts[path] = drafts.begin(final)
            opened.callback(drafts.end, parts[path])
        yield parts
        # drafts are made for their owner alone; a umask can only be read by setting it
        umask = os.umask(0)
        os.umask(umask)
        for draft in parts.values():
            draft.chmod(0o666 & ~umask)
            exchange.sync(draft)
        # asked again: a link or a folder may have come to stand there while the block ran
        exchange.exchange({parts[path]: replaceable(path) for path in paths})


def _status(path: Path, refusal: str) -> os.stat_result | None:
    """What stands at a path, links followed; None for nothing."""
    try:
        # a name that is no UTF-8 would break every sentence and file that repeats it
        str(path).encode()
        return path.stat()
    except FileNotFoundError:
        return None
    except UnicodeEncodeError:
        raise InputError(f"{refusal}, its name is not UTF-8; rename it") from None
    except NotADirectoryError:
        raise InputError(f"{refusal}, {_standing(path)} is a file and no folder") from None
    except (OSError, ValueError) as error:  # a circle of links, a name too long, a null byte
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise InputError(f"{refusal}, it cannot be looked at ({reason})") from None


def _standing(path: Path) -> Path:
    """The nearest of a path and the folders above it that is there."""
    return next(place for place in (path, *path.parents, Path()) if os.path.lexists(place))
