"""One score in one shift: every metric of what it leaves undetected, with its bootstrap replicates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from primum.core import ties
from primum.core.arrays import Bools, Floats, Integers, Singles, Strings
from primum.judge.metrics import harm
from primum.judge.metrics.measured import MIN_CASES, ONE_PATIENT, too_few
from primum.judge.metrics.selective_draws import CODES, metrics_of_draws, most_confident_third
from primum.judge.statistics import interval, shares

SILENT = ("silent_failure_rate", "silent_critical_rate")
CONFIDENT = "critical_share_confident"
STILL = 1e-12


@dataclass(frozen=True, eq=False)
class Scored:
    """One score of one trained network on the N cases of a shift.

    Attributes:
        confidence: (N,) higher = more trustworthy. decisions: (N,) class index, what it speaks of.
        threshold: at or above it answers are used; read on the fit rows of the same network.
    """

    confidence: Floats
    decisions: Integers
    threshold: float


@dataclass(frozen=True, eq=False)
class Cases:
    """The cases of a shift, the same for every network and score.

    Attributes:
        ids: (N,) str. labels: (N,) class index.
        clusters: (N,) int, patient of each case, or None. weights: (N, B) how often each was drawn.
        cost: (K, K). critical: (K, K) bool.
    """

    ids: Strings
    labels: Integers
    clusters: Integers | None
    weights: Singles
    cost: Floats
    critical: Bools

    @cached_property
    def independent(self) -> int:
        """Patients where they are known, else cases."""
        return len(self.labels) if self.clusters is None else len(np.unique(self.clusters))

    @property
    def of_critical(self) -> Bools:
        """(N,) whether a case is of a critical class."""
        return harm.critical_classes(self.critical)[self.labels]


@dataclass(frozen=True, eq=False)
class Metric:
    """One metric of one score, mean over S seeds.

    Attributes:
        values: (S,) of each seed. draws: (B,) mean over seeds in each replicate, NaN where unknown.
        low, high: 95 % interval of the mean. why_not: why it cannot be computed, or "".
    """

    values: Floats
    draws: Floats
    low: float
    high: float
    why_not: str = ""

    @property
    def value(self) -> float:
        """Mean over seeds."""
        return float(self.values.mean())


@dataclass(frozen=True, eq=False)
class ScoreMetrics:
    """All a bench says of one score in one shift.

    Attributes:
        metrics: code → metric. counts: what happens at the operating threshold, means over seeds.
        silent: (S, N) bool, wrong answers at or above the threshold, by seed.
    """

    metrics: Mapping[str, Metric]
    counts: Mapping[str, float]
    silent: Bools


def judge(cases: Cases, seeds: Sequence[Scored]) -> ScoreMetrics:
    """Every metric of one score, from one :class:`Scored` per seed."""
    wrong = np.stack([seed.decisions != cases.labels for seed in seeds])
    costs = np.stack([cases.cost[cases.labels, seed.decisions] for seed in seeds])
    critical = np.stack([cases.critical[cases.labels, seed.decisions] for seed in seeds])
    accepted = np.stack([ties.at_least(seed.confidence, seed.threshold) for seed in seeds])
    metrics = _ranked(cases, seeds, wrong, costs)
    silent = wrong & accepted
    among = (np.ones(len(cases.labels), dtype=bool), cases.of_critical)
    for code, hits, of in zip(SILENT, (silent, critical & accepted), among, strict=True):
        metrics[code] = _share(cases, hits, of)
    metrics[CONFIDENT] = _confident(cases, seeds, wrong, critical)
    counts = {
        "accuracy": 1 - wrong.mean(), "coverage": accepted.mean(),
        "failures": wrong.sum(axis=1).mean(), "silent": silent.sum(axis=1).mean(),
        "critical": critical.sum(axis=1).mean(),
        "silent_critical": (critical & accepted).sum(axis=1).mean(),
    }  # fmt: skip
    return ScoreMetrics(metrics, {name: float(value) for name, value in counts.items()}, silent)


def _ranked(cases: Cases, seeds: Sequence[Scored], wrong: Bools, costs: Floats) -> dict[str, Metric]:
    """The metrics of the order a score brings the answers into."""
    n = len(cases.labels)
    if n < MIN_CASES:
        return {code: nothing(too_few(n)) for code in CODES}
    ones = np.ones((n, 1))
    estimates, replicates = [], []
    for seed, errors, spent in zip(seeds, wrong, costs, strict=True):
        estimates.append(metrics_of_draws(errors, spent, seed.confidence, ones))
        replicates.append(metrics_of_draws(errors, spent, seed.confidence, cases.weights))
    worst = float(cases.cost.max())
    metrics = {}
    for code in CODES:
        values = np.array([estimate[code][0] for estimate in estimates])
        if not np.isfinite(values).all():
            every = bool(wrong[~np.isfinite(values)][0].all())
            metrics[code] = nothing("every answer is wrong" if every else "there is no error to find")
            continue
        bounds = (0.0, worst if code.startswith("cost_") else 1.0)
        draws = np.mean([replicate[code] for replicate in replicates], axis=0)
        metrics[code] = metric(values, draws, n, cases.independent, bounds)
    return metrics


def metric(values: Floats, draws: Floats, n: int, units: int, bounds: tuple[float, float]) -> Metric:
    """A mean over seeds (S,) with its interval from replicates (B,) of the mean, over so many units."""
    if units < 2:
        return nothing(ONE_PATIENT)
    value, finite = float(values.mean()), draws[np.isfinite(draws)]
    if not len(finite):
        return nothing("no replicate has both right and wrong answers")
    # Sums in another order differ in the last bits: replicates that all say the same must not get an interval
    # of rounding errors, but the exact bound on what was never seen to move.
    still = np.ptp(finite) <= STILL * max(1.0, abs(value))
    estimate = (
        shares.unmoved(value, n, bounds, units)
        if still
        else interval.from_replicates(value, finite, n, units, bounds=bounds)
    )
    return Metric(values, draws, float(estimate.low), float(estimate.high))


def nothing(why: str) -> Metric:
    """A metric that cannot be computed."""
    return Metric(np.empty(0), np.empty(0), 0.0, 0.0, why)


def _share(cases: Cases, hits: Bools, among: Bools) -> Metric:
    """A share of the same cases in every seed: exact interval, every case adding its mean over seeds."""
    n = int(among.sum())
    if not n:
        return nothing("no case is of a critical class")
    mean = hits.mean(axis=0)
    clusters = None if cases.clusters is None else cases.clusters[among]
    exact = shares.share(mean[among], clusters)
    total = among.astype(np.float32) @ cases.weights
    # A replicate may hold no case of a critical class; its share is NaN, and ranks leave it out.
    with np.errstate(divide="ignore", invalid="ignore"):
        draws = (mean * among).astype(np.float32) @ cases.weights / total
    return Metric(
        hits[:, among].mean(axis=1), np.asarray(draws, np.float64), float(exact.low), float(exact.high)
    )


def _confident(cases: Cases, seeds: Sequence[Scored], wrong: Bools, critical: Bools) -> Metric:
    """Share of critical errors among the most confident third of the failures, minus that elsewhere."""
    fewest = int(wrong.sum(axis=1).min())
    if fewest < MIN_CASES:
        return nothing(f"at least {MIN_CASES} failures are needed, there are {fewest}")
    if critical[wrong].all() or not critical[wrong].any():
        return nothing(f"{'every' if critical.any() else 'no'} failure is critical")
    values, replicates = [], []
    for seed, errors, severe in zip(seeds, wrong, critical, strict=True):
        failures = severe[errors], seed.confidence[errors]
        top, remainder = most_confident_third(*failures, np.ones((int(errors.sum()), 1)))
        values.append(top[0] - remainder[0])
        tops, remainders = most_confident_third(*failures, cases.weights[errors])
        replicates.append(tops - remainders)
    if not np.isfinite(values).all():
        return nothing("the failures are all equally confident")
    units = interval.carriers(np.asarray(wrong.any(axis=0)), cases.clusters)
    return metric(np.array(values), np.mean(replicates, axis=0), fewest, units, (-1.0, 1.0))


def difference(score: Metric, reference: Metric, cases: Cases, *, worst: float) -> Metric:
    """Mean over seeds minus the reference's, paired over patients; ``worst`` is the range of the metric."""
    why = score.why_not or reference.why_not
    if why:
        return nothing(why)
    value = score.value - reference.value
    # Half the range to either side: the width of the interval must not depend on where the value lies.
    bounds = (value - worst / 2, value + worst / 2)
    return metric(
        np.array([value]), score.draws - reference.draws, len(cases.labels), cases.independent, bounds
    )
