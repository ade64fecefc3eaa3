"""A plain tree with one folder per class, with or without official splits above them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from primum.core.arrays import Strings
from primum.core.check import InputError, shorten
from primum.data.images import ImageTable, files_of, ordered
from primum.data.sets.data_set import OWN, DataSet
from primum.data.split import completed, hashed

SPLIT_NAMES = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "cal": "cal",
    "calibration": "cal", "test": "test", "testing": "test",
}  # fmt: skip


def load(root: Path | None, seed: int) -> ImageTable:
    """Images of ``root/CLASS/*`` or ``root/SPLIT/CLASS/*``; each image is its own patient.

    Splits named by folders (train, val, cal, test, in any case, also Training or Testing) stay as they are.
    Where only train and test are given, val and cal are cut from train; without folders all four are, by a
    hash of each path: images that are added later move no other.

    Raises:
        InputError: for a missing folder, or one that holds fewer than two class folders.
    """
    if root is None or not root.is_dir():
        raise InputError(f"{root}: a folder with one sub-folder per class was expected here, there is none")
    rows = []
    for folder in _folders(root):
        split = SPLIT_NAMES.get(folder.name.lower())
        for kind in _folders(folder) if split else [folder]:
            rows += [(kind.name, split, str(file.relative_to(root))) for file in files_of(kind)]
    if not rows:
        raise InputError(f"{root}: folders of images, one per class, were expected here, no image was found")
    labels = np.array([row[0] for row in rows])
    classes = tuple(sorted(set(labels.tolist())))
    if len(classes) < 2:
        raise InputError(
            f"{root}: at least two class folders with images are needed, found {shorten(classes)}"
        )
    official = np.array([row[1] or "" for row in rows])
    if (official == "").any() and (official != "").any():
        raise InputError(
            f"{root}: either every class folder lies in a split folder or none does, both arrived"
        )
    paths = np.array([row[2] for row in rows])
    cases = pl.DataFrame({"id": paths, "label": labels, "patient": paths}).with_columns(
        pl.lit(None, pl.String).alias("site"),
        pl.Series("split", splits(paths, official, seed)),
        path=pl.col("id"),
    )
    return ImageTable("folder", classes, cases, root)


def splits(groups: Strings, official: Strings, seed: int) -> list[str]:
    """Official splits where ``official`` names them; the others are cut by hash, since a folder may grow."""
    return completed(official, lambda rows, twentieths: hashed(groups[rows], seed, twentieths))


def _folders(root: Path) -> list[Path]:
    return ordered(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))


DATA_SET = DataSet(
    {"folder": load},
    summary=OWN,
    classes=(),
    needs="CLASS/*, or SPLIT/CLASS/*",
    licence=OWN,
    severity=None,
    patients=False,
    own_images=True,
)
