"""Critical errors where models are held to the same specificity: METHODS §1, "Matched specificity"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from primum.judge import decision
from primum.judge.answers import View
from primum.judge.metrics import harm, operating
from primum.judge.metrics.measure_decisions import share
from primum.judge.metrics.measured import FEWEST, NO_CRITICAL, Measured, few

NO_FIT = "no rows to fit a threshold on were given"
UNREACHED = "on the fit rows only calling no case critical reaches this specificity"


def missed_code(specificity: float) -> str:
    """Code of the critical error rate at a wanted specificity."""
    return f"cer_at_specificity_{round(100 * specificity)}"


def reached_code(specificity: float) -> str:
    """Code of the specificity that the threshold fitted to a wanted one reaches."""
    return f"specificity_reached_{round(100 * specificity)}"


def operating_points(view: View) -> Iterator[Measured]:
    """Critical error rate at 70, 80 and 90 % specificity, read on these rows and deployed from the fit rows.

    *Read* (no decision): 1 − sensitivity of the ROC curve of the critical mass, threshold re-read in every
    replicate. *Deployed* (decision ``operating``): the answers of ``decision.by_critical_mass`` at the fitted
    threshold, critical cells counted as ever, and the specificity they reach here.
    """
    why_not = _why_not(view)
    for name in view.probs:
        yield from _read(view, name, why_not)
    yield from _deployed(view, why_not)


def _why_not(view: View) -> str:
    if view.critical is None or not view.critical.any():
        return NO_CRITICAL
    fatal = harm.critical_classes(view.critical)
    if fatal.all():
        return "every class is critical"
    among = fatal[view.labels]
    if among.all() or not among.any():
        return "every case is of a critical class" if among.all() else "no case is of a critical class"
    return ""


def _read(view: View, name: str, why_not: str) -> Iterator[Measured]:
    codes, n = [missed_code(s) for s in operating.SPECIFICITIES], len(view.labels)
    if why_not or n < FEWEST:
        for code in codes:
            yield Measured(code, calibrated=name, n=n, why_not=why_not or few(n))
        return
    assert view.critical is not None
    among = harm.critical_classes(view.critical)[view.labels]
    score = decision.critical_mass(view.probs[name], view.critical)
    values = operating.missed_at_specificity(score, among, operating.SPECIFICITIES)
    draws = operating.replicated_missed_at_specificity(score, among, operating.SPECIFICITIES, view.resampler)
    for i, code in enumerate(codes):
        yield Measured(
            code, calibrated=name, value=float(values[i]), n=int(among.sum()), replicates=draws[:, i],
            bounds=(0.0, 1.0), weakest=view.fewest(among),
            why="threshold on the critical mass read on the judged rows",
        )  # fmt: skip


def _deployed(view: View, why_not: str) -> Iterator[Measured]:
    fitted, n = view.operating, len(view.labels)
    where: dict[str, Any] = {
        "decision": "operating", "calibrated": "none" if fitted is None else fitted.calibrated
    }  # fmt: skip
    why_not = why_not or (NO_FIT if fitted is None else fitted.why_not)
    for specificity in operating.SPECIFICITIES:
        codes = missed_code(specificity), reached_code(specificity)
        threshold = None if fitted is None else fitted.threshold.get(specificity)
        if why_not or threshold is None or fitted is None:
            for code in codes:
                yield Measured(code, n=n, why_not=why_not or UNREACHED, **where)
            continue
        assert view.critical is not None
        fatal = harm.critical_classes(view.critical)
        answered = decision.by_critical_mass(view.probs[fitted.calibrated], view.critical, threshold)
        among = fatal[view.labels]
        missed, kept = view.critical[view.labels, answered], ~fatal[answered]
        reached = float(np.mean(kept[~among]))
        said = f"critical mass at or above {threshold:.4g}, fitted to a specificity of {specificity:.0%}"
        yield share(codes[0], missed, among, where, why=f"{said}; it reaches {reached:.1%} here")
        yield share(codes[1], kept, ~among, where, why=said)
