"""One array of numbers out of an NPZ file."""

from __future__ import annotations

from pathlib import Path

from primum.core import archives, check
from primum.core.arrays import Array
from primum.core.check import InputError


def stored(path: Path, *keys: str) -> Array:
    """The first array of these names in an archive, by default its only one.

    Raises InputError for a file that is no such archive, is damaged, or holds objects or text.
    """
    names = list(archives.shapes(path, "an NPZ archive"))
    key = next((name for name in keys if name in names), names[0] if not keys and len(names) == 1 else None)
    if key is not None:
        array = archives.read(path, "an NPZ archive", [key])[key]
        if array.ndim == 0:
            raise InputError(f"{path.name}: an array with one row per case was expected, one number arrived")
        return check.numbers(array, path.name, "its values")
    raise InputError(
        f"{path.name}: {' or '.join(('an array named ' + keys[0], *keys[1:])) if keys else 'a single array'} "
        f"was expected, it holds {check.shorten(names) or 'none'}"
    )
