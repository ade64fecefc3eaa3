"""Rows of each value of a column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from primum import check
from primum.check import InputError

MOST_VALUES = 100


def groups(metadata: pl.DataFrame, by: Sequence[str]) -> list[tuple[str, NDArray[Any]]]:
    """``("column=value", row numbers)`` for every value of every column, values in order.

    An empty cell is the value ``(missing)``. Raises InputError for an unknown column and for one with more
    than 100 values, which is a measurement to be binned first.
    """
    found = []
    for column in by:
        if column not in metadata.columns:
            raise InputError(
                f"--by {column}: the table has no such column{check.nearest(column, metadata.columns)}; "
                f"it has {check.shorten(metadata.columns, 12) or 'no metadata'}"
            )
        text = metadata[column].cast(pl.String).fill_null("(missing)")
        values = text.unique().sort().to_list()
        if len(values) > MOST_VALUES:
            raise InputError(
                f"--by {column}: at most {MOST_VALUES} groups can be judged, {len(values)} values arrived; "
                "bin the column first"
            )
        for value in values:
            found.append((f"{column}={value}", np.flatnonzero((text == value).to_numpy())))
    return found
