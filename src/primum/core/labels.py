"""Which class each case has: names, numbers or one column per class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from primum.core import check, names
from primum.core.arrays import Integers, Reals
from primum.core.check import InputError

LARGEST_WHOLE_FLOAT = 2**53
LABEL = "label_"
BOOLEANS = {"true": "1", "false": "0"}


def text(series: pl.Series, name: str, classes: Sequence[str] = ()) -> pl.Series:
    """Ids, patients, labels and the like as :mod:`names` spells them; ``classes`` are never missing."""
    if series.dtype.is_nested() or series.dtype in (pl.Binary, pl.Object):
        raise InputError(
            f"{name}: column {series.name} must hold one text or number per row, it holds {series.dtype}"
        )
    if series.dtype.is_float():
        numbers = series.fill_nan(None).drop_nulls()
        if len(numbers) and float(numbers.abs().max()) >= LARGEST_WHOLE_FLOAT:  # type: ignore[arg-type]
            raise InputError(
                f"{name}: column {series.name} holds numbers too long for a float, "
                "their last digits are lost; store them as text"
            )
    return names.settled(series, classes)


def label_text(series: pl.Series, classes: Sequence[str], name: str) -> pl.Series:
    """Labels as text; True and False stand for the classes 1 and 0 where those are the classes."""
    if series.dtype.is_nested():
        raise InputError(
            f"{name}: one label per case is expected, column {series.name} holds several ({series.dtype}); "
            "audit each label of a multi-label task as a table of its own"
        )
    spelled = text(series, name, classes)
    if set(classes) == {"0", "1"}:
        spelled = spelled.replace(BOOLEANS)
    return spelled


def class_index(series: pl.Series, classes: tuple[str, ...], name: str) -> Integers:
    """(N,) index of each class name; -1 where it is empty. Refuses other names and several in one cell.

    >>> class_index(pl.Series("label", ["mel", None, "nev"]), ("nev", "mel"), "table.csv").tolist()
    [1, -1, 0]
    """
    labels = label_text(series, classes, name)
    index = labels.replace_strict(
        {label: i for i, label in enumerate(classes)}, default=None, return_dtype=pl.Int64
    )
    wrong = labels.filter(index.is_null() & labels.is_not_null()).unique().sort().to_list()
    for value in wrong:
        for separator in "|;,+":
            parts = [part.strip() for part in value.split(separator)]
            if len(parts) > 1 and all(part in classes for part in parts):
                raise InputError(
                    f"{name}: one label per case is expected, column {series.name} holds several "
                    f"({value!r}); audit each label of a multi-label task as a table of its own"
                )
    if wrong:
        raise InputError(
            f"{name}: column {series.name} must hold class names ({check.shorten(classes, 10)}), "
            f"{check.describe(wrong, classes)} arrived; rename them or the columns of the classes"
        )
    return index.fill_null(-1).to_numpy()


def of_frame(frame: pl.DataFrame, classes: tuple[str, ...], name: str) -> Integers:
    """(N,) from a column ``label``, from ``label_<class>`` for every class, or -1 where there is neither."""
    if "label" in frame.columns:
        return class_index(frame["label"], classes, name)
    columns = one_hot_columns(frame.columns, classes)
    if not columns:
        return np.full(frame.height, -1, dtype=np.int64)
    if len(columns) < len(classes):
        raise InputError(
            f"{name}: a column label, or one column of 0 and 1 for every class, is expected, only "
            f"{check.shorten(columns)} arrived; audit each label of a multi-label task as a table of its own"
        )
    marks = [frame[column].cast(pl.Float64, strict=False) for column in columns]
    return one_hot(np.column_stack([mark.to_numpy() for mark in marks]), check.shorten(columns), name)


def one_hot_columns(columns: Sequence[str], classes: Sequence[str]) -> list[str]:
    """The columns ``label_<class>``, in the order of the classes; else those named as all the classes.

    >>> one_hot_columns(["id", "label_mel", "label_nev"], ["nev", "mel"])
    ['label_nev', 'label_mel']
    """
    marked = [LABEL + label for label in classes if LABEL + label in columns]
    bare = [label for label in classes if label in columns]
    return marked or (bare if len(bare) == len(classes) else [])


def one_hot(marks: Reals, where: str, name: str) -> Integers:
    """(N,) class of the single 1 in each row of marks (N, K); -1 where a whole row is missing.

    Raises InputError, naming the first row, for other numbers than 0 and 1, and for no 1 or several in a row.

    >>> one_hot(np.array([[0.0, 1.0], [np.nan, np.nan]]), "label_0, label_1", "table.csv").tolist()
    [1, -1]
    """
    marked = ~np.isnan(marks).all(axis=1)
    odd = marked & ~(((marks == 0) | (marks == 1)).all(axis=1) & (np.nan_to_num(marks).sum(axis=1) == 1))
    if odd.any():
        row = int(np.argmax(odd))
        raise InputError(
            f"{name}: exactly one 1 and else 0 is expected in every row of {where}, row {row + 1} and "
            f"{int(odd.sum()) - 1} others hold something else; audit each label of a multi-label task as a "
            "table of its own"
        )
    return np.where(marked, np.nan_to_num(marks).argmax(axis=1), -1).astype(np.int64)


def decision(frame: pl.DataFrame, classes: tuple[str, ...], name: str) -> Integers | None:
    """(N,) of the column ``decision``, None without one. Refuses an empty cell."""
    if "decision" not in frame.columns:
        return None
    chosen = class_index(frame["decision"], classes, name)
    if (chosen < 0).any():
        raise InputError(f"{name}: column decision needs a class name in every row, some are empty")
    return chosen
