"""What one decision rule answered on some rows, with every confidence score a policy can be fitted on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from primum.core import ties
from primum.core.arrays import Array, Bools, Floats, Integers, Strings


@dataclass(frozen=True, eq=False)
class Scored:
    """Answers of one rule with their confidence, labels not needed.

    Attributes:
        rule: ``"argmax"``, ``"bayes"`` or ``"given"``. calibrated: recalibrator whose probabilities it used.
        decisions: (N,) class index.
        confidence: score name → (N,), higher = more trustworthy.
        missing: score name → why one that was asked for does not apply.
        familiar: (N,) bool, whether a case passes the veto; None without one.
    """

    rule: str
    calibrated: str
    decisions: Integers
    confidence: Mapping[str, Floats]
    missing: Mapping[str, str] = field(default_factory=dict)
    familiar: Bools | None = None

    def gated(self, score: str) -> Floats:
        """(N,) of a score, minus infinity where a case does not pass the veto."""
        confidence = self.confidence[score]
        return confidence if self.familiar is None else np.where(self.familiar, confidence, -np.inf)

    def accepted(self, score: str, threshold: float | Floats) -> Bools:
        """(N,) whether a case passes the veto and its score reaches a threshold, one or (N,)."""
        sure = ties.at_least(self.confidence[score], threshold)
        return sure if self.familiar is None else sure & self.familiar

    def take(self, rows: Array) -> Scored:
        """The same for integer or boolean ``rows``."""
        confidence = {name: score[rows] for name, score in self.confidence.items()}
        familiar = None if self.familiar is None else self.familiar[rows]
        return replace(self, decisions=self.decisions[rows], confidence=confidence, familiar=familiar)


@dataclass(frozen=True, eq=False)
class Decided:
    """Answers that a policy let through or sent to a reader.

    Attributes:
        rule, calibrated, decisions: as in :class:`Scored`.
        score: name of the confidence score. confidence: (N,) of it.
        threshold: (N,) that each case was held against. accepted: (N,) bool, confidence at or above it, or
            equal to it up to rounding, of a case that passes the veto.
        familiar: (N,) bool, whether a case passes the veto. novelty: (N,) the score it asks by, higher = more
            like what was seen. Both None without a veto.
    """

    rule: str
    calibrated: str
    decisions: Integers
    score: str
    confidence: Floats
    threshold: Floats
    familiar: Bools | None = None
    novelty: Floats | None = None

    @property
    def accepted(self) -> Bools:
        """(N,) True where the model answers, False where a reader does."""
        sure = ties.at_least(self.confidence, self.threshold)
        return sure if self.familiar is None else sure & self.familiar

    @property
    def reason(self) -> Strings:
        """(N,) why a reader answers: ``unfamiliar``, ``unsure``, or empty where the model does."""
        reason = np.where(self.accepted, "", "unsure")
        return reason if self.familiar is None else np.where(self.familiar, reason, "unfamiliar")

    def take(self, rows: Array) -> Decided:
        """The same for integer or boolean ``rows``."""
        return replace(
            self,
            decisions=self.decisions[rows],
            confidence=self.confidence[rows],
            threshold=self.threshold[rows],
            familiar=None if self.familiar is None else self.familiar[rows],
            novelty=None if self.novelty is None else self.novelty[rows],
        )
