"""Cut cases into train, val, cal and test so that no patient stands in two of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from primum.check import InputError
from primum.data.folds import stratified

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
    names = np.unique(groups)
    if len(names) < PARTS:
        raise InputError(
            f"splitting needs at least {PARTS} patients (or images, where no patients are known), "
            f"{len(names)} arrived; give the splits yourself, as folders or a column split"
        )
    part = np.array(_parts(tuple(labels.tolist()), tuple(groups.tolist()), seed))
    of_part = [split for split, count in twentieths.items() for _ in range(count)]
    found: NDArray[np.str_] = np.array(of_part)[part]
    return found


@lru_cache(maxsize=8)
def _parts(label_of: tuple[str, ...], group_of: tuple[str, ...], seed: int) -> tuple[int, ...]:
    """Which of the 20 parts each case falls into; kept, since many thousand groups take seconds."""
    labels, groups = np.array(label_of), np.array(group_of)
    strata, index = (np.unique(names, return_inverse=True)[1] for names in (labels, groups))
    return tuple(stratified(strata, index, PARTS, seed).tolist())


def leaks(cases: pl.DataFrame) -> list[str]:
    """Patients that stand in more than one split."""
    splits = cases.group_by("patient").agg(pl.col("split").n_unique().alias("splits"))
    return splits.filter(pl.col("splits") > 1)["patient"].sort().to_list()
