"""One score out of several: the probability of being right, learned where answers were right and wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import expit, logit

from primum.core import check, ties
from primum.core.arrays import Floats
from primum.core.check import InputError
from primum.judge.confidence.weighted import Weighted, stacked, standardised
from primum.judge.metrics.calibration import FLOOR

INPUTS = ("msr", "mahalanobis", "mcd_mi", "confidnet", "energy", "knn")  # the first that are there
SHARES = ("msr",)  # probabilities, of which the log-odds enter
CASES, FEWEST = 50, 10
PER_SCORE = 5


@dataclass(frozen=True)
class Combined:
    """The probability of being right; no weight of its ``log_odds`` lies below 0."""

    log_odds: Weighted

    def __call__(self, confidence: Mapping[str, Floats]) -> Floats:
        """(N,) in [0, 1] from score name → (N,)."""
        return np.asarray(expit(self.log_odds(_entering(confidence, self.log_odds.scores))), dtype=np.float64)


def learn(confidence: Mapping[str, Floats], correct: ArrayLike) -> Combined:
    """Logistic regression on standardised scores, none of which may count against itself.

    Weights below 0 would read more confidence as less trustworthy, and would do so the more the farther a
    shifted case lies from the fit rows. The penalty is half the sum of squared weights, as scikit-learn's
    with C = 1; the intercept has none, so the mean probability is the share of right answers.

    Args:
        confidence: score name → (F,) of the fit rows; one score of :data:`INPUTS` enters, in their order, for
            every five cases of the rarer outcome.
        correct: (F,) bool, whether the answer is right.

    Raises:
        InputError: with fewer than 50 cases, 10 wrong or 10 right answers, or none of those scores.
    """
    right = check.array(correct).astype(np.bool_)
    n, rarer = len(right), int(min(right.sum(), (~right).sum()))
    if n < CASES or rarer < FEWEST:
        raise InputError(
            f"at least {CASES} fit rows with {FEWEST} wrong and {FEWEST} right answers are needed to learn "
            f"from, {n} came with {int((~right).sum())} wrong ones"
        )
    names = tuple(name for name in INPUTS if name in confidence)[: rarer // PER_SCORE]
    if not names:
        raise InputError(f"one of the scores {check.shorten(INPUTS, 6)} is needed to learn from, none came")
    standard, mean, scale = standardised(stacked(_entering(confidence, names), names))

    def loss(parameters: Floats) -> tuple[float, Floats]:
        weight = parameters[1:]
        odds = parameters[0] + standard @ weight
        off = expit(odds) - right
        total = np.logaddexp(0, np.where(right, -odds, odds)).sum() + weight @ weight / 2
        return float(total) / n, np.r_[off.sum(), off @ standard + weight] / n

    start = np.r_[logit(right.mean()), np.zeros(len(names))]
    bounds = [(None, None), *[(0.0, None)] * len(names)]
    fitted = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-13, "gtol": 1e-9}
    ).x
    return Combined(
        Weighted(
            names,
            tuple(mean.tolist()),
            tuple(scale.tolist()),
            tuple(fitted[1:].tolist()),
            float(fitted[0]),
        )
    )


def _entering(confidence: Mapping[str, Floats], names: Sequence[str]) -> dict[str, Floats]:
    """The named scores, probabilities as log-odds; near 1 log-odds would widen what rounding left."""
    return {
        name: logit(np.clip(ties.settled(confidence[name]), FLOOR, 1 - FLOOR))
        if name in SHARES
        else confidence[name]
        for name in names
    }
