"""What a policy achieves on the judged rows, each number with what its interval needs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from primum.core.arrays import Floats
from primum.judge.answers import View
from primum.judge.deferral.costs import Reader, spent
from primum.judge.deferral.scored import Decided
from primum.judge.finding import Basis
from primum.judge.metrics import harm
from primum.judge.metrics.measured import (
    MIN_CASES,
    NO_CRITICAL,
    NO_SEVERITY,
    Influence,
    Measured,
    Share,
    too_few,
    unmeasured,
)

CRITICAL_CODES = ("accepted_cer", "cer_after_deferral", "critical_coverage")
FREE_CODES = ("failure_cost", "failure_cost_ratio")
READER_CODES = ("failure_cost_with_reader", "failure_cost_ratio_with_reader")


def deferral(view: View, decided: Decided, reader: Reader | None = None) -> Iterator[Measured]:
    """Share deferred and vetoed, critical errors left by both denominators, critical coverage, failure cost.

    ``accepted_cer`` counts critical errors among accepted critical cases, ``cer_after_deferral`` among all
    critical cases, a deferred one being safe. Failure cost = severity of accepted errors + what deferring
    costs, per case; once with a reader who costs nothing, once with ``reader``. Ratios are of the cost
    without deferral.
    """
    for measured in _every(view, decided, reader):
        yield measured.of_patients(view)


def _every(view: View, decided: Decided, reader: Reader | None) -> Iterator[Measured]:
    basis = Basis(decided.rule, decided.score, decided.calibrated)
    everyone = np.ones(len(view.labels), dtype=bool)
    thresholds = "; ".join(f"accepted at or above {t:.4g}" for t in np.unique(decided.threshold)[:3])
    yield Measured("deferred_share", Share(~decided.accepted, everyone), basis, thresholds)
    if decided.familiar is not None:
        yield Measured("vetoed_share", Share(~decided.familiar, everyone), basis, "unfamiliar to the policy")
    yield from _critical(view, decided, basis)
    yield from _costs(view, decided, Reader(), FREE_CODES, basis)
    if reader is not None:
        yield from _costs(view, decided, reader, READER_CODES, basis)


def _critical(view: View, decided: Decided, basis: Basis) -> Iterator[Measured]:
    if view.critical is None or not view.critical.any():
        for code in CRITICAL_CODES:
            yield unmeasured(code, basis, len(view.labels), NO_CRITICAL)
        return
    among = harm.critical_classes(view.critical)[view.labels]
    if not among.any():
        for code in CRITICAL_CODES:
            yield unmeasured(code, basis, 0, "no case is of a critical class")
        return
    passed = among & decided.accepted
    missed = view.critical[view.labels, decided.decisions] & decided.accepted
    if passed.any():
        yield Measured("accepted_cer", Share(missed, passed), basis, "of accepted critical cases")
    else:
        yield unmeasured("accepted_cer", basis, 0, "vacuous: every critical case is deferred")
    yield Measured(
        "cer_after_deferral",
        Share(missed, among),
        basis,
        "of all critical cases, a deferred one counts as safe",
    )
    yield Measured("critical_coverage", Share(passed, among), basis, "critical cases that are accepted")


def _costs(
    view: View, decided: Decided, reader: Reader, codes: tuple[str, str], basis: Basis
) -> Iterator[Measured]:
    n = len(view.labels)
    if view.cost is None or n < MIN_CASES:
        for code in codes:
            yield unmeasured(code, basis, n, NO_SEVERITY if view.cost is None else too_few(n))
        return
    accepting, deferring = spent(view.labels, decided.decisions, view.cost, reader)
    paid = np.where(decided.accepted, accepting, deferring)
    value, alone = float(paid.mean()), float(accepting.mean())
    dearest = float(max(view.cost.max(), reader.by_class(view.cost).max()))
    sentence = in_words(reader)
    yield Measured(codes[0], _mean(view, value, paid - value, dearest), basis, sentence)
    if alone == 0:
        yield unmeasured(codes[1], basis, n, "without deferral nothing is lost here")
        return
    ratio = value / alone
    sentence += f"; without deferral {alone:.4g}"
    top = 1.0 if (deferring == 0).all() else dearest / alone  # a reader who costs nothing can only save
    yield Measured(codes[1], _mean(view, ratio, (paid - ratio * accepting) / alone, top), basis, sentence)


def _mean(view: View, value: float, influence: Floats, highest: float) -> Influence:
    return Influence(value, influence, "log", (0.0, highest), view.independent)


def in_words(reader: Reader) -> str:
    """What a deferral costs, in words."""
    if reader.cost == 0 and reader.error is None:
        return "a reader who costs nothing"
    errs = "" if reader.error is None else ", who errs at the stated rates"
    return f"a reader cost of {reader.cost:g} a case{errs}"
