"""One metric before its interval: its value, and the evidence that an interval of it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from primum.core.arrays import Array, Bools, Floats
from primum.judge.answers import View
from primum.judge.finding import NO_BASIS, Basis, Finding, from_estimate, not_applicable
from primum.judge.statistics import interval, shares
from primum.judge.statistics.interval import Estimate

MIN_CASES = 10
NO_SEVERITY = "no severity matrix was given"
NO_CRITICAL = "no critical cells were given"
ONE_PATIENT = "all its cases are of one patient, which cannot tell how patients differ"
STILL = 1e-12  # a spread below it, in units of the value, is rounding
UNBOUNDED = (-np.inf, np.inf)


def too_few(n: int) -> str:
    """Why a metric that needs at least ten cases is not computed."""
    return f"at least {MIN_CASES} cases are needed, there are {n}"


@dataclass(frozen=True, eq=False)
class Share:
    """A share of cases, or their count; its interval is exact.

    Attributes:
        hits: (N,) 0/1, or their mean over models.
        among: (N,) bool, the cases of its denominator; at least one.
        count: whether the hits are counted instead of divided.
    """

    hits: Array
    among: Bools
    count: bool = False

    @property
    def n(self) -> int:
        """Cases of the denominator."""
        return int(self.among.sum())

    @property
    def value(self) -> float:
        """The share, or the count."""
        hits = self.hits[self.among]
        return float(hits.sum()) if self.count else float(hits.mean())

    @property
    def bounds(self) -> tuple[float, float]:
        """Least and largest value it can have."""
        return 0.0, float(self.n) if self.count else 1.0

    def estimate(self, view: View) -> Estimate:
        """Exact interval, on as many independent cases as the patients are worth."""
        share = shares.share(self.hits[self.among], view.clusters_of(self.among))
        return shares.scaled(share, self.n) if self.count else share


@dataclass(frozen=True, eq=False)
class Influence:
    """A smooth metric with its derivative by the weight of each case.

    Attributes:
        value: the metric.
        influence: (N,) of each case; their spread is its standard error.
        scale: ``"plain"``, ``"log"`` or ``"logit"``, on which its interval is symmetric.
        bounds: range of the metric.
        weakest: patients, else cases, of the smallest group it needs.
        interval: a ready interval, where the metric has one of its own.
    """

    value: float
    influence: Floats
    scale: str = "plain"
    bounds: tuple[float, float] = UNBOUNDED
    weakest: int = 0
    interval: Estimate | None = None

    @property
    def n(self) -> int:
        """Cases it stands on."""
        return len(self.influence)

    def estimate(self, view: View) -> Estimate:
        """Student's t on the scale of the metric; where no case moves it, the bound on what was not seen."""
        if self.interval is not None:
            return self.interval
        error = interval.influence_error(self.influence, view.clusters)
        if error <= STILL * max(1.0, abs(self.value)):
            return shares.unmoved(self.value, self.n, self.bounds, self.weakest, view.noun)
        free = interval.freedom(self.influence, view.clusters)
        return interval.normal(self.value, error, self.n, free, scale=self.scale, bounds=self.bounds)


@dataclass(frozen=True, eq=False)
class Replicates:
    """A metric with its values in bootstrap replicates of the rows.

    Attributes:
        value: the metric.
        n: cases it stands on.
        draws: (B,) its values.
        kind: ``"percentile"``, ``"basic"`` or ``"spread"``, see :func:`interval.from_replicates`.
        bounds: range of the metric.
        weakest: patients, else cases, of the smallest group it needs.
        free: degrees of freedom where few patients carry the spread, else 0.
        interval: a ready interval, where the metric has one of its own.
    """

    value: float
    n: int
    draws: Floats
    kind: str = "percentile"
    bounds: tuple[float, float] = UNBOUNDED
    weakest: int = 0
    free: float = 0
    interval: Estimate | None = None

    def estimate(self, view: View) -> Estimate:
        """Bootstrap interval; where no replicate moves it, the bound on what was not seen."""
        if self.interval is not None:
            return self.interval
        if np.ptp(self.draws) <= STILL * max(1.0, abs(self.value)):
            return shares.unmoved(self.value, self.n, self.bounds, self.weakest, view.noun)
        return interval.from_replicates(
            self.value, self.draws, self.n, view.independent,
            kind=self.kind, bounds=self.bounds, free=self.free,
        )  # fmt: skip


@dataclass(frozen=True)
class NotApplicable:
    """A metric that cannot be computed, and why.

    Attributes:
        n: cases there are. why: one sentence.
    """

    n: int
    why: str
    value: Literal[0] = 0

    def estimate(self, view: View) -> Estimate:
        """There is none: always an error of the program."""
        raise ValueError(f"{self.why}: there is no interval")


Evidence = Share | Influence | Replicates | NotApplicable


@dataclass(frozen=True, eq=False)
class Measured:
    """One metric on one view, before its interval.

    Attributes:
        code: name of the finding, one of the table of metrics.
        basis: decision, score and probabilities it was measured on.
        evidence: the value with what its interval needs, or why there is none.
        why: what a reader must know of the value, or empty.
    """

    code: str
    evidence: Evidence
    basis: Basis = NO_BASIS
    why: str = ""

    @property
    def key(self) -> tuple[str, str | None, str | None, str | None]:
        """What it measures, to pair it with the same on another model."""
        return self.code, *self.basis

    @property
    def n(self) -> int:
        """Cases it stands on."""
        return self.evidence.n

    @property
    def value(self) -> float:
        """The metric; 0 where it cannot be computed."""
        return self.evidence.value

    @property
    def why_not(self) -> str:
        """Why it cannot be computed, or empty."""
        return self.evidence.why if isinstance(self.evidence, NotApplicable) else ""

    def estimate(self, view: View) -> Estimate:
        """The interval of this kind of metric, see ``docs/methods.md#intervals``."""
        return self.evidence.estimate(view)

    def finding(self, view: View, group: str = "all", policy: str | None = None) -> Finding:
        """The metric with its interval, or with the reason why there is none."""
        if self.why_not:
            return not_applicable(
                self.code, self.why_not, self.n, basis=self.basis, group=group, policy=policy
            )
        return from_estimate(
            self.code, self.estimate(view), self.why, basis=self.basis, group=group, policy=policy
        )

    def of_patients(self, view: View) -> Measured:
        """The same, or why it cannot be judged where all its cases are of one patient."""
        if view.clusters is None or isinstance(self.evidence, NotApplicable):
            return self
        among = self.evidence.among if isinstance(self.evidence, Share) else slice(None)
        clusters = view.clusters[among]
        if len(clusters) and (clusters != clusters[0]).any():
            return self
        return unmeasured(self.code, self.basis, self.n, ONE_PATIENT)


def unmeasured(code: str, basis: Basis, n: int, why: str) -> Measured:
    """A metric that cannot be computed on ``n`` cases, and why."""
    return Measured(code, NotApplicable(n, why), basis)
