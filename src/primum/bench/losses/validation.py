"""Strengths and the combination to stand by, chosen on validation rows before any test row is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from rich.console import Console
from rich.progress import track

from primum import tables
from primum.auditing.options import Options, options
from primum.auditing.preparation import Prepared, prepare
from primum.bench.losses.plan import Plan, Run
from primum.bench.sections import Setting
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
Costs = Mapping[str, Mapping[str, Mapping[str, float]]]  # loss → rule → strength → cost


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
    costs: Costs
    strengths: Mapping[str, Mapping[str, str]]
    named: tuple[str, str, str]
    reference: float

    def to_dict(self) -> dict[str, object]:
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


def read_split(run: Run, out: Path, split: str) -> Predictions:
    """Predictions of a run for one split, in the order of their ids."""
    table = tables.read(out / run.folder / "predictions" / f"{split}.parquet")
    table = table.take(table.ids.arg_sort().to_numpy())
    name = "/".join(part for part in (run.loss, run.strength, f"seed-{run.seed}") if part)
    # Only the calibration rows need to say that they are: a column "split" marks rows to recalibrate on.
    metadata = table.metadata.drop("split") if split != "cal" else table.metadata
    return replace(table, metadata=metadata, name=f"{name} {split}")


def prepare_split(run: Run, out: Path, split: str, replicates: int) -> tuple[Prepared, Options]:
    """The rows of one split of a run, recalibrated on its calibration rows, every rule's answers on them."""
    judged = read_split(run, out, split)
    opts = options(judged.classes, judged.name, run.severity, bootstrap=replicates)
    return prepare(select(judged, read_split(run, out, "cal")), opts), opts


def validate(run: Run, out: Path, replicates: int) -> tuple[dict[str, float], pl.DataFrame]:
    """Rule → expected cost on the validation rows, and every finding on them; refuses rows too few."""
    view = prepare_split(run, out, "val", replicates)[0].view
    costs, findings = {}, []
    for metric in measure(view):
        findings.append(metric.finding(view))
        rule = metric.basis.decision
        if metric.code == "expected_cost" and rule in RULES:
            if metric.why_not:
                raise InputError(
                    f"{run.folder}: nothing can be chosen on the validation rows, {metric.why_not}"
                )
            costs[rule] = metric.value
    return costs, finding_rows(run, "val", findings)


def finding_rows(run: Run, split: str, findings: Sequence[Finding]) -> pl.DataFrame:
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
    runs = track(plan.runs, "choosing on validation", disable=not progress, transient=True, console=console)
    validated = {run.folder: validate(run, out, replicates) for run in runs}
    costs = {folder: by_rule for folder, (by_rule, _) in validated.items()}
    choices = [_choose_within(plan, setting, costs) for setting in plan.settings]
    return choices, pl.concat([frame for _, frame in validated.values()], how="vertical_relaxed")


def _choose_within(plan: Plan, setting: Setting, costs: Mapping[Path, Mapping[str, float]]) -> Choice:
    """The choice of one data set and network from the validation costs of every run, by its folder."""
    means: dict[str, dict[str, dict[str, float]]] = {}
    runs = plan.of(setting)
    for loss, strength in dict.fromkeys(run.candidate for run in runs):
        seeds = [costs[run.folder] for run in runs if run.candidate == (loss, strength)]
        for rule in RULES:
            mean = float(np.mean([by_rule[rule] for by_rule in seeds]))
            means.setdefault(loss, {}).setdefault(rule, {})[strength] = mean
    # min() keeps the first of equal costs: of two strengths that tie, the one that the file lists first.
    strengths = {
        loss: {rule: min(by, key=by.__getitem__) for rule, by in rules.items()}
        for loss, rules in means.items()
    }
    ranked = [
        (means[loss][rule][strength], (loss, strength, rule))
        for loss, rules in strengths.items()
        for rule, strength in rules.items()
        if (loss, rule) != (plan.reference, "bayes")
    ]
    reference = means[plan.reference]["bayes"][strengths[plan.reference]["bayes"]]
    named = min(ranked, key=lambda pair: pair[0])[1]
    return Choice(*setting, means, strengths, named, reference)
