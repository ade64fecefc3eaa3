"""Fit rows under tolerated changes: copies of the same cases that a promise and a veto are to cover too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from primum import tables
from primum.core import check
from primum.core.arrays import Bools, Integers
from primum.core.check import InputError
from primum.predictions import Predictions
from primum.tables.selection import reordered, stacked


@dataclass(frozen=True, eq=False)
class Copies:
    """The fit rows under one change.

    Attributes:
        change: ``gaussian_noise:1``. rows: with labels and metadata of the fit rows they are copies of.
        at: (M,) the fit row each is a copy of. train: training rows under the same change, or None.
    """

    change: str
    rows: Predictions
    at: Integers
    train: Predictions | None


def copies(
    tolerate: Sequence[str], changed: Sequence[Any], rows: Predictions, columns: Mapping[str, str] | None
) -> list[Copies]:
    """The copies of each tolerated change, looked up by the columns ``shift`` and ``shift_level`` of tables.

    Args:
        tolerate: changes, ``NAME:INTENSITY`` each, the level as it stands in the tables.
        changed: tables of changed images, whatever ``tables.read`` takes: copies of the fit rows under the
            same ids, and training rows, marked ``split=train``.
        rows: the fit rows. columns: our column name → the tables' own.

    Raises:
        InputError: for a change without copies of every fit row, copies of other labels or outputs, and
            tables of changes that are not tolerated.
    """
    if not tolerate and not changed:
        return []
    read = [_marked(tables.read(table, columns, classes=rows.classes)) for table in changed]
    known = {change for _, changes in read for change in changes}
    for change in tolerate:
        if change not in known:
            raise InputError(
                f"--tolerate {change}: copies of the fit rows under this change are needed, "
                f"{check.shorten(sorted(known)) or 'no changed table'} arrived; write them with primum "
                "predict --corrupt and name the file with --changed"
            )
    left = sorted(known - set(tolerate))
    if left:
        raise InputError(f"--changed: rows under {check.shorten(left)} are not tolerated; add --tolerate")
    return [_copies(change, read, rows) for change in dict.fromkeys(tolerate)]


def with_copies(train: Predictions, versions: Sequence[Copies]) -> Predictions:
    """Training rows with those under tolerated changes behind them.

    Raises InputError for a change without training rows.
    """
    for version in versions:
        if version.train is None:
            raise InputError(
                f"--tolerate {version.change}: a veto needs the training rows under this change too, none "
                "are marked split=train; write them with primum predict --split train --corrupt"
            )
    changed = [version.train for version in versions if version.train is not None]
    return stacked([train, *changed]) if changed else train


def _marked(table: Predictions) -> tuple[Predictions, set[str]]:
    """A table of changed images, and the changes in it."""
    columns = table.metadata.columns
    level = table.metadata["shift_level"].cast(pl.Float64, strict=False) if "shift_level" in columns else None
    if (
        "shift" not in columns
        or level is None
        or table.metadata["shift"].null_count()
        or not ((level % 1) == 0).fill_null(False).all()
    ):
        raise InputError(
            f"{table.name}: a table of changed images needs columns shift and shift_level, a whole number, "
            "in every row; write it with primum predict --corrupt"
        )
    return table, set(_changes(table))


def _changes(table: Predictions) -> list[str]:
    shift, level = table.metadata["shift"], table.metadata["shift_level"].cast(pl.Float64)
    return [f"{name}:{int(degree)}" for name, degree in zip(shift, level, strict=True)]


def _copies(change: str, read: Sequence[tuple[Predictions, set[str]]], rows: Predictions) -> Copies:
    of_fit, of_train = [], []
    for table, changes in read:
        if change not in changes:
            continue
        mine = table.take(np.array(_changes(table)) == change)
        trained = _trained(mine)
        of_fit += [mine.take(~trained)] if not trained.all() else []
        of_train += [mine.take(trained)] if trained.any() else []
    place = {name: row for row, name in enumerate(rows.ids)}
    known = sum(name in place for part in of_train for name in part.ids)
    if known:
        raise InputError(
            f"--tolerate {change}: training rows were expected, {known} of those marked split=train are fit "
            "rows; mark them as cal"
        )
    parts = [part.take(np.array([name in place for name in part.ids])) for part in of_fit]
    parts = [reordered(part, rows.classes) for part in parts if len(part)]
    covered = {name for part in parts for name in part.ids}
    if len(covered) < len(rows):
        raise InputError(
            f"--tolerate {change}: a copy of every fit row is needed, {len(covered)} of {len(rows)} have "
            "a copy; predict the whole calibration split under this change"
        )
    table = stacked(parts, renamed=False)
    at = np.array([place[name] for name in table.ids])
    if table.kind != rows.kind:
        raise InputError(
            f"--tolerate {change}: copies hold {table.kind}, the fit rows {rows.kind}; use alike"
        )
    if ((table.labels >= 0) & (table.labels != rows.labels[at])).any():
        raise InputError(
            f"--tolerate {change}: copies have other labels than the fit rows; use one reference"
        )
    metadata = rows.metadata[at] if rows.metadata.width else rows.metadata
    table = replace(table, labels=rows.labels[at], metadata=metadata)
    train = [reordered(part, rows.classes) for part in of_train]
    return Copies(change, table, at, stacked(train, renamed=False) if train else None)


def _trained(table: Predictions) -> Bools:
    if "split" not in table.metadata.columns:
        return np.zeros(len(table), dtype=np.bool_)
    return np.asarray((table.metadata["split"] == "train").fill_null(False).to_numpy(), dtype=np.bool_)
