"""What a bench found on the test rows: seed-means, their spread, and paired differences to the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from primum.bench.losses.validation import Choice, prepared, tidy
from primum.bench.plan import Plan, Run
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
class Judged:
    """One chosen run on the test rows: its view, its metrics by key, and CER at every specificity."""

    run: Run
    view: View
    metrics: Mapping[Key, Measured]
    recalibrator: str
    curve: Floats


def judge(run: Run, out: Path, replicates: int) -> tuple[Judged, pl.DataFrame]:
    """Measure everything on the test rows of a run; the second part holds every finding, one a row."""
    ready, _ = prepared(run, out, "test", replicates)
    view, best = ready.view, ready.best
    metrics, findings = {}, []
    for metric in measure(view):
        findings.append(metric.finding(view))
        if metric.basis.decision is not None or metric.basis.calibrated in (None, best):
            metrics[metric.key[:3]] = metric
    assert view.critical is not None
    mass = decision.critical_mass(view.probs[best], view.critical)
    curve = operating.missed_at_specificity(mass, harm.critical_classes(view.critical)[view.labels], GRID)
    return Judged(run, view, metrics, best, curve), tidy(run, "test", findings)


def summarise(plan: Plan, choice: Choice, judged: Sequence[Judged]) -> dict[str, Any]:
    """The table of one data set and network, JSON-ready: a row per loss and decision rule."""
    entries: dict[tuple[str, str], list[Judged]] = {}
    for loss, rules in choice.strengths.items():
        for rule, strength in rules.items():
            entries[loss, rule] = [
                one for one in judged if (one.run.loss, one.run.strength) == (loss, strength)
            ]
    against = entries[plan.reference, "bayes"]
    view = against[0].view
    rows = []
    for (loss, rule), seeds in entries.items():
        metrics = {}
        for name, key in _shown(rule).items():
            metrics[name] = _summary([one.metrics[key] for one in seeds], view)
            if (loss, rule) != (plan.reference, "bayes"):
                metrics[name]["difference"] = _difference(key, against, seeds, view)
        rows.append(
            {
                "loss": loss,
                "decision": rule,
                "strength": choice.strengths[loss][rule],
                "recalibrators": [one.recalibrator if rule == "bayes" else "none" for one in seeds],
                "named": (loss, choice.strengths[loss][rule], rule) == choice.named,
                "reference": (loss, rule) == (plan.reference, "bayes"),
                "metrics": metrics,
            }
        )
    _adjust(rows)
    curves = [
        {
            "loss": loss, "specificity": GRID,
            "cer": np.mean([one.curve for one in entries[loss, "bayes"]], axis=0).tolist(),
        }
        for loss in choice.strengths
    ]  # fmt: skip
    patients = None if view.clusters is None else len(np.unique(view.clusters))
    return {
        **choice.to_dict(),
        "severity": against[0].run.severity,
        "n": len(view.labels),
        "patients": patients,
        "seeds": [one.run.seed for one in against],
        "rows": rows,
        "curves": curves,
    }


def _shown(rule: str) -> dict[str, Key]:
    """What a row shows: the metrics of its decisions and, beside Bayes, those at matched specificity."""
    found: dict[str, Key] = {code: (code, rule, None) for code in DECIDED}
    if rule == "bayes":
        for specificity in operating.SPECIFICITIES:
            code, reached = missed_code(specificity), reached_code(specificity)
            found[f"{code}_roc"] = (code, None, None)
            found[f"{code}_deployed"] = (code, "operating", None)
            found[reached] = (reached, "operating", None)
    return found


def _summary(measured: Sequence[Measured], view: View) -> dict[str, Any]:
    why = next((metric.why_not for metric in measured if metric.why_not), "")
    if why:
        return {"why_not": why}
    values = [metric.value for metric in measured]
    estimate = combination.mean(measured, view).estimate(view)
    return {
        "mean": float(np.mean(values)), "least": min(values), "most": max(values),
        "low": float(estimate.low), "high": float(estimate.high), "values": values,
    }  # fmt: skip


def _difference(key: Key, against: Sequence[Judged], seeds: Sequence[Judged], view: View) -> dict[str, Any]:
    """Seed-mean minus the reference's, paired by case, with interval and p-value."""
    code, rule, score = key
    other = (code, "bayes" if rule == "argmax" else rule, score)
    paired = combination.difference(
        [one.metrics[other] for one in against], [one.metrics[key] for one in seeds], view
    )
    if paired.why_not:
        return {"why_not": paired.why_not}
    estimate = paired.estimate(view)
    return {
        "value": float(estimate.value), "low": float(estimate.low), "high": float(estimate.high),
        "p": significance.p_value(estimate),
        "family": "primary" if (code, rule) == PRIMARY else "exploratory",
    }  # fmt: skip


def _adjust(rows: Sequence[Mapping[str, Any]]) -> None:
    """Holm-adjust the p-values of each family within one data set and network, in place."""
    differences = [
        metric["difference"]
        for row in rows
        for metric in row["metrics"].values()
        if metric.get("difference", {}).get("p") is not None
    ]
    for family in ("primary", "exploratory"):
        members = [one for one in differences if one["family"] == family]
        for one, p in zip(members, significance.holm([one["p"] for one in members]), strict=True):
            one["p_holm"] = p
