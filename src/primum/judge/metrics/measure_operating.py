"""Critical errors where models are compared at the same specificity: ``docs/methods.md#operating-points``."""

from __future__ import annotations

from collections.abc import Iterator

from primum.judge import decision
from primum.judge.answers import View
from primum.judge.finding import Basis
from primum.judge.metrics import harm, operating
from primum.judge.metrics.measured import (
    MIN_CASES,
    NO_CRITICAL,
    Measured,
    Replicates,
    Share,
    too_few,
    unmeasured,
)

NO_FIT = "no rows to fit a threshold on were given"
UNREACHED = "on the fit rows only calling no case critical reaches this specificity"


def missed_code(specificity: float) -> str:
    """Code of the critical error rate at a specificity.

    >>> missed_code(0.8)
    'cer_at_specificity_80'
    """
    return f"cer_at_specificity_{round(100 * specificity)}"


def reached_code(specificity: float) -> str:
    """Code of the specificity that the threshold fitted to one reaches.

    >>> reached_code(0.8)
    'specificity_reached_80'
    """
    return f"specificity_reached_{round(100 * specificity)}"


def measure_operating_points(view: View) -> Iterator[Measured]:
    """Critical error rate at 70, 80 and 90 % specificity, read on these rows and deployed from the fit rows.

    *Read* (no decision): 1 − sensitivity of the ROC curve of the critical mass, threshold re-read in every
    replicate. *Deployed* (decision ``operating``): the answers of ``decision.by_critical_mass`` at the fitted
    threshold, critical cells counted as ever, and the specificity they reach here.
    """
    why = _why_not(view)
    for name in view.probs:
        yield from _read(view, name, why)
    yield from _deployed(view, why)


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


def _read(view: View, name: str, why: str) -> Iterator[Measured]:
    codes, n = [missed_code(level) for level in operating.SPECIFICITIES], len(view.labels)
    basis = Basis(calibrated=name)
    if why or n < MIN_CASES:
        for code in codes:
            yield unmeasured(code, basis, n, why or too_few(n))
        return
    assert view.critical is not None
    among = harm.critical_classes(view.critical)[view.labels]
    mass = decision.critical_mass(view.probs[name], view.critical)
    values = operating.missed_at_specificity(mass, among, operating.SPECIFICITIES)
    draws = operating.replicated_missed_at_specificity(mass, among, operating.SPECIFICITIES, view.resampler)
    for i, code in enumerate(codes):
        evidence = Replicates(
            float(values[i]), int(among.sum()), draws[:, i],
            bounds=(0.0, 1.0), weakest=view.smallest(among),
        )  # fmt: skip
        yield Measured(code, evidence, basis, "threshold on the critical mass read on the judged rows")


def _deployed(view: View, why: str) -> Iterator[Measured]:
    fitted, n = view.operating, len(view.labels)
    basis = Basis("operating", None, "none" if fitted is None else fitted.calibrated)
    why = why or (NO_FIT if fitted is None else fitted.why_not)
    for specificity in operating.SPECIFICITIES:
        codes = missed_code(specificity), reached_code(specificity)
        threshold = None if fitted is None else fitted.threshold.get(specificity)
        if why or threshold is None or fitted is None:
            for code in codes:
                yield unmeasured(code, basis, n, why or UNREACHED)
            continue
        assert view.critical is not None
        answers = decision.by_critical_mass(view.probs[fitted.calibrated], view.critical, threshold)
        misses = Share(*harm.critical_misses(view.labels, answers, view.critical))
        spared = Share(*harm.spared_negatives(view.labels, answers, view.critical))
        at = f"critical mass at or above {threshold:.4g}, fitted to a specificity of {specificity:.0%}"
        yield Measured(codes[0], misses, basis, f"{at}; it reaches {spared.value:.1%} here")
        yield Measured(codes[1], spared, basis, at)
