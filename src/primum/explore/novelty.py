"""Has such an image been seen? The question before confidence, asked of the cases of a scene."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from primum.auditing.answers import evidence_of
from primum.auditing.policy.terms import percent
from primum.auditing.preparation import codes
from primum.core import ties
from primum.core.arrays import Bools, Floats
from primum.explore.scene import Scene
from primum.explore.scores import reference_of
from primum.judge.confidence import confidences, scores
from primum.judge.deferral import veto
from primum.predictions import Predictions

NOVELTY = (*scores.NOVELTY, "mahalanobis")


@dataclass(frozen=True)
class Veto:
    """Cases pass where a novelty score of the scene is at or above a threshold; minus infinity lets all pass.

    Attributes:
        score: its name. threshold: of it. rate: share of known patients (else cases) below it, at most.
    """

    score: str
    threshold: float
    rate: float

    def passes(self, scene: Scene) -> Bools:
        """(N,) of all cases; those without the score do not pass."""
        return ties.at_least(scene.cases[f"score_{self.score}"].to_numpy(), self.threshold)


def names(scene: Scene) -> tuple[str, ...]:
    """The novelty scores a scene has, the best for a veto first."""
    return tuple(name for name in NOVELTY if name in scene.scores)


def why_none(scene: Scene) -> str:
    """Why a scene has no novelty score, or empty."""
    if names(scene):
        return ""
    reasons = [f"{name}: {scene.not_applicable[name]}" for name in NOVELTY if name in scene.not_applicable]
    return reasons[-1] if reasons else "no score of these tables looks at training rows"


def source(scene: Scene) -> str:
    """Which rows the threshold of a veto is read from, in words."""
    if scene.fit is not None:
        return "fit rows"
    return f"rows of {scene.domains[scene.plain].name} themselves"


def noun(scene: Scene) -> str:
    """What counts as one known case: ``patients`` where they are known, else ``cases``."""
    return "cases" if _known(scene).patients is None else "patients"


def _known(scene: Scene) -> Predictions:
    return scene.domains[scene.plain].predictions if scene.fit is None else scene.fit


@lru_cache(maxsize=32)
def minima(scene: Scene, score: str) -> Floats:
    """(U,) lowest novelty score of each known patient, else of each case.

    Known are the fit rows, on which nothing of the score was learned; without any the rows that operating
    thresholds are read from.
    """
    rows = _known(scene)
    if scene.fit is None:
        novelty = scene.cases.filter(domain=scene.domains[scene.plain].name)[f"score_{score}"].to_numpy()
    else:
        evidence = evidence_of(rows, reference_of(scene.fit, scene.train))
        novelty = confidences(evidence, (score,))[0].get(score, np.empty(0))
    if not len(novelty):
        return np.empty(0)
    return veto.minima(novelty, None if rows.patients is None else codes(rows.patients))


def at_rate(scene: Scene, score: str, rate: float) -> Veto:
    """The veto that sends away at most a share of known patients, as :func:`primum.judge.deferral.veto.gate`.

    At 0, and where the known patients are too few for a rate, it lets every case pass.

    Args:
        scene: with the novelty score. rate: 0 to below 1.
    """
    lowest = minima(scene, score)
    if rate <= 0 or too_few(scene, score, rate):
        return Veto(score, -np.inf, 0.0)
    return Veto(score, veto.gate(lowest, rate).threshold, rate)


def too_few(scene: Scene, score: str, rate: float) -> str:
    """Why no case is sent away at a rate above 0, or empty."""
    many = len(minima(scene, score))
    if rate <= 0 or veto.rank(rate, many) >= 1:
        return ""
    return f"{many} known {noun(scene)} set no veto at {percent(rate)}, which takes {veto.fewest(rate)}"
