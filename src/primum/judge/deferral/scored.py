"""What one decision rule answered on some rows, with every confidence score a policy can be fitted on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from primum.core import ties
from primum.core.arrays import Array, Bools, Floats, Integers


@dataclass(frozen=True, eq=False)
class Scored:
    """Answers of one rule with their confidence, labels not needed.

    Attributes:
        rule: ``"argmax"``, ``"bayes"`` or ``"given"``. calibrated: recalibrator whose probabilities it used.
        decisions: (N,) class index.
        confidence: score name → (N,), higher = more trustworthy.
        missing: score name → why one that was asked for does not apply.
    """

    rule: str
    calibrated: str
    decisions: Integers
    confidence: Mapping[str, Floats]
    missing: Mapping[str, str] = field(default_factory=dict)

    def take(self, rows: Array) -> Scored:
        """The same for integer or boolean ``rows``."""
        confidence = {name: score[rows] for name, score in self.confidence.items()}
        return Scored(self.rule, self.calibrated, self.decisions[rows], confidence, self.missing)


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
            self.rule,
            self.calibrated,
            decisions=self.decisions[rows],
            score=self.score,
            confidence=self.confidence[rows],
            threshold=self.threshold[rows],
        )
