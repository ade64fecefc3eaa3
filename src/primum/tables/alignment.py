"""Tables of several models put into one order of cases and classes, or refused with the first difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from primum.core import check
from primum.core.check import InputError
from primum.predictions import Predictions
from primum.tables.selection import reordered


def aligned(members: Sequence[Predictions]) -> list[Predictions]:
    """The members with rows and classes in the order of the first.

    Raises:
        InputError: for fewer than two, and for the first difference in cases, labels, classes or patients, or
            when two give the same answers throughout.
    """
    if len(members) < 2:
        raise InputError(f"at least 2 members are needed, {len(members)} arrived")
    first = members[0]
    tables = [first, *(onto(first, member, complete=True) for member in members[1:])]
    for at, table in enumerate(tables):
        for earlier in tables[:at]:
            if np.array_equal(table.log_probs, earlier.log_probs):
                raise InputError(
                    f"{earlier.name} and {table.name}: members must be different models, these two give the "
                    "same probabilities for every case; leave one out"
                )
    patients = next((member.patients for member in tables if member.patients is not None), None)
    if first.patients is None and patients is not None:
        tables = [replace(member, metadata=_with(member.metadata, patients)) for member in tables]
    return tables


def onto(first: Predictions, member: Predictions, complete: bool = False) -> Predictions:
    """The rows of a member that ``first`` has, in its order of rows and classes.

    Args:
        first: the table to follow.
        member: has every case of ``first``, with the same label, among the same classes.
        complete: refuse further cases too.

    Raises:
        InputError: naming the first difference by its row; no id is printed, it may name a patient.
    """
    where = f"{first.name} and {member.name}"
    check.same_classes(member.classes, first.classes, member.name, first.name)
    place = {name: row for row, name in enumerate(member.ids.to_list())}
    rows = np.array([place.get(name, -1) for name in first.ids.to_list()])
    if (rows < 0).any():
        raise InputError(
            f"{where}: members must answer the same cases, {int((rows < 0).sum())} of {first.name} are not "
            f"in {member.name}, the first in row {int(np.argmax(rows < 0)) + 1}; predict the same with both"
        )
    if complete and len(member) > len(first):
        extra = np.setdiff1d(np.arange(len(member)), rows)
        raise InputError(
            f"{where}: members must answer the same cases, {len(extra)} of {member.name} are not in "
            f"{first.name}, the first in row {int(extra[0]) + 1}; predict the same with both"
        )
    table = reordered(member.take(rows), first.classes)
    differs = table.labels != first.labels
    if differs.any():
        row = int(np.argmax(differs))
        names = [(*first.classes, "no label")[label] for label in (first.labels[row], table.labels[row])]
        raise InputError(
            f"{where}: members need the same labels, {int(differs.sum())} cases differ, first row {row + 1} "
            f"of {first.name} with {names[0]} against {names[1]}; use one reference"
        )
    if first.patients is not None and table.patients is not None:
        moved = (first.patients != table.patients).to_numpy()
        if moved.any():
            raise InputError(
                f"{where}: the patients of {int(moved.sum())} cases differ, first in row "
                f"{int(np.argmax(moved)) + 1} of {first.name}; use one list of patients"
            )
    return table


def called(paths: Sequence[Path | str]) -> list[str]:
    """Names that tell files apart: what is not common to all their paths, ``runs/a/p.parquet`` → ``a``.

    >>> called(["runs/a/p.parquet", "runs/b/p.parquet"])
    ['a', 'b']
    """
    parts = [Path(path).with_suffix("").parts if Path(path).name else (str(path),) for path in paths]
    while min(map(len, parts)) > 1 and len({part[-1] for part in parts}) == 1:
        parts = [part[:-1] for part in parts]
    while min(map(len, parts)) > 1 and len({part[0] for part in parts}) == 1:
        parts = [part[1:] for part in parts]
    ends = [part[-1] for part in parts]
    return ends if len(set(ends)) == len(ends) else ["/".join(part) for part in parts]


def _with(metadata: pl.DataFrame, patients: pl.Series) -> pl.DataFrame:
    named = patients.alias("patient")
    return metadata.with_columns(named) if metadata.width else pl.DataFrame([named])
