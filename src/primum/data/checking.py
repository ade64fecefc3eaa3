"""Hold a data set against its release: counts, files, grey values, copies, patients in two splits."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from primum.core.arrays import Integers
from primum.data import copies, pixels, sets
from primum.data.split import leaks

if TYPE_CHECKING:
    from primum.data.copies import Copies
    from primum.data.images import ImageTable
    from primum.data.sets.data_set import Counts

SCHEMA = "primum.data_check/1"
SPLITS = ("train", "val", "cal", "test")
OFFICIAL = "official_split"


@dataclass(frozen=True, eq=False)
class Checked:
    """What a check found.

    Attributes:
        table: the images. content: what ``check.json`` holds (``docs/formats.md``).
        copies: a row per image that has copies, group by group; ``copies.csv``.
    """

    table: ImageTable
    content: dict[str, Any]
    copies: pl.DataFrame


def check(name: str, root: Path | str | None = None, seed: int = 0, *, bar: bool = False) -> Checked:
    """Load a data set and check it; arguments as of ``primum.data.sets.load``.

    Raises:
        InputError: when it cannot be loaded.
    """
    table = sets.load(name, root, seed)
    duplicates = copies.find(table, bar=bar)
    listed = copy_table(table, duplicates)
    split = table.cases["split"].to_numpy()
    groups = listed.group_by("group").first()
    content = {
        "schema": SCHEMA,
        "data": name,
        "seed": seed,
        "n": len(table),
        "fingerprint": table.fingerprint(),
        "splits": {split: int((table.cases["split"] == split).sum()) for split in SPLITS},
        "counts": counts(table, sets.official_counts(name)),
        "unreadable": [
            {"id": table.cases["id"][row], "path": table.cases["path"][row], "why": why}
            for row, why in duplicates.unreadable.items()
        ],
        "copies": {
            "groups": len(groups),
            "images": len(listed),
            "exact_groups": int((groups["kind"] == "exact").sum()),
            "conflicting_groups": int(groups["conflicting"].sum()),
        },
        "across": across(split, duplicates.group),
        "test_with_copies": with_copies(split, duplicates.group, "test"),
        "pixels": pixels.summary(pixels.measure(table, bar=bar), pixels.trained_on(table)),
        "patients": patients(table) if sets.data_set(name).patients else None,
    }
    content["verdict"] = verdict(content)
    return Checked(table, content, listed)


def counts(table: ImageTable, expected: Counts) -> list[dict[str, Any]]:
    """Images of each class and official split: found, and expected where the release states it.

    Where the table does not keep the official splits, all but test are pooled.
    """
    cases, official = table.cases, OFFICIAL in table.cases.columns
    split = cases[OFFICIAL if official else "split"]
    stated = dict(expected)
    if set(stated) == {"all"}:
        split = pl.Series(["all"] * len(cases))
    elif stated and not official:
        pooled_names = [name for name in stated if name != "test"]
        pooled = " + ".join(pooled_names) or "train"
        split = pl.Series(["test" if name == "test" else pooled for name in split])
        summed = {label: sum(stated[name].get(label, 0) for name in pooled_names) for label in table.classes}
        stated = {pooled: summed} | {name: stated[name] for name in stated if name == "test"}
    order = list(dict.fromkeys([*stated, *(name for name in SPLITS if (split == name).any())]))
    return [
        {
            "split": name,
            "class": label,
            "found": int(((split == name) & (cases["label"] == label)).sum()),
            "expected": stated.get(name, {}).get(label),
        }
        for name in order
        for label in table.classes
    ]


def with_copies(split: NDArray[np.object_], group: Integers, name: str) -> int:
    """Images of one split that have a copy in any other; arguments as of :func:`across`."""
    inside = split == name
    return int((inside & np.isin(group, group[~inside & (group >= 0)])).sum())


def across(split: NDArray[np.object_], group: Integers) -> list[dict[str, Any]]:
    """For every two splits that share copies: how many groups, and images of one with a copy in the other.

    Args:
        split: (N,) name of each image's split. group: (N,) as in ``copies.Copies``.
    """
    entries = []
    inside = {second: set(group[(split == second) & (group >= 0)].tolist()) for second in SPLITS}
    for first, second in combinations(SPLITS, 2):
        shared = inside[first] & inside[second]
        if shared:
            images = int(((split == second) & np.isin(group, list(shared))).sum())
            entries.append({"split": second, "other": first, "groups": len(shared), "images": images})
    return entries


def patients(table: ImageTable) -> dict[str, int]:
    """Patients, and how many of them stand in two splits, ours and the official ones; nobody is named."""
    numbers = {"n": table.cases["patient"].n_unique(), "in_two_splits": len(leaks(table.cases))}
    if OFFICIAL in table.cases.columns:
        as_released = table.cases.with_columns(split=pl.col(OFFICIAL))
        numbers["in_two_official_splits"] = len(leaks(as_released))
    return numbers


def verdict(content: dict[str, Any]) -> str:
    """One sentence: does a copy or a patient of a judged split stand among the images trained on?"""
    n, people = content["splits"]["test"], (content["patients"] or {}).get("in_two_splits", 0)
    twins = content["test_with_copies"]
    clauses = []
    if twins:
        have = "image has" if twins == 1 else "images have"
        clauses.append(f"the split leaks: {twins:,} test {have} a copy in train, val or cal, of {n:,}")
    if people:
        clauses.append(f"{people:,} {'patient stands' if people == 1 else 'patients stand'} in two splits")
    others = [entry for entry in content["across"] if entry["split"] != "test"]
    if not clauses and others:
        return "no test image has a copy outside test, but train, val and cal share copies among them"
    return "; ".join(clauses) or "no copy and no known patient stands in two splits"


def copy_table(table: ImageTable, duplicates: Copies) -> pl.DataFrame:
    """A row per image that has copies: ``group``, ``kind`` (exact or near), ``content``, what the image is.

    ``across``: the group stands in two splits. ``conflicting``: it stands under two labels. Groups that cross
    splits or labels come first.
    """
    columns = ["id", "path", "label", "split"] + [OFFICIAL] * (OFFICIAL in table.cases.columns)
    listed = (
        table.cases.select(columns)
        .with_columns(pl.Series("group", duplicates.group), pl.Series("content", duplicates.content))
        .filter(pl.col("group") >= 0)
        .with_columns(
            kind=pl.when(pl.col("content").n_unique().over("group") == 1)
            .then(pl.lit("exact"))
            .otherwise(pl.lit("near")),
            across=pl.col("split").n_unique().over("group") > 1,
            conflicting=pl.col("label").drop_nulls().n_unique().over("group") > 1,
        )
    )
    order = ["conflicting", "across", "group", "split", "id"]
    listed = listed.sort(order, descending=[True, True, False, True, False])
    return listed.select("group", "kind", "content", *columns, "across", "conflicting")
