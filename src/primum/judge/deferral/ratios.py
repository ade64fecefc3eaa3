"""What answers cost as one critical error weighs as much as 2 to 50 false alarms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from primum.core import ties
from primum.core.arrays import Bools, Floats
from primum.judge.answers import View
from primum.judge.deferral.costs import Reader, spent
from primum.judge.deferral.scored import Decided
from primum.judge.metrics import harm
from primum.judge.metrics.measured import MIN_CASES, NO_CRITICAL, ONE_PATIENT, Influence, too_few

RATIOS = tuple(float(ratio) for ratio in np.geomspace(2, 50, 13))
Paid = Callable[[float], Floats]  # ratio → (N,) cost of each case, in false alarms


@dataclass(frozen=True, eq=False)
class RatioCosts:
    """Normalised expected cost at each of :data:`RATIOS`, 0 = no cost, 1 = as the best constant answer.

    Attributes:
        cost: (13,). low, high: (13,) ends of its 95 % interval, each ratio by itself.
    """

    cost: Floats
    low: Floats
    high: Floats


def two_way(fatal: Bools, ratio: float) -> Floats:
    """(K, K) severity that only tells critical classes from the others.

    A critical class answered by one that is not costs ``ratio``, the reverse, a false alarm, costs 1.

    Args:
        fatal: (K,) bool, the critical classes. ratio: of a critical error to a false alarm.

    >>> two_way(np.array([False, True]), 10).tolist()
    [[0.0, 1.0], [10.0, 0.0]]
    """
    missed, alarmed = fatal[:, None] & ~fatal, ~fatal[:, None] & fatal
    return np.asarray(ratio * missed + 1.0 * alarmed)


def normalized(paid: Floats, fatal_cases: Bools, ratio: float) -> tuple[float, Floats]:
    """Mean cost over that of the best constant answer, ``min(r · n₊, n₋)`` in all, and its influences (N,).

    Which constant answer is the best one is held fixed, as in
    :func:`primum.judge.metrics.harm.normalized_expected_cost_influence`.

    Args:
        paid: (N,) cost of each case, in false alarms. fatal_cases: (N,) bool, cases of a critical class, n₊
            of them; at least one, and not all. ratio: r.

    >>> normalized(np.array([0.0, 10.0, 1.0]), np.array([True, True, False]), 10)[0]
    11.0
    """
    missed, alarmed = ratio * fatal_cases, 1.0 * ~fatal_cases
    constant = missed if missed.sum() <= alarmed.sum() else alarmed
    unit = float(constant.mean())
    value = float(paid.mean()) / unit
    return value, np.asarray((paid - value * constant) / unit)


def why_not(view: View) -> str:
    """Why these rows have no such curve, or empty."""
    if view.critical is None or not view.critical.any():
        return NO_CRITICAL
    if len(view.labels) < MIN_CASES:
        return too_few(len(view.labels))
    cases = harm.critical_classes(view.critical)[view.labels]
    if cases.all() or not cases.any():
        return f"{'every' if cases.all() else 'no'} case is of a critical class"
    return ONE_PATIENT if view.independent == 1 else ""


def of_answers(view: View, called: Bools) -> RatioCosts:
    """Cost of answers that stay the same at every ratio; ``called`` (N,): which name a critical class."""
    cases = _cases(view)
    return _along(view, lambda ratio: _spent(cases, called, ratio))


def of_mass(view: View, mass: Floats) -> RatioCosts:
    """Cost of the Bayes decision, taken anew at each ratio r: critical at a mass of at least 1 / (1 + r).

    Args:
        mass: (N,) probability that a critical class is the true one, of recalibrated probabilities.
    """
    cases = _cases(view)
    return _along(
        view,
        lambda ratio: _spent(cases, ties.at_least(mass, 1 / (1 + ratio)), ratio),
    )


def of_policy(view: View, decided: Decided, reader: Reader) -> RatioCosts:
    """Cost of the answers a policy accepts and of the reader it sends the others to.

    Args:
        decided: of the same rows. reader: whose cost is in false alarms (:func:`in_false_alarms`); one who
            errs is wrong by any other class alike, and pays for it at the same ratio.
    """
    assert view.critical is not None
    fatal, accepted = harm.critical_classes(view.critical), decided.accepted

    def paid(ratio: float) -> Floats:
        accepting, deferring = spent(view.labels, decided.decisions, two_way(fatal, ratio), reader)
        return np.where(accepted, accepting, deferring)

    return _along(view, paid, added=reader.cost)


def in_false_alarms(reader: Reader, severity: Floats, critical: Bools) -> Reader | None:
    """The reader with the cost of a deferral in false alarms instead of units of the severity matrix.

    A false alarm costs the mean of the cells (true class not critical, answer critical) of the matrix. None
    where those cells are free, as nothing can be told in units of them.

    >>> cells = np.array([[0.0, 2.0], [20.0, 0.0]])
    >>> in_false_alarms(Reader(1.0), cells, cells > 10).cost
    0.5
    """
    fatal = harm.critical_classes(critical)
    cells = severity[np.ix_(~fatal, fatal)]
    if not cells.any():
        return None
    return Reader(reader.cost / float(cells.mean()), reader.error)


def _cases(view: View) -> Bools:
    assert view.critical is not None
    return np.asarray(harm.critical_classes(view.critical)[view.labels])


def _spent(cases: Bools, called: Bools, ratio: float) -> Floats:
    return np.asarray(ratio * (cases & ~called) + 1.0 * (called & ~cases))


def _along(view: View, paid: Paid, added: float = 0.0) -> RatioCosts:
    """At every ratio; ``added``: what a case can cost beyond a critical error, in false alarms."""
    cases, estimates = _cases(view), []
    share, rows = float(cases.mean()), replace(view, clusters=None)
    for ratio in RATIOS:
        value, influence = normalized(paid(ratio), cases, ratio)
        top = (ratio + added) / min(ratio * share, 1 - share)
        if view.clusters is not None:  # summed once: a million cases are looked through at every ratio
            sums = np.bincount(view.clusters, influence)
            influence = np.asarray(sums * (len(sums) / len(cases)), dtype=np.float64)
        estimates.append(Influence(value, influence, "log", (0.0, top), view.independent).estimate(rows))
    return RatioCosts(
        np.array([estimate.value for estimate in estimates]),
        np.array([estimate.low for estimate in estimates]),
        np.array([estimate.high for estimate in estimates]),
    )
