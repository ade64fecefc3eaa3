"""Whose answers each score of a bench speaks of, read from the table of scores."""

from __future__ import annotations

from primum.judge.confidence import SCORES
from primum.judge.confidence.scores import GAMBLERS

REFERENCES = ("mcd_msr", "msr")


def of_passes(name: str) -> bool:
    """Whether a score speaks of the answers of the mean softmax over the passes.

    >>> of_passes("dg_mcd_msr"), of_passes("msr")
    (True, False)
    """
    return name in SCORES and SCORES[name].passes


def gambled(name: str) -> bool:
    """Whether a score is of the Deep Gamblers network, and so of that network's own answers."""
    return name in SCORES and SCORES[name].network == GAMBLERS


def answers_of(name: str) -> str:
    """Whose answers a score speaks of, in words.

    >>> answers_of("dg_mcd_msr")
    'Deep Gamblers, mean of passes'
    """
    network = GAMBLERS if gambled(name) else "cross-entropy"
    return f"{network}, mean of passes" if of_passes(name) else network
