"""What a loss takes from the images it learns from: class counts, per-case risk, a slice held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from torch import nn

from primum.core import check
from primum.core.arrays import Integers, Singles
from primum.core.check import InputError
from primum.data import split
from primum.model.losses.class_weighted import ClassWeightedLoss
from primum.model.recipe import Recipe
from primum.severity import SeverityMatrix

if TYPE_CHECKING:
    from primum.data.images import ImageTable

TWENTIETHS = {"held": 2, "train": 18}  # twentieths of the training patients


@dataclass(frozen=True, eq=False)
class Learning:
    """A loss with the rows it learns from.

    Attributes:
        loss: ``loss(logits, labels)`` or, where there is a risk, ``loss(logits, labels, risk)``.
        train: rows trained on.
        observed: training rows held out to observe confusions, used for nothing else; often none.
        risk: (N,) risk factor of every row of the table (1 outside train and val), or None.
    """

    loss: nn.Module
    train: Integers
    observed: Integers
    risk: Singles | None

    @property
    def weights(self) -> list[float] | None:
        """Class weights inside the loss, or None."""
        base = getattr(self.loss, "base", self.loss)
        return base.weights.tolist() if isinstance(base, ClassWeightedLoss) else None

    @property
    def note(self) -> str:
        """What a reader of the answers must know of the loss, or ""."""
        return str(getattr(self.loss, "note", ""))


def learning(
    recipe: Recipe, table: ImageTable, rows: dict[str, Integers], costs: SeverityMatrix | None
) -> Learning:
    """The recipe's loss for the rows of ``train`` and ``val``.

    Raises:
        InputError: when the loss cannot be had from this table: a severity or risk column that does not fit,
            a class without an image, too few patients to hold some out.
    """
    train = rows["train"]
    observed = train[:0]
    if recipe.loss.observes:
        train, observed = held_out(table, train, recipe.seed)
    counts = np.bincount(table.label_index[train], minlength=len(table.classes))
    column = recipe.loss.risk_column
    risk = None if column is None else risks(table, column, np.r_[rows["train"], rows["val"]])
    return Learning(recipe.loss.build(counts, costs), train, observed, risk)


def held_out(table: ImageTable, rows: Integers, seed: int) -> tuple[Integers, Integers]:
    """Training rows without, and with, a tenth of the patients, stratified by label.

    Raises InputError with fewer than 20 patients.
    """
    cases = table.cases[pl.Series(rows, dtype=pl.UInt32)]
    patients = cases.select(pl.coalesce(pl.col("patient").cast(pl.String), pl.col("id").cast(pl.String)))
    groups = patients.to_series().to_numpy().astype(str)
    if len(np.unique(groups)) < split.PARTS:
        raise InputError(
            f"{table.name}: the form confusion holds out a tenth of the training patients and needs at least "
            f"{split.PARTS} of them, {len(np.unique(groups))} arrived; take the form expected"
        )
    part = split.assign(cases["label"].to_numpy().astype(str), groups, seed, TWENTIETHS)
    return rows[part == "train"], rows[part == "held"]


def risks(table: ImageTable, column: str, rows: Integers) -> Singles:
    """(N,) risk factor of each image from a column of the table; 1 outside ``rows``.

    Raises InputError for an unknown column and, in ``rows``, for what is missing or no positive number.
    """
    check.one_of(column, table.cases.columns, f"{table.name}: risk column")
    values = table.cases[column]
    numbers = (
        values.cast(pl.Float64, strict=False)
        if values.dtype.is_numeric() or values.dtype == pl.String
        else None
    )
    factors = np.full(len(table), np.nan) if numbers is None else numbers.fill_null(np.nan).to_numpy()
    bad = [row for row in rows.tolist() if not (np.isfinite(factors[row]) and factors[row] > 0)]
    if bad:
        raise InputError(
            f"{table.name}: the risk column {column!r} must hold a positive number for every train and val "
            f"image, {len(bad)} of {len(rows)} do not, first {values[min(bad)]!r} in row {min(bad) + 1}; "
            "write 1 where the risk is ordinary"
        )
    risk = np.ones(len(table), dtype=np.float32)
    risk[rows] = factors[rows]
    return risk
