"""The test rows of a bench: means over seeds, their range, and paired differences to the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from primum.bench.losses.plan import Plan, Run
from primum.bench.losses.validation import Choice, finding_rows, prepare_split
from primum.core.arrays import Floats
from primum.judge import decision
from primum.judge.answers import View
from primum.judge.metrics import combination, harm, operating
from primum.judge.metrics.measure_operating import missed_code, reached_code
from primum.judge.metrics.measure_view import measure
from primum.judge.metrics.measured import Measured
from primum.judge.metrics.table import codes
from primum.judge.statistics import significance

DECIDED = codes("loss_bench")
PRIMARY = ("expected_cost", "bayes")
Key = tuple[str, str | None, str | None]
GRID = np.linspace(0.01, 1, 100).tolist()


@dataclass(frozen=True, eq=False)
class Judgement:
    """One chosen run on the test rows: its view, its metrics by key, and CER at every specificity."""

    run: Run
    view: View
    metrics: Mapping[Key, Measured]
    recalibrator: str
    curve: Floats


@dataclass(frozen=True)
class Difference:
    """A seed-mean minus the reference's, paired by case.

    Attributes:
        value, low, high, p: of the difference. family: the comparisons it is adjusted with.
        p_holm: p after Holm's adjustment within the family, None before.
        why_not: why it cannot be computed, or "".
    """

    value: float = 0.0
    low: float = 0.0
    high: float = 0.0
    p: float | None = None
    family: str = ""
    p_holm: float | None = None
    why_not: str = ""

    def to_dict(self) -> dict[str, object]:
        """Plain values, ready for JSON."""
        if self.why_not:
            return {"why_not": self.why_not}
        content: dict[str, object] = {
            "value": self.value, "low": self.low, "high": self.high, "p": self.p, "family": self.family,
        }  # fmt: skip
        return content if self.p_holm is None else content | {"p_holm": self.p_holm}


@dataclass(frozen=True)
class SeedsMean:
    """A metric of S seeds: the mean with its interval, each value, and the difference to the reference."""

    values: tuple[float, ...] = ()
    low: float = 0.0
    high: float = 0.0
    difference: Difference | None = None
    why_not: str = ""

    def to_dict(self) -> dict[str, object]:
        """Plain values, ready for JSON."""
        paired = {} if self.difference is None else {"difference": self.difference.to_dict()}
        if self.why_not:
            return {"why_not": self.why_not, **paired}
        return {
            "mean": float(np.mean(self.values)), "least": min(self.values), "most": max(self.values),
            "low": self.low, "high": self.high, "values": list(self.values), **paired,
        }  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One loss with one decision rule on the test rows, its metrics under the names of ``bench.json``."""

    loss: str
    decision: str
    strength: str
    recalibrators: tuple[str, ...]
    named: bool
    reference: bool
    metrics: Mapping[str, SeedsMean]

    def to_dict(self) -> dict[str, object]:
        """Plain values, ready for JSON."""
        return {
            "loss": self.loss, "decision": self.decision, "strength": self.strength,
            "recalibrators": list(self.recalibrators), "named": self.named, "reference": self.reference,
            "metrics": {name: metric.to_dict() for name, metric in self.metrics.items()},
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class Summary:
    """One data set and network.

    Attributes:
        choice: made on its validation rows. severity: it is judged by.
        n, patients: test cases, and whom they are of where that is known. seeds: of the trainings.
        rows: one per loss and decision rule. curves: loss → CER at every specificity of :data:`GRID`.
    """

    choice: Choice
    severity: str
    n: int
    patients: int | None
    seeds: tuple[int, ...]
    rows: tuple[Row, ...]
    curves: Mapping[str, Floats]

    def to_dict(self) -> dict[str, object]:
        """Plain values, ready for JSON."""
        return {
            **self.choice.to_dict(),
            "severity": self.severity,
            "n": self.n,
            "patients": self.patients,
            "seeds": list(self.seeds),
            "rows": [row.to_dict() for row in self.rows],
            "curves": [
                {"loss": loss, "specificity": GRID, "cer": curve.tolist()}
                for loss, curve in self.curves.items()
            ],
        }


def judge(run: Run, out: Path, replicates: int) -> tuple[Judgement, pl.DataFrame]:
    """Measure everything on the test rows of a run; the second part holds every finding, one a row."""
    ready, _ = prepare_split(run, out, "test", replicates)
    view, best = ready.view, ready.best
    metrics, findings = {}, []
    for metric in measure(view):
        findings.append(metric.finding(view))
        if metric.basis.decision is not None or metric.basis.calibrated in (None, best):
            metrics[metric.key[:3]] = metric
    assert view.critical is not None
    mass = decision.critical_mass(view.probs[best], view.critical)
    curve = operating.missed_at_specificity(mass, harm.critical_classes(view.critical)[view.labels], GRID)
    return Judgement(run, view, metrics, best, curve), finding_rows(run, "test", findings)


def summarise(plan: Plan, choice: Choice, judgements: Sequence[Judgement]) -> Summary:
    """The rows of one data set and network, one per loss and decision rule, and the curves of its losses."""
    setting = (choice.data, choice.network)
    by_row: dict[tuple[str, str], list[Judgement]] = {
        (loss, rule): [
            judgement
            for judgement in judgements
            if (judgement.run.setting, judgement.run.candidate) == (setting, (loss, strength))
        ]
        for loss, rules in choice.strengths.items()
        for rule, strength in rules.items()
    }
    against = by_row[plan.reference, "bayes"]
    view = against[0].view
    rows = []
    for (loss, rule), seeds in by_row.items():
        strength, reference = choice.strengths[loss][rule], (loss, rule) == (plan.reference, "bayes")
        metrics = {}
        for name, key in _keys(rule).items():
            mean = _mean([judgement.metrics[key] for judgement in seeds], view)
            metrics[name] = mean if reference else replace(mean, difference=_pair(key, against, seeds, view))
        recalibrators = tuple(judgement.recalibrator if rule == "bayes" else "none" for judgement in seeds)
        named = (loss, strength, rule) == choice.named
        rows.append(
            Row(
                loss,
                rule,
                strength=strength,
                recalibrators=recalibrators,
                named=named,
                reference=reference,
                metrics=metrics,
            )
        )
    curves = {
        loss: np.asarray(np.mean([judgement.curve for judgement in by_row[loss, "bayes"]], axis=0))
        for loss in choice.strengths
    }
    return Summary(
        choice, against[0].run.severity, n=len(view.labels),
        patients=None if view.clusters is None else len(np.unique(view.clusters)),
        seeds=tuple(judgement.run.seed for judgement in against), rows=_adjust(rows), curves=curves,
    )  # fmt: skip


def _keys(rule: str) -> dict[str, Key]:
    """The metrics of a row: those of its decisions and, with Bayes, those at matched specificity."""
    keys: dict[str, Key] = {code: (code, rule, None) for code in DECIDED}
    if rule == "bayes":
        for specificity in operating.SPECIFICITIES:
            code, reached = missed_code(specificity), reached_code(specificity)
            keys[f"{code}_roc"] = (code, None, None)
            keys[f"{code}_deployed"] = (code, "operating", None)
            keys[reached] = (reached, "operating", None)
    return keys


def _mean(measured: Sequence[Measured], view: View) -> SeedsMean:
    why = next((metric.why_not for metric in measured if metric.why_not), "")
    if why:
        return SeedsMean(why_not=why)
    estimate = combination.mean(measured, view).estimate(view)
    return SeedsMean(tuple(metric.value for metric in measured), float(estimate.low), float(estimate.high))


def _pair(key: Key, against: Sequence[Judgement], seeds: Sequence[Judgement], view: View) -> Difference:
    """Seed-mean minus the reference's, paired by case, with interval and p-value."""
    code, rule, score = key
    # The reference answers with Bayes alone: what a loss gains at argmax counts only beyond what it gains.
    partner = (code, "bayes" if rule == "argmax" else rule, score)
    paired = combination.difference(
        [judgement.metrics[partner] for judgement in against],
        [judgement.metrics[key] for judgement in seeds],
        view,
    )
    if paired.why_not:
        return Difference(why_not=paired.why_not)
    estimate = paired.estimate(view)
    return Difference(
        float(estimate.value), float(estimate.low), float(estimate.high), significance.p_value(estimate),
        "primary" if (code, rule) == PRIMARY else "exploratory",
    )  # fmt: skip


def _adjust(rows: Sequence[Row]) -> tuple[Row, ...]:
    """The rows with the p-values of each family Holm-adjusted within their data set and network."""
    adjusted: dict[tuple[int, str], float] = {}
    for family in ("primary", "exploratory"):
        p_values = {
            (at, name): metric.difference.p
            for at, row in enumerate(rows)
            for name, metric in row.metrics.items()
            if metric.difference is not None
            and metric.difference.p is not None
            and metric.difference.family == family
        }
        adjusted |= dict(zip(p_values, significance.holm(list(p_values.values())), strict=True))

    def adjust(at: int, name: str, metric: SeedsMean) -> SeedsMean:
        if metric.difference is None or (at, name) not in adjusted:
            return metric
        return replace(metric, difference=replace(metric.difference, p_holm=adjusted[at, name]))

    return tuple(
        replace(row, metrics={name: adjust(at, name, metric) for name, metric in row.metrics.items()})
        for at, row in enumerate(rows)
    )
