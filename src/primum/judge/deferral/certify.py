"""Thresholds with a promise: Learn-then-Test (Angelopoulos, Bates, Candès, Jordan and Lei, 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr

from primum.core import ties
from primum.core.arrays import Bools, Floats
from primum.judge.deferral.units import Units

COVERAGES = tuple(k / 20 for k in range(1, 21))
ROUNDING = 1e-12
Denominator = Literal["accepted", "all"]
Method = Literal["sequence", "bonferroni"]


@dataclass(frozen=True)
class Certificate:
    """What could be promised, and on what evidence.

    Attributes:
        threshold: accept at or above it; infinite where nothing could be certified.
        n: units below the line of the promise: accepted ones, or all.
        units: all units; independent cases or patients.
        risk: mean loss of the n units at the threshold, 0 to 1; of the first test that failed where nothing
            could be certified, None where nothing could be tested.
        p: its p-value, and level: what p had to stay at or below.
        why_not: why nothing could be certified, or empty.
    """

    threshold: float
    n: int
    units: int
    risk: float | None
    p: float | None
    level: float
    why_not: str = ""


def binomial_p(errors: ArrayLike, n: ArrayLike, alpha: float) -> Floats:
    """p-value of "the error rate is above alpha": P(Binomial(n, alpha) ≤ errors), exact; 1 where n is 0.

    Args:
        errors, n: (...) counts. alpha: above 0 and below 1.

    >>> binomial_p(0, [148, 149], 0.02).round(4).tolist()
    [0.0503, 0.0493]
    """
    size = np.asarray(n, dtype=np.int64)
    return np.where(size > 0, bdtr(np.asarray(errors, dtype=np.float64), np.maximum(size, 1), alpha), 1.0)


def hoeffding_bentkus_p(mean: ArrayLike, n: ArrayLike, alpha: float) -> Floats:
    """p-value of "the expected loss is above alpha" for losses in [0, 1]; 1 where n is 0.

    The smaller of ``exp(−n h(min(r, α), α))`` with ``h(a, b) = a log(a/b) + (1 − a) log((1 − a)/(1 − b))``
    (Hoeffding) and ``e · P(Binomial(n, α) ≤ ⌈n r⌉)`` (Bentkus), r the mean loss (Bates et al., 2021).

    Args:
        mean: (...) mean loss. n: (...) units. alpha: above 0 and below 1.

    >>> hoeffding_bentkus_p([0.0, 0.1], [200, 200], 0.02).round(3).tolist()
    [0.018, 1.0]
    """
    size, risk = np.asarray(n, dtype=np.int64), np.asarray(mean, dtype=np.float64)
    low = np.minimum(risk, alpha)
    with np.errstate(divide="ignore", invalid="ignore"):
        first = np.where(low > 0, low * np.log(low / alpha), 0.0)
    hoeffding = np.exp(-size * (first + (1 - low) * np.log((1 - low) / (1 - alpha))))
    # n times a mean of whole losses may be 3.0000000004: rounded up as it is, that would be one error more
    bentkus = np.e * binomial_p(np.ceil(np.round(size * risk, 7)), size, alpha)
    return np.where(size > 0, np.minimum(np.minimum(hoeffding, bentkus), 1.0), 1.0)


def fewest(alpha: float, delta: float) -> int:
    """Smallest n at which no error at all would certify alpha: ``(1 − alpha)ⁿ ≤ delta``; 149 at 2 and 5 %.

    >>> fewest(0.02, 0.05)
    149
    """
    # where the quotient is a whole number, rounding must not ask for one case more
    return int(np.ceil(np.log(delta) / np.log1p(-alpha) - ROUNDING))


def certify(
    units: Units | Sequence[Units],
    alpha: float,
    delta: float,
    denominator: Denominator = "all",
    method: Method = "sequence",
    coverages: Sequence[float] = COVERAGES,
    noun: str = "cases",
) -> Certificate:
    """Lowest threshold at which the risk is at most alpha, wrong with a chance of at most delta.

    Among ``all`` units, a deferred one counting with loss 0, the risk can only fall as the threshold rises.
    So every score seen is tried at delta, from the strictest down to the first that fails: whatever threshold
    comes of it, a broken promise needs a p-value of at most delta at the single threshold where the risk
    passes alpha (docs/methods.md#veto-then-certify). Of several versions of the units each is held to the
    promise alone, by the largest of their p-values, which costs no delta either.

    Among ``accepted`` units thresholds are those that accept the declared ``coverages``, each just above a
    score that was seen: given that score, the units above it are a fresh sample of all units above it, so
    each p-value is exact although thresholds are read from the same rows. ``bonferroni`` tests each at delta
    over their number. ``sequence`` starts at the first coverage with enough units and goes on to lower
    thresholds, each at delta, until one fails; it is exact where the risk of the cases does not fall as their
    score falls.

    Args:
        units: independent units with their losses; of ``all`` also several versions of them.
        alpha: promised risk, in the unit of the loss. delta: chance of a broken promise. Both in (0, 1).
        denominator: ``"all"``, or ``"accepted"``: risk = mean loss of accepted units.
        method, coverages: of ``"accepted"``.
        noun: what units are called in the sentence that says why not.
    """
    versions = [units] if isinstance(units, Units) else list(units)
    if denominator == "all":
        return _among_all(versions, alpha, delta, noun)
    (only,) = versions
    return _among_accepted(only, alpha, delta, method=method, coverages=coverages, noun=noun)


def _among_all(versions: Sequence[Units], alpha: float, delta: float, noun: str) -> Certificate:
    enough = fewest(alpha, delta)
    smallest = min(versions, key=lambda units: units.count)
    if smallest.count < enough:
        count = smallest.count
        why = _too_few(count, enough, "all", noun)
        return Certificate(np.inf, count, units=count, risk=None, p=None, level=delta, why_not=why)
    # above the highest score nothing is accepted and nothing lost: with enough units that always passes
    cuts = np.unique(np.concatenate([[-np.inf], *(units.score for units in versions)]))[::-1]
    losses = np.stack([units.loss(cuts) for units in versions])
    p = np.stack([_p(units, loss, units.count, alpha) for units, loss in zip(versions, losses, strict=True)])
    worst = p.max(axis=0)
    at = int(np.flatnonzero(np.cumprod(_at_most(worst, delta)))[-1])
    version = int(p[:, at].argmax())
    count = versions[version].count
    scores = np.concatenate([units.score for units in versions])
    return Certificate(
        ties.above(float(cuts[at]), scores), count, units=count, risk=float(losses[version, at] / count),
        p=float(p[version, at]), level=delta,
    )  # fmt: skip


def _among_accepted(
    units: Units, alpha: float, delta: float, *, method: Method, coverages: Sequence[float], noun: str
) -> Certificate:
    enough, count = fewest(alpha, delta), units.count
    cuts = units.cuts(coverages)
    accepted = units.accepted(cuts)
    open_to = accepted >= enough
    if not open_to.any():
        why = _too_few(count, enough, "accepted", noun)
        return Certificate(np.inf, count, units=count, risk=None, p=None, level=delta, why_not=why)
    cuts, accepted = cuts[open_to], accepted[open_to]
    level = delta / len(cuts) if method == "bonferroni" else delta
    loss = units.loss(cuts)
    p = _p(units, loss, accepted, alpha)
    # a sequence ends at its first failure: passing again further on would be a test that was not paid for
    passing = _at_most(p, level)
    if method == "sequence":
        passing = np.cumprod(passing).astype(bool)
    at = int(np.flatnonzero(passing)[-1]) if passing.any() else 0
    evidence = int(accepted[at]), count, float(loss[at] / accepted[at]), float(p[at]), level
    if not passing.any():
        return Certificate(np.inf, *evidence, _failed(units, *evidence, noun))
    return Certificate(ties.above(float(cuts[at]), units.score), *evidence)


def _at_most(p: Floats, level: float) -> Bools:
    """Whether each p-value is at most a level; (1 − alpha)ⁿ that equals it may come out a digit above."""
    return p <= level * (1 + ROUNDING)


def _p(units: Units, loss: Floats, n: ArrayLike, alpha: float) -> Floats:
    size = np.asarray(n, dtype=np.int64)
    if units.binary:
        return binomial_p(np.round(loss), size, alpha)
    return hoeffding_bentkus_p(loss / np.maximum(size, 1), size, alpha)


def _too_few(n: int, enough: int, denominator: Denominator, noun: str) -> str:
    accepted = "accepted " if denominator == "accepted" else ""
    return f"not certifiable with n = {n}: at least {enough} {accepted}{noun} without an error are needed"


def _failed(units: Units, n: int, of: int, risk: float, p: float, level: float, noun: str) -> str:
    among, count = "most confident " if n < of else "", round(risk * n)
    loss = f"{count} error{'s' * (count != 1)}" if units.binary else f"a mean loss of {risk:.3g}"
    return f"not certifiable with n = {n}: {loss} among the {n} {among}{noun}, p = {p:.2g} above {level:.3g}"
