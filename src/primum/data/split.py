"""Cut cases into train, val, cal and test so that no patient stands in two of them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from primum.check import InputError

PARTS = 20
WITH_TEST = {"val": 2, "cal": 4, "train": 14}
WITHOUT_TEST = {"test": 3, "val": 2, "cal": 3, "train": 12}


def assign(
    labels: NDArray[np.str_], groups: NDArray[np.str_], seed: int, twentieths: Mapping[str, int] = WITH_TEST
) -> NDArray[np.str_]:
    """Split of each case: whole groups, stratified by label, the same whatever the order of the rows.

    Args:
        labels, groups: (N,) class name and patient (or lesion) of each case.
        seed: of the cut.
        twentieths: split → how many of 20 parts it gets; 10 % val, 20 % cal, 70 % train by default.

    Raises:
        InputError: with fewer than 20 groups.
    """
    names, index = np.unique(groups, return_inverse=True)
    if len(names) < PARTS:
        raise InputError(
            f"splitting needs at least {PARTS} patients (or images, where no patients are known), "
            f"{len(names)} arrived; give the splits yourself as folders train, val, cal and test"
        )
    order = np.lexsort((labels, index))
    folds = StratifiedGroupKFold(n_splits=PARTS, shuffle=True, random_state=seed)
    part = np.empty(len(labels), dtype=np.int64)
    counts = np.unique(labels, return_counts=True)[1]
    strata = labels[order] if counts.max() >= PARTS else np.zeros(len(labels), dtype=np.int64)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        for number, (_, held) in enumerate(folds.split(np.zeros(len(labels)), strata, index[order])):
            part[order[held]] = number
    of_part = [split for split, count in twentieths.items() for _ in range(count)]
    return np.array(of_part)[part]


def leaks(cases: pl.DataFrame) -> list[str]:
    """Patients that stand in more than one split."""
    splits = cases.group_by("patient").agg(pl.col("split").n_unique().alias("splits"))
    return splits.filter(pl.col("splits") > 1)["patient"].sort().to_list()
