"""Arrays kept between two starts: written whole, checked when read, made anew where damaged."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from primum.core import archives, files
from primum.core.arrays import Array
from primum.core.check import InputError


def default_cache() -> Path:
    """Folder of what is kept: ``primum`` in the user's cache folder ($XDG_CACHE_HOME, else ~/.cache)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "primum"


def kept(file: Path) -> dict[str, Array] | None:
    """Arrays by name; None where there is no such file, or its checksums do not hold."""
    return archives.kept(file)


def keep(file: Path, arrays: Mapping[str, Array]) -> bool:
    """Write arrays by name; False where the folder cannot be written to."""
    try:
        with files.whole(file) as draft, draft.open("wb") as opened:
            np.savez(opened, **arrays)  # type: ignore[arg-type]
    except (OSError, InputError):
        return False
    return True
