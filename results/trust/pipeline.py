"""From trained networks to everything the trust pages stand on: maps, passes, an ensemble, policies, audits.

What is finished in the folder OUT is taken up again.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from primum import tables
from primum.auditing.audits import Audit, audit
from primum.auditing.ensembles import ensemble
from primum.auditing.policy.application import Applied, apply
from primum.auditing.policy.document import Policy
from primum.auditing.policy.fit import fit
from primum.auditing.policy.rows import scored
from primum.auditing.policy.terms import Promise, StatedReader
from primum.data import sets as data
from primum.judge.deferral.costs import Reader, spent
from primum.judge.deferral.curve import at, curve
from primum.judge.deferral.scored import Scored
from primum.judge.deferral.thresholds import by_capacity
from primum.judge.recalibration.recalibrators import unchanged
from primum.model.explain.run import explain
from primum.model.predict import predict
from primum.predictions import Predictions
from primum.severity import SeverityMatrix, read

PASSES = 50
CAPACITIES = (0.18, 0.35)
READER = 0.5
PROMISE = Promise(risk="cer", alpha=0.02, delta=0.05, denominator="accepted")
CANDIDATES = ("msr", "pe", "expected_cost", "critical_mass", "ensemble_mi", "ensemble_disagreement")


@dataclass(frozen=True)
class Task:
    """What a page is about.

    Attributes:
        title: of the page. data: data set. severity: preset. members: name → folder of its run below RUNS.
        published: member → what the pipeline's paper reports of a network of that kind.
        masks: split on whose images lesion masks lie, or None.
    """

    title: str
    data: str
    severity: str
    members: dict[str, str]
    published: dict[str, str] = field(default_factory=dict)
    masks: str | None = None


TASKS = {
    "chest": Task(
        "Chest X-ray, pneumonia or not",
        "chest_xray",
        "chest_xray",
        {"DenseNet-121": "chest-densenet121", "EfficientNet-Lite0": "chest-lite0"},
        {
            "DenseNet-121": "DenseNet-121: AUROC 0.9576, accuracy 0.8990, F1 0.9240",
            "EfficientNet-Lite0": "ResNet-50, its second network: AUROC 0.9713, accuracy 0.8798",
        },
    ),
    "ham10000": Task(
        "HAM10000, seven classes",
        "ham10000",
        "isic2018",
        {f"seed {seed}": f"ham10000/lite0-128/cross-entropy/seed-{seed}" for seed in range(3)},
        masks="val",
    ),
}


@dataclass(frozen=True, eq=False)
class Member:
    """One network: its answers to every split, its maps, the answers of many passes, and its audits."""

    name: str
    test: Predictions
    cal: Predictions
    explained: Predictions
    maps: Path
    masked: Predictions | None
    passes: Predictions
    audit: Audit
    doubt: Audit


@dataclass(frozen=True, eq=False)
class Pipeline:
    """Everything of one task.

    Attributes:
        answers, cal: the ensemble's test rows and calibration rows. score: chosen on the calibration rows.
        chosen_by: candidate → failure cost at 18 % deferred of the calibration rows, over that without.
        policies: name → policy on the test rows. audit: of the ensemble.
    """

    task: Task
    severity: SeverityMatrix
    members: list[Member]
    answers: Predictions
    cal: Predictions
    score: str
    chosen_by: dict[str, float]
    policies: dict[str, Applied]
    audit: Audit


def build(task: Task, root: Path, runs: Path, out: Path) -> Pipeline:
    """Run every stage of a task; ``root`` holds the data set, ``runs`` the trained networks."""
    matrix = read(task.severity)
    folders = {name: runs / folder for name, folder in task.members.items()}
    tests, cals = (
        [replace(tables.read(run / "predictions" / f"{split}.parquet"), name=name)
         for name, run in folders.items()]
        for split in ("test", "cal")
    )  # fmt: skip
    members = [
        member(task, name, run, root, out / name.replace(" ", "-"), tests, position)
        for position, (name, run) in enumerate(folders.items())
    ]
    print("ensemble", file=sys.stderr)
    both = ensemble(tests, cals)
    assert both.fit is not None
    answers, cal = replace(both.answers, name="ensemble"), replace(both.fit, name="ensemble cal")
    chosen_by = {name: cost_at(plain(cal, matrix), name, cal, matrix, CAPACITIES[0]) for name in CANDIDATES}
    score = min(chosen_by, key=lambda name: chosen_by[name])
    policies = {
        f"{share:.0%} of cal, {score}": fit(cal, task.severity, score, capacity=share) for share in CAPACITIES
    }
    policies[f"reader cost {READER:g}, {score}"] = fit(
        cal, task.severity, score, reader=StatedReader(READER, None)
    )
    for rule in ("argmax", "bayes"):
        policies[f"certified, {rule}"] = fit(
            cal, task.severity, "critical_mass", promise=PROMISE, decision=rule
        )
    applied = {name: apply(policy, answers) for name, policy in policies.items()}
    judged = audit(answers, task.severity, fit=cal, members=tests, policies=_of_one_rule(policies))
    judged.save(out / "ensemble", data.load(task.data, root, 0).root)
    return Pipeline(task, matrix, members, answers, cal, score, chosen_by, applied, judged)


def member(
    task: Task, name: str, run: Path, root: Path, out: Path, tests: Sequence[Predictions], position: int
) -> Member:
    """Maps, passes and audits of one network."""
    print(name, file=sys.stderr)
    seed = 0  # of the data in both recipes
    images = data.load(task.data, root, seed)
    maps = out / "explained.parquet"
    if not maps.exists():
        explain(run, images.split("test"), maps)
    masked = None
    if task.masks is not None:
        beside = out / "masked.parquet"
        if not beside.exists():
            explain(run, images.split(task.masks), beside)
        masked = tables.read(beside)
    stored = out / "passes.parquet"
    if not stored.exists():
        tables.write(predict(run, images.split("test"), passes=PASSES, tta=True), stored)
    passes = tables.read(stored)
    cal, train = (tables.read(run / "predictions" / f"{split}.parquet") for split in ("cal", "train"))
    explained = replace(tables.read(maps), embeddings=tests[position].embeddings, name=name)
    assert explained.ids.equals(tests[position].ids)
    others = [one for one in tests if one is not tests[position]]
    judged = audit(explained, task.severity, fit=cal, members=others, train=train)
    judged.save(out / "audit", images.root, out)
    doubt = audit(replace(passes, name=f"{name}, passes"), task.severity)
    doubt.save(out / "audit-passes", images.root)
    return Member(name, tests[position], cal, explained, maps, masked, passes, judged, doubt)


def plain(table: Predictions, matrix: SeverityMatrix) -> Scored:
    """Argmax answers with every score a policy can be fitted on."""
    ordered = matrix.ordered(table.classes, table.name)
    return scored(table, "argmax", "none", unchanged, ordered, ordered.critical)


def cost_at(answers: Scored, score: str, table: Predictions, matrix: SeverityMatrix, share: float) -> float:
    """Failure cost over that without deferral with at most this share of the table deferred, free reader."""
    cost = matrix.ordered(table.classes, table.name).cost
    accepting, deferring = spent(table.labels, answers.decisions, cost, Reader())
    found = curve(answers.confidence[score], accepting, deferring)
    threshold = by_capacity(answers.confidence[score], share)
    return float(found.cost[at(found, np.array([threshold]))[0]] / accepting.mean())


def threshold_of(answers: Scored, score: str, share: float) -> NDArray[np.float64]:
    """(N,) the threshold that defers this share of these very cases."""
    return np.full(len(answers.decisions), by_capacity(answers.confidence[score], share))


def _of_one_rule(policies: dict[str, Policy]) -> list[Policy]:
    """An audit reads its deferral curves by one decision rule."""
    return [policy for policy in policies.values() if policy.decision == "argmax"]
