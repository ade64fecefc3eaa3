"""The scores a bench compares, and whose answers each of them speaks of."""

from __future__ import annotations

from primum.judge.confidence import SCORES

KNOWN = tuple(SCORES)
REFERENCES = ("mcd_msr", "msr")


def of_passes(score: str) -> bool:
    """Whether a score speaks of the answers of the mean softmax over the passes (METHODS §4)."""
    return "mcd_" in score


def gambled(score: str) -> bool:
    """Whether a score is of the Deep Gamblers network, and so of that network's own answers."""
    return score.startswith("dg")


def answers_of(score: str) -> str:
    """Whose answers a score speaks of, in words."""
    whose = "Deep Gamblers" if gambled(score) else "cross-entropy"
    return f"{whose}, mean of passes" if of_passes(score) else whose
