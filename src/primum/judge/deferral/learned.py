"""One confidence score out of several, learned from where the answers were wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike
from sklearn.linear_model import LogisticRegression

from primum.core import check
from primum.core.arrays import Array, Bools, Floats
from primum.core.check import InputError
from primum.judge.confidence.weighted import Weighted, stacked, standardised

FEWEST = 5


def learn(confidence: Mapping[str, Floats], scores: Sequence[str], bad: ArrayLike) -> Weighted:
    """L2-regularised logistic regression (C = 1) on standardised scores.

    Args:
        confidence: score name → (N,). scores: those to use, S of them.
        bad: (N,) bool, the answers to be told from the others: errors, or critical errors.

    Raises:
        InputError: with fewer than five bad or five good answers to learn from.
    """
    wrong: Bools = check.array(bad).astype(np.bool_)
    rarer = min(int(wrong.sum()), int((~wrong).sum()))
    if rarer < FEWEST:
        raise InputError(
            f"a learned score needs at least {FEWEST} wrong and {FEWEST} right answers to learn from, "
            f"{int(wrong.sum())} and {int((~wrong).sum())} arrived in the learning half of the fit rows; "
            "use one score instead"
        )
    standard, mean, scale = standardised(stacked(confidence, scores))
    regression = LogisticRegression(C=1.0, max_iter=1000).fit(standard, ~wrong)
    return Weighted(
        tuple(scores), tuple(mean.tolist()), tuple(scale.tolist()), tuple(regression.coef_[0].tolist()),
        float(regression.intercept_[0]),
    )  # fmt: skip


def halves(units: Array, seed: int) -> Bools:
    """(N,) True in the learning half; cases of one unit (N,) int stay together, whatever the row order.

    >>> halves(np.array([7, 7, 8, 8]), seed=0).sum()
    np.int64(2)
    """
    _, index = np.unique(units, return_inverse=True)
    count = int(index.max()) + 1
    return np.asarray(np.random.default_rng(seed).permutation(count)[index] < count // 2, dtype=np.bool_)
