"""Cut cases into train, val, cal and test so that no patient stands in two of them.

A data set that may grow is cut by hash (:func:`hashed`), so that no patient ever moves. A release that stays
as it is, is cut with its classes spread evenly (:func:`assign`), which needs to see all of it at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
import polars as pl

from primum.core.arrays import Bools, Strings
from primum.core.check import InputError
from primum.data.folds import stratified

PARTS = 20
WITH_TEST = {"val": 2, "cal": 4, "train": 14}
WITHOUT_TEST = {"test": 3, "val": 2, "cal": 3, "train": 12}


def assign(labels: Strings, groups: Strings, seed: int, twentieths: Mapping[str, int] = WITH_TEST) -> Strings:
    """Split of each case: whole groups, stratified by label, the same whatever the order of the rows.

    Args:
        labels, groups: (N,) class name and patient (or lesion) of each case.
        seed: of the cut.
        twentieths: split → how many of 20 parts it gets; 10 % val, 20 % cal, 70 % train by default.

    Raises:
        InputError: with fewer than 20 groups.
    """
    _enough(np.unique(groups))
    part = np.array(_parts(tuple(labels.tolist()), tuple(groups.tolist()), seed))
    of_part = [split for split, count in twentieths.items() for _ in range(count)]
    parts: Strings = np.array(of_part)[part]
    return parts


def hashed(groups: Strings, seed: int, twentieths: Mapping[str, int] = WITH_TEST) -> Strings:
    """Split of each case by a hash of its group alone: whatever else is there or comes later, it stays.

    The first 8 bytes of BLAKE2b of seed and group, read as a number in [0, 1), say into which of 20 equal
    parts the group falls. Shares of the groups, and of the groups of a class, are therefore those asked for
    within binomial noise: a rare class may be missing from a small split.

    Args:
        groups: (N,) patient (or image, where no patients are known) of each case.
        seed, twentieths: as of :func:`assign`.

    >>> patients = np.array([f"p{i}" for i in range(200)])
    >>> bool((hashed(patients, 0)[:150] == hashed(patients[:150], 0)).all())
    True

    Raises:
        InputError: with fewer than 20 groups, or when none falls into one of the splits.
    """
    names, index = np.unique(groups, return_inverse=True)
    _enough(names)
    # not hash(), which differs between two processes
    digests = (hashlib.blake2b(f"{seed} {name}".encode(), digest_size=8).digest() for name in names)
    # the top of 64 bits times 20, shifted down: equal parts without the bias of a modulo
    part = np.array([int.from_bytes(digest, "big") * PARTS >> 64 for digest in digests])
    of_part = np.array([split for split, count in twentieths.items() for _ in range(count)])[part]
    empty = [split for split in twentieths if split not in of_part]
    if empty:
        raise InputError(
            f"each split needs a patient (or image, where no patients are known), of {len(names)} none fell "
            f"into {empty[0]} with seed {seed}; take another seed, or give the splits yourself, as folders "
            "or a column split"
        )
    parts: Strings = of_part[index]
    return parts


def completed(official: Strings, cut: Callable[[Bools, Mapping[str, int]], Strings]) -> list[str]:
    """Official splits as they are; what is missing of val and cal is cut from train, or all four are.

    Args:
        official: (N,) official split of each case, empty in all of them where there is none.
        cut: splits of the cases at these (N,) rows, in these twentieths.
    """
    if (official == "").all():
        return [str(name) for name in cut(np.ones(len(official), dtype=bool), WITHOUT_TEST)]
    split = official.astype(object)
    absent = {name for name in ("val", "cal") if name not in official}
    pool = split == "train"
    if absent and pool.any():
        shares = {name: count for name, count in WITH_TEST.items() if name in absent or name == "train"}
        shares["train"] = PARTS - sum(count for name, count in shares.items() if name != "train")
        split[pool] = cut(pool, shares)
    return [str(name) for name in split]


def _enough(names: Strings) -> None:
    if len(names) < PARTS:
        raise InputError(
            f"splitting needs at least {PARTS} patients (or images, where no patients are known), "
            f"{len(names)} arrived; give the splits yourself, as folders or a column split"
        )


@lru_cache(maxsize=8)
def _parts(label_of: tuple[str, ...], group_of: tuple[str, ...], seed: int) -> tuple[int, ...]:
    """Which of the 20 parts each case falls into; kept, since many thousand groups take seconds."""
    labels, groups = np.array(label_of), np.array(group_of)
    # numbered by sorted name: folds must not depend on the order of the rows
    strata, index = (np.unique(names, return_inverse=True)[1] for names in (labels, groups))
    return tuple(stratified(strata, index, PARTS, seed).tolist())


def leaks(cases: pl.DataFrame) -> list[str]:
    """Patients that stand in more than one split.

    >>> leaks(pl.DataFrame({"patient": ["p1", "p1", "p2"], "split": ["train", "test", "test"]}))
    ['p1']
    """
    splits = cases.group_by("patient").agg(pl.col("split").n_unique().alias("splits"))
    return splits.filter(pl.col("splits") > 1)["patient"].sort().to_list()
