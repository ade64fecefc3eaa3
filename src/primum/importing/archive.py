"""One array of numbers out of an NPZ file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from primum import check, files
from primum.check import InputError
from primum.tables import UNREADABLE_ARCHIVE


def stored(path: Path, key: str = "arr_0") -> NDArray[Any]:
    """The array ``key`` of an archive; ``arr_0`` is what NumPy calls an array stored without a name.

    Raises InputError for a file that is no such archive, is damaged, or holds objects or text.
    """
    files.existing(path, "an NPZ archive")
    try:
        with np.load(path, allow_pickle=False) as archive:
            names = list(archive.files)
            if key in names or (key == "arr_0" and len(names) == 1):
                array = archive[key if key in names else names[0]]
                return check.numbers(array, path.name, "its values")
    except InputError:
        raise
    except (*UNREADABLE_ARCHIVE, AttributeError, TypeError):
        raise InputError(
            f"{path.name}: this is not a readable NPZ file of numbers; write it with numpy.savez"
        ) from None
    raise InputError(
        f"{path.name}: an array named {key} was expected, it holds {check.shorten(names) or 'none'}"
    )
