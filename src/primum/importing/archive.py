"""One array of numbers out of an NPZ file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from primum import check, files
from primum.check import InputError
from primum.tables import UNREADABLE_ARCHIVE


def stored(path: Path, *keys: str) -> NDArray[Any]:
    """The first array of these names in an archive, by default its only one.

    Raises InputError for a file that is no such archive, is damaged, or holds objects or text.
    """
    files.existing(path, "an NPZ archive")
    try:
        with np.load(path, allow_pickle=False) as archive:
            names = list(archive.files)
            key = next(
                (one for one in keys if one in names), names[0] if not keys and len(names) == 1 else None
            )
            if key is not None:
                return check.numbers(archive[key], path.name, "its values")
    except InputError:
        raise
    except (*UNREADABLE_ARCHIVE, AttributeError, TypeError):
        raise InputError(
            f"{path.name}: this is not a readable NPZ file of numbers; write it with numpy.savez"
        ) from None
    raise InputError(
        f"{path.name}: {' or '.join(('an array named ' + keys[0], *keys[1:])) if keys else 'a single array'} "
        f"was expected, it holds {check.shorten(names) or 'none'}"
    )
