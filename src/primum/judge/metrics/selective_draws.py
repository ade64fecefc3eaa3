"""What a confidence score leaves undetected, in the judged rows and in every bootstrap replicate of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from primum.core.arrays import Array, Floats
from primum.judge.metrics.cuts import COVERAGE, NEARLY, TPR
from primum.judge.metrics.selective import Ranking, rank

AREAS = ("aurc", "augrc", "cost_aurc", "cost_augrc")
CODES = (*AREAS, "failure_auroc", "fpr_at_95_tpr", "risk_at_80_coverage")
CELLS = 100_000  # cases × replicates worked on at once


def metrics_of_draws(
    wrong: ArrayLike, cost: ArrayLike, confidence: ArrayLike, weights: Array
) -> dict[str, Floats]:
    """Every metric of :data:`CODES` for each of B weightings of N cases; ties enter as one group.

    ``fpr_at_95_tpr`` is the share of the wrong answers accepted at the highest threshold that accepts 95 % of
    the right ones; ``risk_at_80_coverage`` the share wrong at the highest threshold that accepts 80 % of all.

    Args:
        wrong: (N,) bool, whether the answer is wrong.
        cost: (N,) cost of each answer, 0 or more; the residual of the ``cost_`` areas.
        confidence: (N,) higher = more trustworthy.
        weights: (N, B) 0 or more, how often each case was drawn; a column of ones gives the metrics of the
            rows themselves.

    Returns:
        code → (B,). NaN where a draw has no case; for ``failure_auroc`` and ``fpr_at_95_tpr`` also where all
        its answers are right, or all are wrong.
    """
    ranking = rank(confidence)
    error = np.asarray(wrong, dtype=np.float64)[ranking.order]
    spent = np.asarray(cost, dtype=np.float64)[ranking.order]
    parts: dict[str, list[Floats]] = {code: [] for code in CODES}
    for part in _parts(weights):
        drawn_cases = weights[:, part][ranking.order].astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            for code, values in _of(ranking, error, spent, drawn_cases).items():
                parts[code].append(values)
    return {code: np.concatenate(values) for code, values in parts.items()}


def _parts(weights: Array) -> Iterator[slice]:
    n, draws = weights.shape
    wide = max(1, CELLS // max(n, 1))
    for first in range(0, draws, wide):
        yield slice(first, min(first + wide, draws))


def _of(ranking: Ranking, error: Floats, spent: Floats, weights: Floats) -> dict[str, Floats]:
    """The metrics for weights (N, B) in the order of the ranking."""
    accepted = _summed(weights, ranking)
    wrong = _summed(weights * error[:, None], ranking)
    lost = _summed(weights * spent[:, None], ranking)
    n, sizes = accepted[-1], np.diff(accepted, axis=0, prepend=0.0)
    first = (accepted > 0).argmax(axis=0)[None]  # the most confident group that was drawn at all
    # what comes before it has weight 0, and would divide by 0
    inverse = 1 / np.maximum(accepted, NEARLY)
    # the trapezoid gives every group half its width and half the next
    widths = sizes.copy()
    widths[:-1] += sizes[1:]
    ahead = np.take_along_axis(sizes * inverse, first, axis=0)[0]
    areas = {}
    for codes, total in ((AREAS[:2], wrong), (AREAS[2:], lost)):
        weighed = widths * total
        areas[codes[0]] = (
            np.einsum("gb,gb->b", weighed, inverse) + ahead * np.take_along_axis(total, first, axis=0)[0]
        ) / (2 * n)
        areas[codes[1]] = weighed.sum(axis=0) / (2 * n * n)
    return areas | _separation(accepted - wrong, wrong) | _at_coverage(accepted, wrong)


def _summed(weights: Floats, ranking: Ranking) -> Floats:
    """(G, B) sums over everything at least as confident as each tie group."""
    total = np.cumsum(weights, axis=0)
    return total if len(ranking.ends) == len(total) else total[ranking.ends - 1]


def _separation(right: Floats, wrong: Floats) -> dict[str, Floats]:
    """Failure AUROC and FPR@95TPR from cumulative right and wrong answers (G, B), most confident first."""
    failed = np.flatnonzero(np.diff(wrong.sum(axis=1), prepend=0.0))  # groups that hold a wrong answer
    above = np.where(failed[:, None] > 0, right[np.maximum(failed - 1, 0)], 0.0)
    missed = np.where(failed[:, None] > 0, wrong[np.maximum(failed - 1, 0)], 0.0)
    beaten = (wrong[failed] - missed) * (right[failed] + above) / 2
    reached = (right < TPR * right[-1] - NEARLY).sum(axis=0)[None]
    defined = (right[-1] > 0) & (wrong[-1] > 0)
    share = np.take_along_axis(wrong, reached, axis=0)[0] / wrong[-1]
    return {
        "failure_auroc": beaten.sum(axis=0) / (right[-1] * wrong[-1]),
        "fpr_at_95_tpr": np.where(defined, share, np.nan),
    }


def _at_coverage(accepted: Floats, wrong: Floats) -> dict[str, Floats]:
    reached = np.minimum((accepted < COVERAGE * accepted[-1] - NEARLY).sum(axis=0), len(accepted) - 1)[None]
    risk = np.take_along_axis(wrong, reached, axis=0)[0] / np.take_along_axis(accepted, reached, axis=0)[0]
    return {"risk_at_80_coverage": risk}


def most_confident_third(critical: ArrayLike, confidence: ArrayLike, weights: Array) -> tuple[Floats, Floats]:
    """Shares of critical errors among the most confident third of the failures, and among the other failures.

    The third is the fewest tie groups that hold at least a third of the failures of a draw.

    Args:
        critical: (F,) bool of the failures, whether in a critical cell. confidence: (F,) of them.
        weights: (F, B) how often each failure was drawn.

    Returns:
        (B,) and (B,), 0 to 1; NaN where one of the two parts is empty.
    """
    ranking = rank(confidence)
    drawn_cases = np.asarray(weights, dtype=np.float64)[ranking.order]
    fatal = np.asarray(critical, dtype=np.float64)[ranking.order]
    cases, hits = _summed(drawn_cases, ranking), _summed(drawn_cases * fatal[:, None], ranking)
    last = np.minimum((cases < cases[-1] / 3 - NEARLY).sum(axis=0), len(cases) - 1)[None]
    third, third_hits = (np.take_along_axis(total, last, axis=0)[0] for total in (cases, hits))
    with np.errstate(divide="ignore", invalid="ignore"):
        return third_hits / third, (hits[-1] - third_hits) / (cases[-1] - third)
