"""What is judged: the rows, the answers of every decision rule on them, and what mistakes cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from primum.core.arrays import Array, Bools, Floats, Integers
from primum.judge.finding import Basis
from primum.judge.metrics.selective import Ranking, rank
from primum.judge.statistics.interval import Resampler


@dataclass(frozen=True, eq=False)
class Answers:
    """What one decision rule answered.

    Attributes:
        rule: ``"argmax"``, ``"bayes"`` or ``"given"``.
        decisions: (N,) class index.
        calibrated: name of the recalibrator whose probabilities it used.
        confidence: score name → (N,), higher = more trustworthy.
        threshold: score name → operating threshold; answers at or above it are used.
        missing: score name → why it does not apply to these rows.
    """

    rule: str
    decisions: Integers
    calibrated: str
    confidence: Mapping[str, Floats]
    threshold: Mapping[str, float]
    missing: Mapping[str, str] = field(default_factory=dict)

    def basis(self, score: str | None = None) -> Basis:
        """What metrics of these answers, or of a score of them, are measured on."""
        return Basis(self.rule, score, self.calibrated)


@dataclass(frozen=True)
class Operating:
    """Thresholds on the critical mass, each fitted to a specificity.

    Attributes:
        calibrated: name of the recalibrator whose probabilities are summed.
        threshold: specificity → threshold; critical at or above it. A specificity that only calling no
            case critical would reach is absent.
        why_not: why nothing could be fitted, or empty.
    """

    calibrated: str
    threshold: Mapping[float, float]
    why_not: str = ""


@dataclass(frozen=True, eq=False)
class View:
    """Labelled rows of one group, ready to be measured.

    Attributes:
        labels: (N,) class index.
        probs: recalibrator name → (N, K) probabilities, ``"none"`` among them.
        answers: rule → answers; a rule that could not be applied is absent.
        clusters: (N,) patient as int, or None when no patients are known.
        units: (N,) int, what the bootstrap draws: the patient, or the rank of the id.
        cost: (K, K) or None. critical: (K, K) bool or None. priors: (K,) deployment priors or None.
        replicates, seed: of the bootstrap.
        operating: thresholds on the critical mass, or None without rows to fit them on.
    """

    labels: Integers
    probs: Mapping[str, Floats]
    answers: Mapping[str, Answers]
    clusters: Integers | None
    units: Integers
    cost: Floats | None
    critical: Bools | None
    priors: Floats | None
    replicates: int
    seed: int
    operating: Operating | None = None

    def take(self, rows: Array) -> View:
        """The same for integer ``rows``; what several rules share stays shared."""
        scores = {
            id(score): score for answers in self.answers.values() for score in answers.confidence.values()
        }
        taken = {key: score[rows] for key, score in scores.items()}
        answers = {
            rule: replace(
                answered,
                decisions=answered.decisions[rows],
                confidence={name: taken[id(score)] for name, score in answered.confidence.items()},
            )
            for rule, answered in self.answers.items()
        }
        return View(
            self.labels[rows],
            {name: probs[rows] for name, probs in self.probs.items()},
            answers=answers,
            clusters=None if self.clusters is None else self.clusters[rows],
            units=self.units[rows],
            cost=self.cost,
            critical=self.critical,
            priors=self.priors,
            replicates=self.replicates,
            seed=self.seed,
            operating=self.operating,
        )

    @property
    def classes(self) -> int:
        """K."""
        return int(self.probs["none"].shape[1])

    @cached_property
    def independent(self) -> int:
        """Patients where they are known, else cases: what stands on its own."""
        return len(self.labels) if self.clusters is None else len(np.unique(self.clusters))

    def clusters_of(self, among: Bools) -> Integers | None:
        """Patients (n,) of the n cases of a mask (N,), None when no patients are known."""
        return None if self.clusters is None else self.clusters[among]

    def smallest(self, groups: Array) -> int:
        """Patients, else cases, of the smallest of the groups (N,) of cases."""
        if self.clusters is None:
            return int(np.unique(groups, return_counts=True)[1].min())
        return min(len(np.unique(self.clusters[groups == group])) for group in np.unique(groups))

    @property
    def noun(self) -> str:
        """What stands on its own, in words."""
        return "cases" if self.clusters is None else "patients"

    @cached_property
    def resampler(self) -> Resampler:
        """Bootstrap weights of these rows, the same for every metric and every model compared on them."""
        return Resampler(self.units, self.replicates, self.seed)

    @cached_property
    def _rankings(self) -> dict[int, tuple[Floats, Ranking]]:
        # by the address of an array, which stays taken as long as the array stands beside its ranking
        return {}

    def ranking(self, confidence: Floats) -> Ranking:
        """Ranking of a score (N,), sorted once however many rules and metrics ask for that array."""
        if id(confidence) not in self._rankings:
            self._rankings[id(confidence)] = (confidence, rank(confidence))
        return self._rankings[id(confidence)][1]

    @cached_property
    def counts(self) -> Integers:
        """(K,) cases of each class."""
        return np.bincount(self.labels, minlength=self.classes)
