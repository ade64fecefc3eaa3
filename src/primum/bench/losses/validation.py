"""Strengths and the combination to stand by, chosen on validation rows before any test row is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from rich.console import Console
from rich.progress import track

from primum import tables
from primum.auditing.options import Options, options
from primum.auditing.preparation import Prepared, prepare
from primum.bench.plan import Plan, Run
from primum.core.check import InputError
from primum.judge.finding import Finding
from primum.judge.metrics.measure_view import measure
from primum.predictions import Predictions
from primum.tables.selection import select

RULES = ("argmax", "bayes")
CRITERION = (
    "least mean over seeds of the expected cost on the validation rows, under the decision rule that is "
    "reported (argmax on the network's own probabilities, or Bayes after recalibration on the calibration "
    "rows); the first listed where two tie"
)


@dataclass(frozen=True)
class Choice:
    """What was chosen within one data set and network.

    Attributes:
        data, network: the setting.
        costs: loss → rule → strength → mean validation cost over seeds.
        strengths: loss → rule → the strength chosen.
        named: (loss, strength, rule) of the least validation cost, the reference's Bayes decision left out.
        reference: validation cost of the reference's Bayes decision.
    """

    data: str
    network: str
    costs: Mapping[str, Mapping[str, Mapping[str, float]]]
    strengths: Mapping[str, Mapping[str, str]]
    named: tuple[str, str, str]
    reference: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        loss, strength, rule = self.named
        return {
            "data": self.data,
            "network": self.network,
            "strengths": {name: dict(rules) for name, rules in self.strengths.items()},
            "named": {
                "loss": loss, "strength": strength, "decision": rule,
                "validation_cost": self.costs[loss][rule][strength],
                "validation_cost_of_reference": self.reference,
            },
            "validation_costs": {
                name: {rule: dict(by) for rule, by in rules.items()} for name, rules in self.costs.items()
            },
        }  # fmt: skip


def table(run: Run, out: Path, split: str) -> Predictions:
    """Predictions of a run for one split, in the order of their ids."""
    read = tables.read(out / run.folder / "predictions" / f"{split}.parquet")
    sorted_ = read.take(read.ids.arg_sort().to_numpy())
    name = "/".join(part for part in (run.loss, run.strength, f"seed-{run.seed}") if part)
    metadata = sorted_.metadata.drop("split") if split != "cal" else sorted_.metadata
    return replace(sorted_, metadata=metadata, name=f"{name} {split}")


def prepared(run: Run, out: Path, split: str, replicates: int) -> tuple[Prepared, Options]:
    """The rows of one split of a run, recalibrated on its calibration rows, every rule's answers on them."""
    judged = table(run, out, split)
    opts = options(judged.classes, judged.name, run.severity, bootstrap=replicates)
    return prepare(select(judged, table(run, out, "cal")), opts), opts


def validate(run: Run, out: Path, replicates: int) -> tuple[dict[str, float], pl.DataFrame]:
    """Rule → expected cost on the validation rows, and every finding on them; refuses rows too few."""
    view = prepared(run, out, "val", replicates)[0].view
    found, findings = {}, []
    for metric in measure(view):
        findings.append(metric.finding(view))
        rule = metric.basis.decision
        if metric.code == "expected_cost" and rule in RULES:
            if metric.why_not:
                raise InputError(
                    f"{run.folder}: nothing can be chosen on the validation rows, {metric.why_not}"
                )
            found[rule] = metric.value
    return found, tidy(run, "val", findings)


def tidy(run: Run, split: str, findings: Sequence[Finding]) -> pl.DataFrame:
    """One row per finding, with the run and the split it speaks of."""
    where = {
        "data": run.data, "network": run.network, "loss": run.loss, "strength": run.strength,
        "seed": run.seed, "split": split,
    }  # fmt: skip
    return pl.DataFrame([where | finding.to_dict() for finding in findings], infer_schema_length=None)


def choose(
    plan: Plan, out: Path, replicates: int, progress: bool = True
) -> tuple[list[Choice], pl.DataFrame]:
    """Choose every loss's strength for each rule, and name one combination, within every setting.

    The second part holds every finding of every run on its validation rows.
    """
    console = Console(stderr=True)
    watched = track(
        plan.runs, "choosing on validation", disable=not progress, transient=True, console=console
    )
    validated = {run.folder: validate(run, out, replicates) for run in watched}
    costs = {folder: found for folder, (found, _) in validated.items()}
    choices = []
    for setting in plan.settings:
        runs = plan.of(setting)
        found: dict[str, dict[str, dict[str, float]]] = {}
        for run in runs:
            for rule in RULES:
                if run.strength not in found.setdefault(run.loss, {}).setdefault(rule, {}):
                    of = [
                        costs[r.folder][rule]
                        for r in runs
                        if (r.loss, r.strength) == (run.loss, run.strength)
                    ]
                    found[run.loss][rule][run.strength] = float(np.mean(of))
        strengths = {
            loss: {rule: min(by, key=by.__getitem__) for rule, by in rules.items()}
            for loss, rules in found.items()
        }
        ranked = [
            (found[loss][rule][strength], (loss, strength, rule))
            for loss, rules in strengths.items()
            for rule, strength in rules.items()
            if (loss, rule) != (plan.reference, "bayes")
        ]
        reference = found[plan.reference]["bayes"][strengths[plan.reference]["bayes"]]
        named = min(ranked, key=lambda entry: entry[0])[1]
        choices.append(Choice(*setting, found, strengths, named, reference))
    return choices, pl.concat([frame for _, frame in validated.values()], how="vertical_relaxed")
