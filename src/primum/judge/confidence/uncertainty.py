"""How much the answers of passes, changed images or members differ (docs/methods.md#uncertainty)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import softmax, xlogy

from primum.core import check, ties
from primum.core.arrays import Floats, Integers
from primum.core.check import InputError
from primum.predictions import Predictions

NAMES = ("msr", "pe", "ee", "mi", "variance", "waic", "disagreement")


class Passes:
    """Takes the probabilities of one pass at a time and keeps four arrays, whatever the number of passes.

    A pass is one set of probabilities (N, K) for the same cases: of a network with dropout on, of a changed
    image, or of one member of an ensemble. Mean and squared deviations are updated by Welford's recurrence
    (Technometrics 1962), so that nothing cancels where all passes agree.

    >>> passes = Passes()
    >>> for probs in ([[0.75, 0.25]], [[0.25, 0.75]]):
    ...     passes.add(probs)
    >>> passes.mean.tolist(), passes.scores([0])["disagreement"].tolist()
    ([[0.5, 0.5]], [-0.5])
    """

    def __init__(self) -> None:
        self.count = 0
        self._mean: Floats = np.empty((0, 0))
        self._squares: Floats = np.empty((0, 0))
        self._entropy: Floats = np.empty(0)
        self._votes: Integers = np.empty((0, 0), dtype=np.int64)

    def add(self, probs: ArrayLike) -> None:
        """Add one pass of probabilities (N, K). Raises InputError for another shape than the first had."""
        arrived = check.array(probs)
        if arrived.ndim != 2 or (self.count and arrived.shape != self._mean.shape):
            expected = " × ".join(map(str, self._mean.shape)) if self.count else "N × K"
            raise InputError(
                f"pass {self.count + 1}: probabilities of shape {expected} were expected, "
                f"{' × '.join(map(str, arrived.shape))} arrived; every pass needs the same cases and classes"
            )
        values = arrived.astype(np.float64)
        if not self.count:
            self._mean, self._squares = np.zeros(values.shape), np.zeros(values.shape)
            self._entropy, self._votes = np.zeros(len(values)), np.zeros(values.shape, dtype=np.int64)
        self.count += 1
        step = values - self._mean
        self._mean += step / self.count
        self._squares += step * (values - self._mean)
        self._entropy += (entropy(values) - self._entropy) / self.count
        self._votes[np.arange(len(values)), ties.first_largest(values)] += 1

    @property
    def mean(self) -> Floats:
        """(N, K) mean probabilities. Raises InputError before two passes came."""
        if self.count < 2:
            raise InputError(f"at least 2 passes are needed to see how they differ, {self.count} arrived")
        return self._mean

    def scores(self, chosen: ArrayLike | None = None) -> dict[str, Floats]:
        """Name → (N,) score, higher = more trustworthy; uncertainties are negated.

        ``msr`` largest mean probability, 1/K to 1; ``pe`` −entropy of the mean and ``ee`` −mean entropy of
        the passes, −log K to 0; ``mi`` −(PE − EE), at most 0 (Houlsby et al., arXiv 1112.5745);
        ``variance`` −variance over the passes (divided by S), mean over the classes; ``waic`` mean minus
        standard deviation (divided by S) of the chosen class's probability, per case; ``disagreement`` −share
        of passes whose most probable class is not the chosen one, −1 to 0.

        Args:
            chosen: (N,) the class that is answered; the most probable of the mean unless given.

        Raises:
            InputError: before two passes came.
        """
        mean = self.mean
        rows = np.arange(len(mean))
        answer = ties.first_largest(mean) if chosen is None else check.array(chosen)
        pe = entropy(mean)
        ee = np.minimum(self._entropy, pe)  # entropy is concave: only rounding puts EE above PE
        variance = self._squares / self.count
        return {
            "msr": mean.max(axis=1),
            "pe": -pe,
            "ee": -ee,
            "mi": ee - pe,
            "variance": -variance.mean(axis=1),
            "waic": mean[rows, answer] - np.sqrt(variance[rows, answer]),
            "disagreement": self._votes[rows, answer] / self.count - 1.0,
        }


def entropy(probs: ArrayLike) -> Floats:
    """(N,) entropy ``−Σ p log p`` of probabilities (N, K) in nats, 0 to log K; 0·log 0 = 0.

    >>> entropy([[1.0, 0.0]]).tolist(), round(float(entropy([[0.5, 0.5]])[0]), 4)
    ([-0.0], 0.6931)
    """
    p = check.array(probs)
    return np.asarray(-xlogy(p, p).sum(axis=1), dtype=np.float64)


def collected(passes: Iterable[ArrayLike]) -> Passes:
    """What comes of probabilities (S, N, K), or of S arrays (N, K) one after another."""
    collector = Passes()
    for probs in passes:
        collector.add(probs)
    return collector


def from_passes(predictions: Predictions) -> dict[str, Floats]:
    """``mcd_<name>`` → (N,) score, of the logits (S, N, K) that a table carries in ``passes``.

    The answer they speak of is the most probable class of the mean softmax, which the table's
    own ``logits`` need not share.

    Raises:
        InputError: without passes, or with a single one.
    """
    return {f"mcd_{name}": score for name, score in _passes(predictions).scores().items()}


def _passes(predictions: Predictions) -> Passes:
    where, stored = predictions.name, predictions.passes
    if stored is None or len(stored) < 2:
        came = "none came" if stored is None else f"{len(stored)} arrived"
        raise InputError(
            f"{where}: at least 2 passes (logits, S × N × K) are needed for scores over passes, {came}; "
            "store them as passes, or the scores themselves as score_<name>"
        )
    return collected(softmax(logits.astype(np.float64), axis=1) for logits in stored)
