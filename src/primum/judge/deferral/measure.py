"""What a policy achieves on the judged rows, each number with what its interval needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from primum.core.arrays import Floats
from primum.judge.answers import View
from primum.judge.deferral.costs import Reader, spent
from primum.judge.deferral.scored import Decided
from primum.judge.metrics import harm
from primum.judge.metrics.measure_decisions import share
from primum.judge.metrics.measured import FEWEST, NO_CRITICAL, NO_SEVERITY, Measured, few

CRITICAL_CODES = ("accepted_cer", "cer_after_deferral", "critical_coverage")
FREE_CODES = ("failure_cost", "failure_cost_ratio")
READER_CODES = ("failure_cost_with_reader", "failure_cost_ratio_with_reader")


def deferral(view: View, decided: Decided, reader: Reader | None = None) -> Iterator[Measured]:
    """Share deferred, critical errors left by both denominators, coverage of critical cases, failure cost.

    ``accepted_cer`` counts critical errors among accepted critical cases, ``cer_after_deferral`` among all
    critical cases, a deferred one being safe. Failure cost = severity of accepted errors + what deferring
    costs, per case; once with a reader who costs nothing, once with ``reader``. Ratios are of the cost
    without deferral.
    """
    for measured in _every(view, decided, reader):
        yield measured.of_patients(view)


def _every(view: View, decided: Decided, reader: Reader | None) -> Iterator[Measured]:
    where: dict[str, Any] = {
        "decision": decided.rule, "score": decided.score, "calibrated": decided.calibrated
    }  # fmt: skip
    everyone = np.ones(len(view.labels), dtype=bool)
    said = "; ".join(f"accepted at or above {t:.4g}" for t in np.unique(decided.threshold)[:3])
    yield share("deferred_share", ~decided.accepted, everyone, where, why=said)
    yield from _critical(view, decided, where)
    yield from _costs(view, decided, Reader(), FREE_CODES, where)
    if reader is not None:
        yield from _costs(view, decided, reader, READER_CODES, where)


def _critical(view: View, decided: Decided, where: dict[str, Any]) -> Iterator[Measured]:
    if view.critical is None or not view.critical.any():
        for code in CRITICAL_CODES:
            yield Measured(code, n=len(view.labels), why_not=NO_CRITICAL, **where)
        return
    among = harm.critical_classes(view.critical)[view.labels]
    if not among.any():
        for code in CRITICAL_CODES:
            yield Measured(code, why_not="no case is of a critical class", **where)
        return
    kept = among & decided.accepted
    missed = view.critical[view.labels, decided.decisions] & decided.accepted
    if kept.any():
        yield share("accepted_cer", missed, kept, where, why="of accepted critical cases")
    else:
        yield Measured("accepted_cer", why_not="vacuous: every critical case is deferred", **where)
    yield share(
        "cer_after_deferral", missed, among, where, why="of all critical cases, a deferred one counts as safe"
    )
    yield share("critical_coverage", kept, among, where, why="critical cases that are accepted")


def _costs(
    view: View, decided: Decided, reader: Reader, codes: tuple[str, str], where: dict[str, Any]
) -> Iterator[Measured]:
    n = len(view.labels)
    if view.cost is None or n < FEWEST:
        for code in codes:
            yield Measured(code, n=n, why_not=NO_SEVERITY if view.cost is None else few(n), **where)
        return
    accepting, deferring = spent(view.labels, decided.decisions, view.cost, reader)
    paid = np.where(decided.accepted, accepting, deferring)
    value, alone = float(paid.mean()), float(accepting.mean())
    most = float(max(view.cost.max(), reader.by_class(view.cost).max()))
    said = in_words(reader)
    yield _mean(view, codes[0], value, paid - value, most, said, where)
    if alone == 0:
        yield Measured(codes[1], n=n, why_not="without deferral nothing is lost here", **where)
        return
    ratio = value / alone
    said += f"; without deferral {alone:.4g}"
    top = 1.0 if (deferring == 0).all() else most / alone  # a reader who costs nothing can only save
    yield _mean(view, codes[1], ratio, (paid - ratio * accepting) / alone, top, said, where)


def _mean(
    view: View, code: str, value: float, influence: Floats, most: float, why: str, where: dict[str, Any]
) -> Measured:
    n = len(influence)
    return Measured(
        code, value=value, n=n, influence=influence, scale="log", bounds=(0.0, most),
        weakest=view.independent, why=why,
        **where,
    )  # fmt: skip


def in_words(reader: Reader) -> str:
    """What a deferral costs, in words."""
    if reader.cost == 0 and reader.error is None:
        return "a reader who costs nothing"
    errs = "" if reader.error is None else ", who errs at the stated rates"
    return f"a reader cost of {reader.cost:g} a case{errs}"
