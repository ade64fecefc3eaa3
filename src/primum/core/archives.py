"""NPZ archives and NPY arrays, of which every claim is held against the file before memory is asked for."""

from __future__ import annotations

import hashlib
import math
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from tokenize import TokenError
from typing import IO

import numpy as np
from numpy.lib import format as npy

from primum.core import files
from primum.core.arrays import Array
from primum.core.check import InputError

LARGEST = 16 * 2**30  # bytes of all arrays of an archive
DEFLATED = 1_100  # times, at most, that the compression of ZIP can make of its bytes
UNREADABLE = (
    zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, OSError, ValueError,
    RuntimeError, SyntaxError, TypeError, MemoryError, AttributeError, TokenError,
)  # fmt: skip


def shapes(path: Path | str, noun: str) -> Mapping[str, tuple[int, ...]]:
    """Name → shape of every array of an archive, from the headers alone.

    Raises:
        InputError: for what is no archive of arrays, arrays larger than what the file holds, objects, and
            more than 16 GiB in all.
    """
    place = files.existing(path, noun)
    headers: dict[str, tuple[int, ...]] = {}
    total = 0
    try:
        with zipfile.ZipFile(place) as archive:
            for entry in archive.infolist():
                if not entry.filename.endswith(".npy"):
                    raise ValueError(f"{entry.filename[:40]} is no array")
                with archive.open(entry) as member:
                    shape, kind, start = _header(member)
                size = math.prod(shape) * kind.itemsize
                if kind.hasobject:
                    raise InputError(f"{place.name}: numbers and text were expected, objects arrived")
                # a deflated entry of a few bytes may claim gigabytes, and memory is asked for by its claim
                if start + size > entry.file_size or entry.file_size > DEFLATED * (entry.compress_size + 64):
                    raise InputError(
                        f"{place.name}: the array {entry.filename[:-4][:40]} claims more than the file "
                        "holds; write it again"
                    )
                total += size
                headers[entry.filename.removesuffix(".npy")] = shape
    except InputError:
        raise
    except UNREADABLE as error:
        raise _unreadable(place, error) from None
    if total > LARGEST:
        raise InputError(
            f"{place.name}: arrays of at most {LARGEST // 2**30} GiB in all were expected, "
            f"{total / 2**30:.0f} GiB arrived; part the table"
        )
    return headers


def read(path: Path | str, noun: str, only: Sequence[str] = ()) -> dict[str, Array]:
    """Arrays of an archive by their names: all, or those of ``only`` that are there.

    Raises InputError as :func:`shapes` does.
    """
    place = files.existing(path, noun)
    # NumPy opens a lone NPY array and an NPZ alike, but only the latter has names
    if not zipfile.is_zipfile(place):
        with place.open("rb") as opened:
            single = opened.read(len(npy.MAGIC_PREFIX)) == npy.MAGIC_PREFIX
        if single:
            raise InputError(
                f"{place.name}: an archive of named arrays was expected, a single array arrived; write it "
                "with numpy.savez"
            )
    shapes(place, noun)
    try:
        with np.load(place, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files if not only or key in only}
    except UNREADABLE as error:
        raise _unreadable(place, error) from None


def write(draft: Path, arrays: Mapping[str, Array]) -> None:
    """Write arrays to a draft of :func:`primum.core.files.together`, whatever its name ends in."""
    with draft.open("wb") as opened:
        np.savez(opened, **arrays)  # type: ignore[arg-type]


def digest(arrays: Mapping[str, Array]) -> str:
    """``sha256:…`` of arrays, whatever their order and however they are stored.

    >>> digest({"a": np.zeros(2)}) == digest({"a": np.zeros(2)}) != digest({"a": np.zeros(3)})
    True
    """
    total = hashlib.sha256()
    for name in sorted(arrays):
        values = np.ascontiguousarray(arrays[name])
        # the type and shape too: the same bytes may be other numbers
        total.update(f"{name} {arrays[name].dtype.str} {arrays[name].shape} ".encode())
        total.update(values.tobytes())
    return f"sha256:{total.hexdigest()}"


def array(path: Path | str, noun: str) -> Array:
    """The array of an NPY file, mapped into memory and not read yet.

    Raises InputError for what is no array of numbers, or claims more than the file holds.
    """
    place = files.existing(path, noun)
    try:
        stored: Array = np.load(place, mmap_mode="r", allow_pickle=False)
        if stored.ndim == 0 or stored.dtype.kind not in "biuf":
            raise ValueError("it holds no numbers")
    except UNREADABLE:
        raise InputError(f"{place}: {noun} was expected here, an array of numbers, this is none") from None
    return stored


def cached(path: Path) -> dict[str, Array] | None:
    """Arrays of an archive of ours that can be made again; None where it is not there or damaged."""
    if not path.exists():
        return None
    try:
        return read(path, "stored arrays")
    except InputError:
        return None


def _header(member: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[np.generic], int]:
    """Shape, type and length of the header of an array."""
    version = npy.read_magic(member)
    read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, kind = read_header(member)
    if any(side < 0 for side in shape):
        raise ValueError("a negative shape")
    return shape, kind, member.tell()


def _unreadable(place: Path, error: BaseException) -> InputError:
    reason = " ".join(str(error).split())[:80] or type(error).__name__
    return InputError(f"{place.name}: this is not a readable NPZ file ({reason}); write it with numpy.savez")
