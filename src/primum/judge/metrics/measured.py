"""One metric before its interval: the value, and what an interval of it needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from primum.core.arrays import Array, Bools, Floats
from primum.judge.answers import View
from primum.judge.statistics import interval, shares
from primum.judge.statistics.interval import Estimate

FEWEST = 10
NO_SEVERITY = "no severity matrix was given"
NO_CRITICAL = "no critical cells were given"
ONE_PATIENT = "all its cases are of one patient, which cannot tell how patients differ"


def few(n: int) -> str:
    """Why a metric that needs at least ten cases is not computed."""
    return f"at least {FEWEST} cases are needed, there are {n}"


@dataclass(frozen=True, eq=False)
class Measured:
    """One metric on one view, before its interval.

    Exactly one of ``hits``, ``influence``, ``replicates`` and ``why_not`` is set.

    Attributes:
        code: name of the finding.
        decision, score, calibrated: what it was measured on.
        value: the metric.
        n: cases it stands on.
        hits: (N,) 0/1, or their mean over models; for a share or a count. among: (N,) bool, its denominator.
        influence: (N,) influence of each case.
        replicates: (B,) bootstrap values.
        scale: of a normal interval. bounds: range of the metric.
        weakest: patients, else cases, of the smallest group it needs.
        free: degrees of freedom of replicates where few patients carry them, else 0.
        estimate: a ready interval, where the metric has one of its own.
        why_not: why it cannot be computed. why: what a reader must know.
    """

    code: str
    decision: str | None = None
    score: str | None = None
    calibrated: str | None = None
    value: float = 0.0
    n: int = 0
    hits: Array | None = None
    among: Bools | None = None
    count: bool = False
    influence: Floats | None = None
    replicates: Floats | None = None
    kind: str = "percentile"
    scale: str = "plain"
    bounds: tuple[float, float] = (-np.inf, np.inf)
    weakest: int = 0
    free: float = 0
    estimate: Estimate | None = None
    why_not: str = ""
    why: str = ""

    @property
    def key(self) -> tuple[str, str | None, str | None, str | None]:
        """What it measures, to pair it with the same on another model."""
        return self.code, self.decision, self.score, self.calibrated

    def estimated(self, view: View) -> Estimate:
        """The interval of this kind of metric; see ``docs/methods.md``."""
        if self.estimate is not None:
            return self.estimate
        if self.hits is not None:
            assert self.among is not None
            hits = self.hits[self.among]
            clusters = None if view.clusters is None else view.clusters[self.among]
            share = shares.share(hits, clusters)
            return shares.scaled(share, self.n) if self.count else share
        if self.influence is not None:
            error = interval.influence_error(self.influence, view.clusters)
            if error <= 1e-12 * max(1.0, abs(self.value)):
                return self._unmoved(view)
            free = interval.freedom(self.influence, view.clusters)
            return interval.normal(self.value, error, self.n, free, self.scale, self.bounds)
        assert self.replicates is not None
        if np.ptp(self.replicates) <= 1e-12 * max(1.0, abs(self.value)):
            return self._unmoved(view)
        return interval.from_replicates(
            self.value, self.replicates, self.n, view.independent, self.kind, self.bounds, self.free
        )

    def _unmoved(self, view: View) -> Estimate:
        return shares.unmoved(self.value, self.n, self.bounds, self.weakest, view.noun)

    def of_patients(self, view: View) -> Measured:
        """The same, or why it cannot be judged where all its cases are of one patient."""
        if view.clusters is None or self.why_not:
            return self
        clusters = view.clusters if self.among is None else view.clusters[self.among]
        if len(clusters) and (clusters != clusters[0]).any():
            return self
        return Measured(*self.key, n=self.n, why_not=ONE_PATIENT)
