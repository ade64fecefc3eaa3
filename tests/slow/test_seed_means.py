"""Differences of seed-means: intervals cover the truth, and equal methods are rarely told apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax

from primum.judge import confidence, decision
from primum.judge.answers import Answers, View
from primum.judge.metrics import combination
from primum.judge.metrics.measure_decisions import measure_answers
from primum.judge.metrics.measure_operating import measure_operating_points
from primum.judge.metrics.measure_scores import measure_score
from primum.judge.metrics.measured import Measured
from primum.judge.statistics import significance
from tests.judge.every_metric import cost, critical

K, RUNS, LARGE, SEEDS = 4, 1_000, 1_000_000, 3
KEYS = (
    ("accuracy", "argmax", None, "none"),
    ("cer", "argmax", None, "none"),
    ("specificity", "argmax", None, "none"),
    ("macro_f1", "argmax", None, "none"),
    ("expected_cost", "argmax", None, "none"),
    ("aurc", "argmax", "msr", "none"),
    ("cer_at_specificity_80", None, None, "none"),
)


def networks(rng: np.random.Generator, n: int, skills: tuple[float, ...]) -> list[View]:
    """Networks on the same cases: what is hard in a case and in a patient is hard for all of them."""
    patients = np.repeat(np.arange(n), rng.integers(1, 5, n))
    labels = rng.integers(0, K, n)[patients]
    shared = rng.normal(size=(n, K))[patients] + 0.5 * rng.normal(size=(len(patients), K))
    first = view(rng, labels, patients, shared, skills[0])
    others = [view(rng, labels, patients, shared, skill) for skill in skills[1:]]
    for other in others:
        other.__dict__["resampler"] = first.resampler
    return [first, *others]


def view(
    rng: np.random.Generator, labels: np.ndarray, patients: np.ndarray, shared: np.ndarray, skill: float
) -> View:
    logits = shared + 0.7 * rng.normal(size=shared.shape)
    logits[np.arange(len(labels)), labels] += skill
    probs = softmax(logits, axis=1)
    answers = Answers("argmax", decision.argmax(probs), "none", {"msr": confidence.msr(probs)}, {"msr": 0.6})
    return View(
        labels, {"none": probs}, {"argmax": answers}, patients, patients, cost(K), critical(K), None, 500, 0
    )  # fmt: skip


def measured(one: View) -> dict[Any, Measured]:
    def every() -> Iterator[Measured]:
        yield from measure_answers(one, one.answers["argmax"])
        yield from measure_score(one, one.answers["argmax"], "msr")
        yield from measure_operating_points(one)

    return {metric.key: metric for metric in every()}


@pytest.mark.parametrize("better", [0.0, 0.3])
def test_differences_of_seed_means(better: float) -> None:
    rng = np.random.default_rng(int(10 * better))
    truth = dict.fromkeys(KEYS, 0.0)
    if better:
        sides = [measured(replace(v, replicates=100)) for v in networks(rng, LARGE // 3, (1.3, 1.3 + better))]
        truth = {key: sides[1][key].value - sides[0][key].value for key in KEYS}
    covered, told = dict.fromkeys(KEYS, 0), dict.fromkeys(KEYS, 0)
    for _ in range(RUNS):
        views = networks(rng, 160, (1.3,) * SEEDS + (1.3 + better,) * SEEDS)
        found = [measured(one) for one in views]
        for key in KEYS:
            parts = [metrics[key] for metrics in found]
            estimate = combination.difference(parts[:SEEDS], parts[SEEDS:], views[0]).estimate(views[0])
            covered[key] += estimate.low <= truth[key] <= estimate.high
            told[key] += significance.p_value(estimate) <= 0.05
    print({key[0]: (covered[key] / RUNS, told[key] / RUNS) for key in KEYS})
    # 3 standard errors of 1,000 runs at 95 % are 0.021
    short = {key: count / RUNS for key, count in covered.items() if count / RUNS < 0.95 - 0.021}
    assert not short, short
    if not better:
        often = {key: count / RUNS for key, count in told.items() if count / RUNS > 0.05 + 0.021}
        assert not often, often
