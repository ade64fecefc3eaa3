"""Who is in a set of rows: classes, age, sex and origin, where the table has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from primum.core.arrays import Integers

PEOPLE = ("age", "sex", "gender", "ethnicity", "race", "skin_type")
PLACES = ("site", "centre", "center", "hospital", "institution", "device", "scanner")
MEASURED = ("age",)
MOST_VALUES = 12


def partition(
    labels: Integers, classes: Sequence[str], metadata: pl.DataFrame, patients: pl.Series | None
) -> dict[str, Any]:
    """Count cases, patients, classes and characteristics of labelled rows.

    Args:
        labels: (N,) class indices. classes: K names. metadata: N rows. patients: (N,) or None.

    Returns:
        ``n``, ``patients`` (or None), ``classes`` (name → cases) and ``characteristics``: a list of
        ``column``, ``kind`` (``people`` or ``place``), ``missing`` cases, and either ``values`` (value →
        cases, the most frequent first, at most 12, the cases of the others in ``others``) or, for an age,
        ``median``, ``low`` and ``high`` (quartiles) in the unit of the column. Columns are found by
        their names: age, sex, gender, ethnicity, race, skin_type; site, centre, center, hospital,
        institution, device, scanner. Empty columns are left out. Cases are counted, not patients.
    """
    counts = np.bincount(labels, minlength=len(classes))
    return {
        "n": len(labels),
        "patients": None if patients is None else int(patients.n_unique()),
        "classes": {name: int(count) for name, count in zip(classes, counts, strict=True)},
        "characteristics": [
            {"column": column, "kind": kind, **counted}
            for kind, names in (("people", PEOPLE), ("place", PLACES))
            for column in metadata.columns
            if column.lower() in names and (counted := _characteristic(metadata[column])) is not None
        ],
    }


def _characteristic(values: pl.Series) -> dict[str, Any] | None:
    stated = values.drop_nulls()
    if stated.dtype.is_nested() or stated.dtype == pl.Binary:
        return None
    stated = stated.filter(stated.cast(pl.String) != "")
    if stated.dtype.is_float():
        stated = stated.drop_nans()
    if not len(stated):
        return None
    missing = len(values) - len(stated)
    if values.name.lower() in MEASURED:
        numbers = stated.cast(pl.Float64, strict=False)
        if numbers.null_count() == 0 and bool(numbers.is_finite().all()):
            low, median, high = np.quantile(numbers.to_numpy(), (0.25, 0.5, 0.75)).tolist()
            return {"missing": missing, "median": median, "low": low, "high": high}
    counted = (
        stated.cast(pl.String)
        .alias("value")
        .value_counts()
        .sort(["count", "value"], descending=[True, False])
    )
    frequent = counted.head(MOST_VALUES)
    return {
        "missing": missing,
        "values": dict(zip(frequent["value"].to_list(), frequent["count"].to_list(), strict=True)),
        "others": int(counted["count"].sum()) - int(frequent["count"].sum()),
    }
