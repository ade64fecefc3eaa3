"""How sure the model says it is of each answer: higher = more trustworthy (METHODS §4)."""

from primum.judge.confidence.evidence import Evidence, Fit, Reference
from primum.judge.confidence.logit import energy, max_logit
from primum.judge.confidence.scores import SCORES, Score, confidences, not_applicable
from primum.judge.confidence.softmax import PROBABILITIES, gini, margin, msr, pe

__all__ = [
    "PROBABILITIES", "SCORES", "Evidence", "Fit", "Reference", "Score", "confidences", "energy", "gini",
    "margin", "max_logit", "msr", "not_applicable", "pe",
]  # fmt: skip
