"""MedMNIST v2 (Yang et al., 2023): small images of many kinds, official splits, no patient numbers.

Names of data sets: ``medmnist_<set>`` for 28 × 28 pixels, ``medmnist_<set>_<size>`` for 64, 128 or 224.
Nothing is downloaded here: the folder must hold the released file (``pathmnist.npz``, ``pathmnist_64.npz``).
Class names come from the package medmnist. DermaMNIST has lesions of HAM10000 in several official splits
(Abhishek et al., 2024): use ``ham10000`` for figures that count.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from primum.core import archives
from primum.core.arrays import Bytes, Integers
from primum.core.check import InputError, MissingExtraError
from primum.data.images import ImageTable, at_root
from primum.data.sets.data_set import DataSet

PREFIX = "medmnist_"
SETS = (
    "pathmnist", "dermamnist", "octmnist", "pneumoniamnist", "retinamnist", "breastmnist", "bloodmnist",
    "tissuemnist", "organamnist", "organcmnist", "organsmnist",
)  # fmt: skip
SIZES = (28, 64, 128, 224)
SPLITS = ("train", "val", "test")
CALIBRATION = 5  # one case in so many of train


def load(flag: str, size: int, root: Path | None, seed: int) -> ImageTable:
    """One set at one size; train, val and test stay as released, cal is a fifth of train, class by class.

    Each image counts as a patient of its own. All pixels are held in memory: n × size × size × 3 bytes,
    16 GB for PathMNIST at 224.

    Args:
        flag: name of the set, one of :data:`SETS`.
        size: 28, 64, 128 or 224 pixels.
        root: folder that holds the ``.npz``, or that holds such a folder under the name medmnist.
        seed: of the cut of cal.

    Raises:
        InputError: when the file is not there, or holds something else.
        MissingExtraError: without the package medmnist.
    """
    stem = flag if size == SIZES[0] else f"{flag}_{size}"
    file = f"{stem}.npz"
    classes = _classes(flag)
    folder = at_root(root or Path(), "medmnist", file)
    images, labels = _arrays(folder / file, size, len(classes))
    split = np.repeat(SPLITS, [len(images[name]) for name in SPLITS]).astype(object)
    index = np.concatenate([labels[name] for name in SPLITS])
    rng = np.random.default_rng(seed)
    for k in range(len(classes)):
        rows = rng.permutation(np.flatnonzero((split == "train") & (index == k)))
        split[rows[: len(rows) // CALIBRATION]] = "cal"
    pixels = np.empty((len(index), size, size, 3), dtype=np.uint8)
    start = 0
    for name in SPLITS:
        part = images.pop(name)
        pixels[start : start + len(part)] = part if part.ndim == 4 else part[..., None]
        start += len(part)
    ids = [f"{stem}-{name}-{row:06d}" for name in SPLITS for row in range(len(labels[name]))]
    cases = pl.DataFrame(
        {
            "id": ids,
            "label": np.array(classes)[index],
            "patient": ids,
            "site": pl.Series([None] * len(ids), dtype=pl.String),
            "split": split.astype(str),
            "path": pl.Series([None] * len(ids), dtype=pl.String),
        }
    )
    return ImageTable(f"{PREFIX}{stem}", classes, cases, None, pixels)


def suitable(name: str) -> None:
    """Say why a set of MedMNIST that is not among :data:`SETS` is none of ours.

    Raises:
        InputError: for the multi-label set and the volumes.
    """
    flag = name.removeprefix(PREFIX)
    if flag.startswith("chestmnist"):
        raise InputError(
            f"data set {name}: one label per image is expected, ChestMNIST has several; "
            "audit each finding as a table of its own, or use chest_xray"
        )
    if "mnist3d" in flag:
        raise InputError(f"data set {name}: images of two dimensions are expected, this is a set of volumes")


def _classes(flag: str) -> tuple[str, ...]:
    try:
        from medmnist import INFO
    except ImportError:
        raise MissingExtraError(
            "the class names of MedMNIST need its package: pip install 'primum[medmnist]'"
        ) from None
    names: dict[str, str] = INFO[flag]["label"]
    return tuple(names[str(k)] for k in range(len(names)))


def _arrays(path: Path, size: int, k: int) -> tuple[dict[str, Bytes], dict[str, Integers]]:
    """Images (n, size, size) or (n, size, size, 3) and labels (n,) of each split."""
    keys = [f"{name}_{part}" for name in SPLITS for part in ("images", "labels")]
    stored = archives.read(path, "a MedMNIST archive", keys)
    if len(stored) < len(keys) or any(array.ndim == 0 for array in stored.values()):
        raise InputError(
            f"{path.name}: train, val and test images and labels were expected, the file does not hold them "
            "or is damaged; download it again"
        )
    images = {name: stored[f"{name}_images"] for name in SPLITS}
    labels = {name: stored[f"{name}_labels"] for name in SPLITS}
    for name in SPLITS:
        n = len(labels[name])
        if images[name].shape not in ((n, size, size), (n, size, size, 3)) or images[name].dtype != np.uint8:
            raise InputError(
                f"{path.name}: {name}_images must be {n} images of {size} × {size} pixels in 8 bits, "
                f"{'×'.join(map(str, images[name].shape))} of {images[name].dtype} arrived"
            )
        index = labels[name]
        shaped = index.dtype.kind in "iu" and index.shape in ((n,), (n, 1))
        if not shaped or ((index < 0) | (index >= k)).any():
            raise InputError(f"{path.name}: {name}_labels must be one class index below {k} for each image")
    return images, {name: index.reshape(-1).astype(np.int64) for name, index in labels.items()}


DATA_SET = DataSet(
    {
        f"{PREFIX}{flag}" + ("" if size == SIZES[0] else f"_{size}"): partial(load, flag, size)
        for flag in SETS
        for size in SIZES
    },
    summary="small images of many kinds",
    classes=(),
    needs="the released SET.npz or SET_SIZE.npz",
    licence="CC BY 4.0 (dermamnist: CC BY-NC 4.0), Yang et al. 2023",
    severity=None,
    patients=False,
)
