"""Labels from a table of their own, joined to predictions by id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from primum import tables
from primum.core import check, columns, labels
from primum.core.check import InputError
from primum.predictions import Predictions


def with_labels(table: Predictions, truth: object, on: str | None = None) -> Predictions:
    """Predictions with the labels of a truth table: a file (CSV, Parquet) or a data frame.

    Its key is the column ``on``, else ``id`` or what is named almost so; its labels are a column ``label``,
    or one column of 0 and 1 for every class.

    Raises:
        InputError: for a missing or repeated key, no label of these cases, or other labels than the
            predictions have.
    """
    frame, where = _read(truth)
    frame, _ = columns.taken(frame, ("label",))
    key = _key(frame, on, where)
    ids = labels.text(frame[key], where)
    if ids.null_count() or ids.n_unique() < len(ids):
        raise InputError(
            f"{where}: column {key} must name every case once, {ids.null_count()} rows name none and "
            f"{len(ids) - int(ids.n_unique())} repeat a name; name the key with --on"
        )
    if "label" not in frame.columns and not labels.one_hot_columns(frame.columns, table.classes):
        option = columns.missing(frame.drop(key), ())
        hint = f"rename {option.partition('label=')[2]} to label" if "label=" in option else "name it label"
        raise InputError(
            f"{where}: a column label, or one column of 0 and 1 for every class "
            f"({check.shorten(table.classes)}), is needed, the columns are "
            f"{columns.titles(frame)}; {hint}"
        )
    true = labels.of_frame(frame, table.classes, where)
    place = dict(zip(ids.to_list(), range(len(ids)), strict=True))
    rows = np.array([place.get(name, -1) for name in table.ids.to_list()])
    if (rows < 0).all():
        raise InputError(
            f"{where}: labels of the cases of {table.name} were expected, none of its {len(table)} ids is in "
            f"column {key}; name the key with --on, and look for endings such as .jpg"
        )
    # row -1 reads the last label, which is dropped
    joined = np.where(rows >= 0, true[rows], -1)
    differ = (table.labels >= 0) & (joined >= 0) & (table.labels != joined)
    if differ.any():
        raise InputError(
            f"{where}: the labels of {int(differ.sum())} cases differ from those in {table.name}, first in "
            f"row {int(np.argmax(differ)) + 1}; use one reference"
        )
    notes = table.notes
    if (rows < 0).any():
        notes += (f"{int((rows < 0).sum())} cases have no row in the table of labels {where}",)
    if len(ids) > int((rows >= 0).sum()):
        notes += (
            f"{len(ids) - int((rows >= 0).sum())} rows of the table of labels {where} are of other cases",
        )
    return replace(table, labels=np.where(joined >= 0, joined, table.labels), notes=notes)


def _read(truth: object) -> tuple[pl.DataFrame, str]:
    if isinstance(truth, str | Path):
        return tables.frame_of(Path(truth), ("id", "label")), Path(truth).name
    if isinstance(truth, Mapping):
        truth = pl.DataFrame(dict(truth))
    return tables.frame_of(truth, ("id", "label")), "labels"


def _key(frame: pl.DataFrame, on: str | None, where: str) -> str:
    if on is not None:
        return check.one_of(on, frame.columns, f"{where}: --on: column")
    near = [
        column
        for column in frame.columns
        if columns.plain(column) in (*columns.TAKEN["id"], *columns.LIKELY["id"])
    ]
    if "id" in frame.columns or len(near) == 1:
        return "id" if "id" in frame.columns else near[0]
    raise InputError(
        f"{where}: a column id is needed to join labels by, the columns are "
        f"{columns.titles(frame)}; name the key with --on"
    )
