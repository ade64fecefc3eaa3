"""Hold a value of a column out of training, to be judged as a shift of its own.

A source held out is an acquisition shift, a subclass held out a manifestation shift
(``docs/methods.md#shifts``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from primum.core import check
from primum.core.check import InputError
from primum.data.images import CHANNELS, HELD_OUT, MASK, ImageTable

Section = Mapping[str, str | Sequence[str]]
NEVER = ("id", "patient", "path", "split", MASK, CHANNELS, "shift", "shift_level")


def leave_out(table: ImageTable, column: str, value: str | Sequence[str]) -> ImageTable:
    """The same cut of the same images, but every image of a value is in the split ``shift``.

    The splits train, val, cal and test keep the other values. Of a patient who has held-out images, the
    other images are in no split: they leave the table, so that nobody is trained on and judged. Rows keep
    their order. The column ``shift`` says ``column=value`` of the held-out images and is null of the others.

    Args:
        table: images with splits.
        column: ``site``, ``dx``, ``subtype`` or any other, with a value for every image.
        value: one value as text, or several that are held out together.

    Raises:
        InputError: for an unknown column or value, a column with one value only or with empty cells, and when
            a class would be left without training images or a split without images.
    """
    values = _values(table, column, value)
    excluded = table.cases[column].cast(pl.String).is_in(values)
    crossing = ~excluded & table.cases["patient"].is_in(
        table.cases["patient"].filter(excluded).unique().implode()
    )
    phrase = _phrase(column, values)
    cases = table.cases.with_columns(
        split=pl.when(excluded).then(pl.lit(HELD_OUT)).otherwise("split"),
        shift=_shift(table, excluded, phrase),
    )
    remaining = replace(table, cases=cases).take((~crossing).to_numpy())
    _enough(table, remaining, phrase)
    return remaining


def held_out(table: ImageTable, section: Section | None) -> ImageTable:
    """What :func:`leave_out` gives for ``data.leave_out`` of a recipe; the table itself without it."""
    for column, value in (section or {}).items():
        table = leave_out(table, column, value)
    return table


def marked(table: ImageTable, section: Section | None) -> ImageTable:
    """A table that was cut already, with the column ``shift`` as :func:`held_out` writes it."""
    for column, value in (section or {}).items():
        phrase = _phrase(column, [value] if isinstance(value, str) else value)
        shift = _shift(table, table.cases["split"] == HELD_OUT, phrase)
        table = replace(table, cases=table.cases.with_columns(shift=shift))
    return table


def _shift(table: ImageTable, excluded: pl.Series, phrase: str) -> pl.Expr:
    earlier = pl.col("shift") if "shift" in table.cases.columns else pl.lit(None, pl.String)
    return pl.when(excluded).then(pl.lit(phrase)).otherwise(earlier)


def _phrase(column: str, values: Sequence[str]) -> str:
    return f"{column}={','.join(sorted(set(values)))}"


def counts(table: ImageTable, column: str) -> pl.DataFrame:
    """Images of each value of a column, by class: a row per value, ``images``, then a column per class.

    An empty cell is a row of its own, and images without a label count in ``images`` alone.

    Raises:
        InputError: for an unknown column.
    """
    _check_column(table, column)
    listed = table.cases.with_columns(pl.col(column).cast(pl.String))
    return (
        listed.group_by(column)
        .agg(
            pl.len().alias("images"),
            *((pl.col("label") == name).sum().alias(name) for name in table.classes),
        )
        .sort(column, nulls_last=True)
    )


def _check_column(table: ImageTable, column: str) -> None:
    columns = [name for name in table.cases.columns if name not in NEVER]
    check.one_of(column, columns, f"{table.name}: column")


def _values(table: ImageTable, column: str, value: str | Sequence[str]) -> list[str]:
    """The values asked for, each checked to be there."""
    _check_column(table, column)
    cells = table.cases[column].cast(pl.String)
    if cells.null_count():
        raise InputError(
            f"{table.name}: a value of {column} is needed for every image to leave one out, "
            f"{cells.null_count()} of {len(cells)} have none; fill them in, or take another column"
        )
    choices = cells.unique().sort().to_list()
    if len(choices) == 1:
        raise InputError(
            f"{table.name}: column {column} holds one value only, {choices[0]!r}, and nothing would be left "
            "without it; take another column"
        )
    requested = [value] if isinstance(value, str) else list(value)
    if not requested:
        raise InputError(f"{table.name}: a value of {column} to leave out was expected, none arrived")
    return sorted({check.one_of(choice, choices, f"{table.name}: {column}") for choice in requested})


def _enough(before: ImageTable, after: ImageTable, phrase: str) -> None:
    train = after.cases.filter(pl.col("split") == "train")["label"]
    bare = [name for name in before.classes if name not in train]
    if bare:
        raise InputError(
            f"{before.name}: leaving out {phrase} leaves {check.shorten(bare)} without training images; "
            "leave out something that each class can spare"
        )
    empty = [name for name in before.cases["split"].unique().sort() if name not in after.cases["split"]]
    if empty:
        raise InputError(
            f"{before.name}: leaving out {phrase} leaves the split {check.shorten(empty)} without images; "
            "leave out something that each split can spare"
        )
