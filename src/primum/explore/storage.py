"""Arrays that stay between two starts: written whole; ``archives.cached`` checks them when they are read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from primum.core import files
from primum.core.arrays import Array
from primum.core.check import InputError


def default_cache() -> Path:
    """Folder of what is kept: ``primum`` in the user's cache folder ($XDG_CACHE_HOME, else ~/.cache)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "primum"


def store(file: Path, arrays: Mapping[str, Array]) -> bool:
    """Write arrays by name; False where the folder cannot be written to."""
    try:
        with files.whole(file) as draft, draft.open("wb") as opened:
            np.savez(opened, **arrays)  # type: ignore[arg-type]
    except (OSError, InputError):
        return False
    return True
