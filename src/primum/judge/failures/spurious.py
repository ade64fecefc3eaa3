"""Whether answers follow a column that the diagnosis should not depend on, and which failures it pulled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from primum.core import check
from primum.core.arrays import Array, Bools, Floats, Integers, Strings
from primum.core.check import InputError
from primum.judge.metrics.measured import MIN_CASES
from primum.judge.statistics.significance import holm

MOST_VALUES = 20
ALPHA = 0.01
FLOOR = 1e-4
USUAL = 0.95


@dataclass(frozen=True)
class Pull:
    """One value of a column that draws answers towards a class, whatever the true class.

    Attributes:
        column, value: of the metadata. towards: class index.
        rows: judged rows that carry the value.
        excess: answers of the class beyond what rows of the same true class without the value would give, per
            row that carries it, -1 to 1.
        p: Holm-adjusted over every column, value and class tested.
    """

    column: str
    value: str
    towards: int
    rows: int
    excess: float
    p: float


def pulls(
    labels: ArrayLike,
    predicted: ArrayLike,
    columns: Mapping[str, Sequence[object]],
    classes: int,
    clusters: ArrayLike | None = None,
) -> tuple[list[Pull], dict[str, str]]:
    """Values that answers depend on given the true class, strongest first, and columns not tested, with why.

    The test is Cochran–Mantel–Haenszel's for each value and class, stratified by the true class (Mantel &
    Haenszel, JNCI 1959). Its variance is the hypergeometric one, or that of sums over patients where larger.
    p-values are two-sided and Holm-adjusted over all tests; a pull needs 0.01, and a tested value at least
    ten rows with ten others beside them. Numbers of more than 20 values are cut into quarters; other columns
    of more than 20 are left out. Dependence is not proof: a column may stand for a real difference.

    Args:
        labels, predicted: (N,) class indices. columns: name → N values. classes: K.
        clusters: (N,) patient of each row, or None.
    """
    true, answers = check.array(labels), check.array(predicted)
    patients = None if clusters is None else np.unique(clusters, return_inverse=True)[1]
    tests: list[Pull] = []
    left_out: dict[str, str] = {}
    for column, values in columns.items():
        text, why = as_text(values, column, len(true))
        if why:
            left_out[column] = why
            continue
        for value in np.unique(text):
            carried = text == value
            if min(carried.sum(), (~carried).sum()) < MIN_CASES:
                continue
            for k in range(classes):
                excess, p = dependence(true, carried, answers == k, patients)
                tests.append(Pull(column, str(value), towards=k, rows=int(carried.sum()), excess=excess, p=p))
        if not any(pull.column == column for pull in tests):
            left_out[column] = (
                f"no value of it stands on {MIN_CASES} rows with {MIN_CASES} others beside them"
            )
    # over every test, also of values that come to nothing: those were looked at too
    adjusted = holm([pull.p for pull in tests])
    named = [
        Pull(pull.column, pull.value, towards=pull.towards, rows=pull.rows, excess=pull.excess, p=p)
        for pull, p in zip(tests, adjusted, strict=True)
        if p <= ALPHA and pull.excess > 0
    ]
    return sorted(named, key=lambda pull: (pull.p, -pull.excess, pull.column, pull.value)), left_out


def dependence(
    labels: Array, carried: Bools, answered: Bools, clusters: ArrayLike | None = None
) -> tuple[float, float]:
    """Excess of an answer per row that carries a value, within true classes, and its two-sided p-value.

    Args:
        labels: (N,) strata, from 0. carried, answered: (N,) bool. clusters: (N,) patient as int, or None.
    """
    # one number for stratum, value and answer, so that a single count gives all 2 × 2 tables
    cell = labels * 4 + carried * 2 + answered
    counts = np.bincount(cell, minlength=4 * (int(labels.max()) + 1)).reshape(-1, 2, 2).astype(np.float64)
    n = np.maximum(counts.sum(axis=(1, 2)), 1)
    share, rate = counts[:, 1].sum(axis=1) / n, counts[:, :, 1].sum(axis=1) / n
    residual = (np.arange(2)[None, :, None] - share[:, None, None]) * (np.arange(2) - rate[:, None, None])
    # observed minus expected answers over all strata, as products of deviations from the margins
    total = float((counts * residual).sum())
    # the hypergeometric variance; a stratum of a single case has none and adds 0
    variance = float((n * n / np.maximum(n - 1, 1) * share * (1 - share) * rate * (1 - rate)).sum())
    if clusters is not None:
        sums = np.bincount(clusters, residual.ravel()[cell])
        # rows of one patient may agree; where they seem to differ, the smaller estimate is but luck
        variance = max(variance, float(sums @ sums))
    p = 2 * float(norm.sf(abs(total) / np.sqrt(variance))) if variance > 0 else 1.0
    return total / max(int(carried.sum()), 1), p


def pulled(
    labels: ArrayLike,
    predicted: ArrayLike,
    probs: ArrayLike,
    columns: Mapping[str, Sequence[object]],
    tied: Sequence[Pull],
) -> tuple[Floats, Integers]:
    """For each of F failures, how probable its label were without the pull, and which pull (-1: none).

    The pull of a value is the mean log odds of answer against label in rows of that label that carry it, less
    the mean in those that do not. Taken off the failure's own log odds, what is left is the probability that
    the label beats the answer, 0 to 1: a reconstruction of the answer without the marker, which cannot be
    seen from one picture alone.

    Args:
        labels, predicted: (N,). probs: (N, K) calibrated. columns: as for :func:`pulls`. tied: its pulls.
    """
    true, answers = check.array(labels), check.array(predicted)
    logs = np.log(np.maximum(check.array(probs), FLOOR))
    failures = np.flatnonzero(true != answers)
    score, which = np.zeros(len(failures)), np.full(len(failures), -1)
    for number, pull in enumerate(tied):
        carried = as_text(columns[pull.column], pull.column, len(true))[0] == pull.value
        affected = carried[failures] & (answers[failures] == pull.towards)
        for k in np.unique(true[failures][affected]):
            rows = true == k
            odds = logs[:, pull.towards] - logs[:, k]
            sides = odds[rows & carried], odds[rows & ~carried]
            if min(map(len, sides)) < MIN_CASES:
                continue
            shift = float(sides[0].mean() - sides[1].mean())
            at = np.flatnonzero(affected & (true[failures] == k))
            without = 1 / (1 + np.exp(odds[failures[at]] - shift)) if shift > 0 else np.zeros(len(at))
            better = without > score[at]
            score[at[better]], which[at[better]] = without[better], number
    return score, which


def off_lesion(labels: ArrayLike, predicted: ArrayLike, energy: ArrayLike) -> Floats:
    """(F,) 0 where the map lies on the lesion as much as in 95 % of right answers, 1 where less than in all.

    Without a right answer 0.

    Args:
        labels, predicted: (N,). energy: (N,) share of map energy inside the lesion, 0 to 1.

    >>> off_lesion([0, 0, 1], [0, 0, 0], [0.6, 0.8, 0.1]).tolist()
    [1.0]
    """
    wrong = check.array(labels) != check.array(predicted)
    inside = check.array(energy).astype(np.float64)
    right = np.sort(inside[~wrong])
    if not len(right):
        return np.zeros(int(wrong.sum()))
    more = 1 - np.searchsorted(right, inside[wrong], side="left") / len(right)
    return np.asarray(np.clip((more - USUAL) / (1 - USUAL), 0, 1))


def as_text(values: Sequence[object], column: str, n: int) -> tuple[Strings, str]:
    """Values of a column as text, an empty one ``(missing)``; or why it cannot be tested.

    Raises InputError when their number is not ``n``.
    """
    items = list(values)
    if len(items) != n:
        raise InputError(f"column {column}: {n} values were expected, one a row; {len(items)} arrived")
    missing = np.array([item is None or item != item for item in items])
    present = [item for item, gone in zip(items, missing, strict=True) if not gone]
    counted = len({str(item) for item in present})
    if counted <= MOST_VALUES:
        return np.array(["(missing)" if m else str(i) for i, m in zip(items, missing, strict=True)]), ""
    if not all(isinstance(item, int | float | np.number) for item in present):
        return np.array([]), f"it has {counted} values, at most {MOST_VALUES} can be tested"
    numbers = np.where(missing, np.nan, np.array(items, dtype=object)).astype(np.float64)
    edges = np.unique(np.nanquantile(numbers, [0, 0.25, 0.5, 0.75, 1]))
    part = np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, len(edges) - 2)
    names = np.array([f"{a:g} to {b:g}" for a, b in pairwise(edges)])
    return np.where(missing, "(missing)", names[np.where(missing, 0, part)]), ""
