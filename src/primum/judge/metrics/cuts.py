"""What is wrong above one cut of a ranking: at a coverage, or where most right answers are accepted."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from primum.core import check
from primum.core.arrays import Floats
from primum.core.check import InputError
from primum.judge.metrics.selective import Ranking

COVERAGE, TPR = 0.8, 0.95
NEARLY = 1e-9


def risk_with_influence(
    wrong: ArrayLike, ranking: Ranking, coverage: float = COVERAGE
) -> tuple[float, Floats]:
    """The risk, and the influence (N,) of each case; the cut moves with the cases (see :func:`_margin`)."""
    error = check.array(wrong).astype(np.float64)[ranking.order]
    n = len(error)
    group = int(np.searchsorted(ranking.ends, coverage * n - NEARLY))
    accepted = int(ranking.ends[group])
    risk = float(error[:accepted].sum()) / accepted
    if risk in (0.0, 1.0):
        return risk, np.zeros(n)
    # the coverage fixes how many are accepted: a case that enters above the cut displaces one at the cut,
    # which is wrong at the rate around it
    margin = _margin(ranking, group)
    rate = risk if margin is None else float(error[margin].mean())
    above = np.arange(n) < accepted
    influence = np.empty(n)
    influence[ranking.order] = (above * (error - rate) - (risk - rate) * accepted / n) * n / accepted
    return risk, influence


def fpr_with_influence(wrong: ArrayLike, ranking: Ranking, tpr: float = TPR) -> tuple[float, Floats]:
    """The share, and the influence (N,) of each case; the cut moves with the right answers."""
    error = check.array(wrong).astype(np.float64)[ranking.order]
    n, all_wrong = len(error), float(error.sum())
    all_right = n - all_wrong
    if not all_wrong or not all_right:
        raise InputError("a false positive rate needs both right and wrong answers")
    reached = ranking.ends - np.cumsum(error)[ranking.ends - 1]
    group = int(np.searchsorted(reached, tpr * all_right - NEARLY))
    accepted = int(ranking.ends[group])
    share = float(error[:accepted].sum()) / all_wrong
    if share in (0.0, 1.0):
        return share, np.zeros(n)
    # a right answer that enters above the cut displaces the right one at the cut, and with it the wrong ones
    # between two right ones there
    margin = _margin(ranking, group)
    odds = 0.0 if margin is None else float(error[margin].sum() / (1 - error[margin]).sum())
    above = np.arange(n) < accepted
    accepted_right = float(reached[group]) / all_right
    influence = np.empty(n)
    influence[ranking.order] = np.where(
        error > 0, (above - share) * (n / all_wrong), (accepted_right - above) * (odds * n / all_wrong)
    )
    return share, influence


def _margin(ranking: Ranking, group: int) -> slice | None:
    """Ranks around a cut, of which the rate of errors just there is read; None where the cut stands still.

    The cut of a sample is a quantile: another sample shifts it, and how much that matters is the rate of
    errors among the cases at the cut, here the √N before and after it, tie groups whole. In a tie group
    larger than both together the cut does not move.
    """
    n, end = len(ranking.order), int(ranking.ends[group])
    width = math.ceil(math.sqrt(n))
    if ranking.sizes[group] > 2 * width:
        return None
    first = min(int(np.searchsorted(ranking.ends, max(end - width, 0), side="right")), group)
    last = int(np.searchsorted(ranking.ends, min(end + width, n)))
    return slice(int(ranking.ends[first] - ranking.sizes[first]), int(ranking.ends[last]))
