"""A table of predictions taken apart: training rows, rows to fit on, and a domain for each shift."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from primum.core.check import InputError
from primum.explore.scene import Domain
from primum.predictions import Predictions

PLAIN = ("iid", "fit")  # kinds of rows that are not shifted, as a bench of scores names them
LEVELS = (1, 2, 3, 4, 5)


@dataclass(frozen=True, eq=False)
class TableParts:
    """What a table holds.

    Attributes:
        domains: rows to look at. fit: rows to read thresholds from, or None. train: training rows, or None.
    """

    domains: tuple[Domain, ...]
    fit: Predictions | None = None
    train: Predictions | None = None


def split_table(table: Predictions, name: str) -> TableParts:
    """The rows of a table by split and by shift.

    With a column ``split`` the test rows are looked at, cal (without any, val) rows are the fit rows, and
    train rows the training rows; a table without test rows is looked at whole. Rows of one ``shift`` and
    ``shift_level`` are a domain; rows without shift are the domain ``name``.

    Raises:
        InputError: for an intensity that is not a whole number from 1 to 5.

    >>> import numpy as np
    >>> import polars as pl
    >>> from primum.predictions import Predictions
    >>> metadata = pl.DataFrame({"shift": [None, "snow", "snow"], "shift_level": [None, 2, 1]})
    >>> logits = np.eye(2)[[0, 0, 1]]
    >>> table = Predictions(["x", "y", "z"], ("cat", "dog"), [0, 0, 0], logits, metadata=metadata)
    >>> [domain.name for domain in split_table(table, "test").domains]
    ['test', 'snow 1', 'snow 2']
    """
    if "split" not in table.metadata.columns:
        return TableParts(_domains(table, name))
    split = table.metadata["split"].fill_null("").to_numpy()
    if not (split == "test").any() or (split == "test").all():
        return TableParts(_domains(table, name))
    by_split = {role: table.take(split == role) for role in ("train", "val", "cal") if (split == role).any()}
    return TableParts(
        _domains(table.take(split == "test"), name),
        by_split.get("cal", by_split.get("val")),
        by_split.get("train"),
    )


def _domains(table: Predictions, name: str) -> tuple[Domain, ...]:
    if "shift" not in table.metadata.columns:
        return (Domain(name, table),)
    shifts = pl.DataFrame({"shift": table.metadata["shift"].cast(pl.String), "level": _levels(table)})
    if "shift_kind" in table.metadata.columns:
        plain = table.metadata["shift_kind"].is_in(PLAIN).fill_null(False)
        shifts = shifts.with_columns(shift=shifts["shift"].set(plain, None))
    shifts = shifts.with_columns(level=pl.when(pl.col("shift").is_not_null()).then("level")).with_row_index(
        "row"
    )
    domains = []
    for (shift, level), rows in shifts.group_by("shift", "level", maintain_order=True):
        part = table.take(rows["row"].to_numpy())
        if shift is None:
            domains.append(Domain(name, part))
            continue
        at = None if level is None else int(level)
        domains.append(Domain(str(shift) if at is None else f"{shift} {at}", part, str(shift), at))
    return tuple(
        sorted(domains, key=lambda domain: (domain.shift is not None, domain.shift or "", domain.level or 0))
    )


def _levels(table: Predictions) -> pl.Series:
    """(N,) intensities, null where there is none."""
    if "shift_level" not in table.metadata.columns:
        return pl.Series([None] * len(table), dtype=pl.Int64)
    intensities = table.metadata["shift_level"]
    numbers = intensities.cast(pl.Float64, strict=False)
    wrong = intensities.is_not_null() & ~numbers.is_in([float(level) for level in LEVELS]).fill_null(False)
    if wrong.any():
        row = int(np.flatnonzero(wrong.to_numpy())[0])
        raise InputError(
            f"{table.name}: column shift_level must hold an intensity from 1 to 5 or nothing, "
            f"{intensities[row]!r} arrived in row {row + 1}"
        )
    return numbers.cast(pl.Int64)
