"""Could it be chance? p-values of one estimate and of several together."""

from __future__ import annotations

from collections.abc import Sequence

from primum.judge.statistics.interval import Estimate


def p_value(estimate: Estimate, truth: float = 0.0) -> float:
    """Two-sided p-value, in (0, 1], of an estimate were ``truth`` true, by the law of its own interval.

    Normal for an influence function. For B replicates of which b lie on the far side of ``truth`` or on it,
    ``2 (b + 1) / (B + 1)``, at most 1 (Davison & Hinkley 1997, §4.2): never 0, and B bounds how small it can
    be. Where no resample moved the estimate, 0.05 when ``truth`` lies outside its exact bound, else 1.
    """
    return max(min(estimate.tails(truth)), 1e-300)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values of a family, in the order given; rejecting those at or below α errs at most in α.

    Holm, Scandinavian Journal of Statistics 1979: no assumption on how the tests hang together.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted, running = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        # an adjusted p-value is never below that of a smaller p
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = running
    return adjusted
