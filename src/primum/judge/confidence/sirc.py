"""A confidence lowered softly where a second score says that a case is unlike the training rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from primum.core import check
from primum.core.arrays import Floats
from primum.judge.confidence.distance import deviation

# The step below 1 in double precision: any smaller 1 − S1 is 0 where it is a difference. What a table rounds
# to 0 must not outvote the second score for good, so that all of these count alike.
LEAST = 2.0**-53
ROUNDING = 1e-9  # of the largest score: a spread below it is none


@dataclass(frozen=True)
class Sirc:
    """Softmax information retaining combination (Xia & Bouganis, ACCV 2022), over any two scores.

    Attributes:
        a: ``μ − 3σ`` of the second score on known cases, below which it counts. b: ``1/σ``.
    """

    a: float
    b: float

    def __call__(self, doubt: ArrayLike, second: ArrayLike) -> Floats:
        """(N,) ``−log(1 − S1) − log(1 + exp(−b (S2 − a)))``, in the order of the paper's score.

        Args:
            doubt: (N,) ``1 − S1`` of the first score, 0 to 1, as a number of its own, since the difference is
                0 where S1 rounds to 1; below 1.1e-16 it counts as that. second: (N,) S2.

        >>> Sirc(a=-3.0, b=1.0)([0.5, 0.5], [9.0, -9.0]).round(2).tolist()
        [0.69, -5.31]
        """
        unsure = np.maximum(check.array(doubt).astype(np.float64), LEAST)
        return -np.log(unsure) - np.logaddexp(0.0, -self.b * (check.array(second) - self.a))


def fit_sirc(second: ArrayLike) -> Sirc:
    """From the second score (M,) of the training rows, as in the paper's code; σ is 1 if all are equal."""
    known = check.array(second).astype(np.float64)
    spread = deviation(known, ROUNDING * float(np.abs(known).max(initial=0.0)))
    return Sirc(float(known.mean()) - 3 * spread, 1 / spread)


def doubt(probs: ArrayLike) -> Floats:
    """(N,) one minus the highest of probabilities (N, K), as the sum of the others: 1e-20 does not become 0.

    >>> doubt([[1.0, 1e-20]]).tolist()
    [1e-20]
    """
    others = check.array(probs).astype(np.float64).copy()
    others[np.arange(len(others)), others.argmax(axis=1)] = 0.0
    return np.asarray(others.sum(axis=1), dtype=np.float64)
