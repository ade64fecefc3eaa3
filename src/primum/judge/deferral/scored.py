"""What one decision rule answered on some rows, with every confidence score a policy can be fitted on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from primum.core import check, ties
from primum.core.arrays import Array, Bools, Floats, Integers
from primum.judge.confidence import PROBABILITIES


@dataclass(frozen=True, eq=False)
class Scored:
    """Answers of one rule with their confidence, labels not needed.

    Attributes:
        rule: ``"argmax"``, ``"bayes"`` or ``"given"``. calibrated: recalibrator whose probabilities it used.
        decisions: (N,) class index.
        confidence: score name → (N,), higher = more trustworthy.
    """

    rule: str
    calibrated: str
    decisions: Integers
    confidence: Mapping[str, Floats]

    def take(self, rows: Array) -> Scored:
        """The same for integer or boolean ``rows``."""
        confidence = {name: score[rows] for name, score in self.confidence.items()}
        return Scored(self.rule, self.calibrated, self.decisions[rows], confidence)


@dataclass(frozen=True, eq=False)
class Decided:
    """Answers that a policy let through or sent to a reader.

    Attributes:
        rule, calibrated, decisions: as in :class:`Scored`.
        score: name of the confidence score. confidence: (N,) of it.
        threshold: (N,) that each case was held against. accepted: (N,) bool, confidence at or above it, or
            equal to it up to rounding.
    """

    rule: str
    calibrated: str
    decisions: Integers
    score: str
    confidence: Floats
    threshold: Floats

    @property
    def accepted(self) -> Bools:
        """(N,) True where the model answers, False where a reader does."""
        return ties.at_least(self.confidence, self.threshold)

    def take(self, rows: Array) -> Decided:
        """The same for integer or boolean ``rows``."""
        return Decided(
            self.rule, self.calibrated, self.decisions[rows], self.score, self.confidence[rows],
            self.threshold[rows],
        )  # fmt: skip


def confidences(
    probs: Any, decisions: Any, cost: Any, critical: Any, outside: Mapping[str, Floats]
) -> dict[str, Floats]:
    """Every score of the answers: those of ``confidence.PROBABILITIES``, the two below, and the table's own.

    Args:
        probs: (N, K). decisions: (N,) class index.
        cost: (K, K) or None. critical: (K, K) bool or None.
        outside: score name → (N,), the table's ``score_`` columns; one of a name of ours replaces it.
    """
    found = {name: score(probs) for name, score in PROBABILITIES.items()}
    if critical is not None and check.array(critical).any():
        found["critical_mass"] = critical_mass(probs, decisions, critical)
    if cost is not None:
        found["expected_cost"] = expected_cost(probs, decisions, cost)
    return found | dict(outside)


def critical_mass(probs: Any, decisions: Any, critical: Any) -> Floats:
    """(N,) one minus the probability of the classes for which the answer is a critical error, 0 to 1.

    An answer that cannot be a critical error has 1, so all such answers are one tie group.

    Args:
        probs: (N, K). decisions: (N,) class index. critical: (K, K) bool, rows true, columns decided.
    """
    fatal = check.array(critical)[:, check.array(decisions)].T
    return np.asarray(1 - (check.array(probs) * fatal).sum(axis=1), dtype=np.float64)


def expected_cost(probs: Any, decisions: Any, cost: Any) -> Floats:
    """(N,) negated expected cost of the answer, ``-Σ_i p_i c[i, d]``, in units of ``cost`` (K, K)."""
    paid = check.array(probs) * check.array(cost)[:, check.array(decisions)].T
    return np.asarray(-paid.sum(axis=1), dtype=np.float64)
