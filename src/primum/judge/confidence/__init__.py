"""How sure the model is of each answer, higher = more trustworthy (docs/methods.md#confidence-scores)."""

from primum.judge.confidence.evidence import Evidence, Fit, Reference
from primum.judge.confidence.logit import energy, max_logit
from primum.judge.confidence.scores import (
    ALONE,
    CONSEQUENCES,
    LEARNED,
    PROBABILITIES,
    RANKED,
    SCORES,
    Score,
    confidences,
    not_applicable,
)
from primum.judge.confidence.softmax import gini, margin, msr, pe

__all__ = [
    "ALONE", "CONSEQUENCES", "LEARNED", "PROBABILITIES", "RANKED", "SCORES", "Evidence", "Fit", "Reference",
    "Score", "confidences", "energy", "gini", "margin", "max_logit", "msr", "not_applicable", "pe",
]  # fmt: skip
