"""BreaKHis (Spanhol et al., 2016): breast tumours under the microscope, benign or malignant, or 8 subtypes.

Everything known of an image stands in its file name. Names of data sets: ``breakhis`` (2 classes) and
``breakhis_subtypes`` (8), at all magnifications, or at one with ``_40x``, ``_100x``, ``_200x``, ``_400x``.
"""

from __future__ import annotations

import re
from functools import partial
from itertools import cycle
from pathlib import Path

import numpy as np
import polars as pl

from primum.core.arrays import Strings
from primum.core.check import InputError
from primum.data.images import ImageTable, at_root, ordered
from primum.data.sets.data_set import Counts, DataSet

BENIGN = ("A", "F", "PT", "TA")
MALIGNANT = ("DC", "LC", "MC", "PC")
CLASSES = {"breakhis": ("benign", "malignant"), "breakhis_subtypes": (*BENIGN, *MALIGNANT)}
MAGNIFICATIONS = (40, 100, 200, 400)
IMAGES = {  # images of each subtype at each magnification, as the release counts them
    "A": (114, 113, 111, 106),
    "F": (253, 260, 264, 237),
    "PT": (109, 121, 108, 115),
    "TA": (149, 150, 140, 130),
    "DC": (864, 903, 896, 788),
    "LC": (156, 170, 163, 137),
    "MC": (205, 222, 196, 169),
    "PC": (145, 142, 135, 138),
}
NAME = re.compile(r"SOB_(?:B_(?:A|F|PT|TA)|M_(?:DC|LC|MC|PC))-\d+-\d+[A-Z]*-(?:40|100|200|400)-\d+$")
DEAL = (
    "train", "test", "cal", "train", "val", "train", "train", "train", "test", "train",
    "cal", "train", "train", "val", "train", "train", "test", "cal", "train", "train",
)  # fmt: skip


def load(task: str, magnification: int | None, root: Path | None, seed: int) -> ImageTable:
    """The data set under ``root`` (``docs/methods.md#data-sets``): images are known by their
    names, however deep they lie.

    ``patient`` is year and slide, as the release counts its 82 patients (14-22549AB). Slides of one biopsy
    differ by letters only (14-22549AB, CD and G; 14-29960 has an adenosis and a fibroadenoma), so splits keep
    the ``biopsy`` (14-22549) together. It is dealt before the magnification is chosen: every variant has the
    same cut. Subtypes of few biopsies (adenosis has two) are not in every split, but all are in train.
    Patient 14-13412 is filed under both DC and LC.

    Args:
        task: ``breakhis`` or ``breakhis_subtypes``.
        magnification: 40, 100, 200, 400, or None for all.
        root: ``BreaKHis_v1``, or the folder that holds it.
        seed: of the cut; there is no official one.

    Raises:
        InputError: when there is no image, one is named otherwise, or one lies there twice.
    """
    folder = at_root(root or Path(), "BreaKHis_v1", "histology_slides")
    files = ordered((folder / "histology_slides").rglob("SOB_*.png"))
    if not files:
        raise InputError(
            f"{folder}: images named SOB_B_A-14-22549AB-40-001.png were expected, none was found"
        )
    for file in files:
        if not NAME.match(file.stem):
            raise InputError(f"breakhis: SOB_B_A-14-22549AB-40-001.png was expected, {file.name} arrived")
    part = pl.col("id").str.split("-").list
    cases = pl.DataFrame(
        {"id": [file.stem for file in files], "path": [str(file.relative_to(folder)) for file in files]}
    ).with_columns(
        part.slice(1, 2).list.join("-").alias("patient"),
        part.get(0).str.split("_").list.last().alias("subtype"),
        part.get(3).cast(pl.Int64).alias("magnification"),
        pl.lit(None, pl.String).alias("site"),
    )
    twice = cases.filter(pl.col("id").is_duplicated())
    if len(twice):
        raise InputError(f"{folder}: every image once was expected, {twice['id'][0]} lies there twice")
    cases = cases.with_columns(
        pl.col("patient").str.strip_chars_end("ABCDEFGHIJKLMNOPQRSTUVWXYZ").alias("biopsy")
    )
    side = pl.when(pl.col("subtype").is_in(BENIGN)).then(pl.lit("benign")).otherwise(pl.lit("malignant"))
    cases = cases.with_columns(
        pl.Series("split", deal(cases["subtype"].to_numpy(), cases["biopsy"].to_numpy(), seed)),
        (side if task == "breakhis" else pl.col("subtype")).alias("label"),
    )
    if magnification is not None:
        cases = cases.filter(pl.col("magnification") == magnification)
    return ImageTable(_name(task, magnification), CLASSES[task], cases, folder)


def deal(labels: Strings, groups: Strings, seed: int) -> Strings:
    """(N,) split of each case: groups dealt class by class, rarest class first, a train group first of all.

    With fewer groups of a class than parts, the greedy folds of :func:`primum.data.split.assign` put whole
    classes aside and hardly depend on the seed. Here the groups of each class, in random order, go to train,
    test, cal, train, val, … in turn: 60 % train, 15 % test, 10 % val, 15 % cal of many.
    """
    rng = np.random.default_rng(seed)
    split: dict[str, str] = {}
    members = {label: np.unique(groups[labels == label]) for label in np.unique(labels)}
    for label in sorted(members, key=lambda label: (len(members[label]), label)):
        free = [group for group in rng.permutation(members[label]) if group not in split]
        split |= dict(zip(free, cycle(DEAL)))
    return np.array([split[group] for group in groups])


def _name(task: str, magnification: int | None) -> str:
    return task if magnification is None else f"{task}_{magnification}x"


def counts(task: str, magnification: int | None) -> Counts:
    """Images of each class at a magnification, or at all of them (Spanhol et al., 2016).

    >>> counts("breakhis", 400)
    {'all': {'benign': 588, 'malignant': 1232}}
    """
    at = range(len(MAGNIFICATIONS)) if magnification is None else (MAGNIFICATIONS.index(magnification),)
    subtypes = {subtype: sum(images[k] for k in at) for subtype, images in IMAGES.items()}
    if task != "breakhis":
        return {"all": subtypes}
    sides = [sum(subtypes[subtype] for subtype in side) for side in (BENIGN, MALIGNANT)]
    return {"all": dict(zip(CLASSES[task], sides, strict=True))}


def _data_set(task: str) -> DataSet:
    variants = {_name(task, magnification): magnification for magnification in (None, *MAGNIFICATIONS)}
    return DataSet(
        {name: partial(load, task, magnification) for name, magnification in variants.items()},
        summary="breast tumours, microscopy",
        classes=CLASSES[task],
        needs="histology_slides of BreaKHis_v1",
        licence="stated with the release, Spanhol et al. 2016",
        severity=task,
        counts={name: counts(task, magnification) for name, magnification in variants.items()},
    )


DATA_SET = _data_set("breakhis")
SUBTYPES_DATA_SET = _data_set("breakhis_subtypes")
