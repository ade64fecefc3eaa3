"""Rows of each value of a column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from primum.core import check, names
from primum.core.arrays import Array
from primum.core.check import InputError

MOST_VALUES = 100


def groups(metadata: pl.DataFrame, by: Sequence[str]) -> list[tuple[str, Array]]:
    """``("column=value", row numbers)`` for every value of every column, values in order.

    An empty cell is the value ``(missing)``. Raises InputError for an unknown column and for one with more
    than 100 values, which is a measurement to be binned first.
    """
    check_columns(metadata, by)
    rows = []
    for column in by:
        text = _text(metadata, column)
        for value in text.unique().sort().to_list():
            rows.append((f"{column}={value}", np.flatnonzero((text == value).to_numpy())))
    return rows


def check_columns(metadata: pl.DataFrame, by: Sequence[str]) -> None:
    """Refuse a column to group by that is not there, holds lists, or has more than 100 values."""
    for column in by:
        if column not in metadata.columns:
            raise InputError(
                f"--by {column}: the table has no such column{check.nearest(column, metadata.columns)}; "
                f"it has {check.shorten(metadata.columns, 12) or 'no metadata'}"
            )
        if metadata.schema[column].is_nested() or metadata.schema[column] == pl.Binary:
            raise InputError(
                f"--by {column}: a column of single values is needed, this one holds lists or bytes"
            )
        values = _text(metadata, column).n_unique()
        if values > MOST_VALUES:
            raise InputError(
                f"--by {column}: at most {MOST_VALUES} groups can be judged, {values} values arrived; "
                "bin the column first"
            )


def _text(metadata: pl.DataFrame, column: str) -> pl.Series:
    return names.settled(metadata[column]).fill_null("(missing)")
