"""Means and differences of several models: by hand, against the plain formulas, and paired."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.special import logit, softmax
from scipy.stats import t

import primum
from primum import tables
from primum.auditing.audits import views_of
from primum.auditing.options import options
from primum.auditing.preparation import prepare
from primum.core.check import InputError
from primum.judge import confidence, decision
from primum.judge.answers import Answers, View
from primum.judge.finding import Basis
from primum.judge.metrics import combination
from primum.judge.metrics.measure_view import measure
from primum.judge.metrics.measured import Measured, Replicates, Share, unmeasured
from primum.judge.statistics import shares, significance
from primum.tables.selection import select
from tests.judge.every_metric import cost, critical

N, K = 300, 4


def view(rng: np.random.Generator, skill: float, labels: np.ndarray, noise: np.ndarray) -> View:
    """One model on the cases of ``labels``, three to a patient, with noise that models share."""
    logits = noise + 0.5 * rng.normal(size=noise.shape)
    logits[np.arange(len(labels)), labels] += skill
    probs = softmax(logits, axis=1)
    scores = {"msr": confidence.msr(probs)}
    answers = {"argmax": Answers("argmax", decision.argmax(probs), "none", scores, {"msr": 0.6})}
    patients = np.arange(len(labels)) // 3
    return View(
        labels, {"none": probs}, answers, patients, patients, cost(K), critical(K), None, 400, 0
    )  # fmt: skip


@pytest.fixture(scope="module")
def models() -> list[tuple[View, dict[Any, Measured]]]:
    """Two seeds of a poor method, then three of a better one."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, K, N)
    noise = rng.normal(size=(N, K))
    views = [view(rng, skill, labels, noise) for skill in (1.0, 1.0, 1.8, 1.8, 1.8)]
    return [(one, {m.key: m for m in measure(one)}) for one in views]


def parts(models: Any, key: Any) -> list[Measured]:
    return [metrics[key] for _, metrics in models]


ACCURACY, CER, COST, NLL = (
    ("accuracy", "argmax", None, "none"),
    ("cer", "argmax", None, "none"),
    ("expected_cost", "argmax", None, "none"),
    ("nll", None, None, "none"),
)
F1 = ("macro_f1", "argmax", None, "none")


def test_every_metric_of_the_means_has_the_value_of_the_means(models: Any) -> None:
    for key in models[0][1]:
        found = parts(models, key)
        if any(part.why_not for part in found):
            continue
        values = [part.value for part in found]
        assert combination.mean(found, models[0][0]).value == pytest.approx(np.mean(values))
        difference = combination.difference(found[:2], found[2:], models[0][0])
        assert difference.value == pytest.approx(np.mean(values[2:]) - np.mean(values[:2]))
        estimate = difference.estimate(models[0][0])
        assert estimate.low < estimate.value < estimate.high
        assert 0 < significance.p_value(estimate) <= 1


def test_one_model_alone_is_its_own_mean(models: Any) -> None:
    for key, part in models[0][1].items():
        assert combination.mean([part], models[0][0]).key == key
        assert combination.mean([part], models[0][0]).value == part.value
    assert combination.mean([models[0][1][CER]], models[0][0]) is models[0][1][CER]


def test_influences_add_up_within_patients(models: Any) -> None:
    found = parts(models, COST)
    spent = np.stack([cost(K)[v.labels, v.answers["argmax"].decisions] for v, _ in models])
    per_case = spent[2:].mean(axis=0) - spent[:2].mean(axis=0)
    sums = (per_case - per_case.mean()).reshape(-1, 3).sum(axis=1)
    error = len(sums) / (len(sums) - 1) * np.sqrt(sums @ sums) / N
    estimate = combination.difference(found[:2], found[2:], models[0][0]).estimate(models[0][0])
    free = min(len(sums) - 1, 1.5 * (sums @ sums) ** 2 / (sums**4).sum())
    assert (estimate.high - estimate.low) / 2 == pytest.approx(t.ppf(0.975, free) * error, rel=1e-5)
    assert significance.p_value(estimate) == pytest.approx(2 * t.sf(abs(per_case.mean()) / error, free))


@pytest.mark.parametrize("key", [ACCURACY, CER, F1])
def test_replicates_are_those_of_models_resampled_together(key: Any, models: Any) -> None:
    found = parts(models, key)
    first = models[0][0]
    difference = combination.difference(found[:2], found[2:], first)
    weights = first.resampler.weights[:, first.resampler.block]
    for b in range(0, 400, 57):
        rows = np.repeat(np.arange(N), weights[b].astype(int))
        drawn = [next(m for m in measure(v.take(rows)) if m.key == key).value for v, _ in models]
        assert isinstance(difference.evidence, Replicates)
        expected = np.mean(drawn[2:]) - np.mean(drawn[:2])
        assert difference.evidence.draws[b] == pytest.approx(expected, abs=1e-6)


def hand(misses: list[int]) -> Measured:
    """A share among four cases of two patients."""
    hits = np.array(misses, dtype=bool)
    return Measured("cer", Share(hits, np.ones(4, dtype=bool)), Basis("argmax"))


def four(replicates: int = 2_000) -> View:
    patients = np.array([0, 0, 1, 1])
    probs = np.full((4, 2), 0.5)
    return View(
        np.zeros(4, dtype=int), {"none": probs}, {}, patients, patients, None, None, None, replicates, 0
    )  # fmt: skip


def test_shares_by_hand() -> None:
    # A misses 1/4 and 3/4 in its two seeds, mean 1/2; B misses 0 and 1/4, mean 1/8.
    # Patient one: A (1 + 2)/4 = 3/4, B 0. Patient two: A (0 + 1)/4 = 1/4, B (0 + 1)/4 = 1/4.
    first, second = [hand([1, 0, 0, 0]), hand([1, 1, 1, 0])], [hand([0, 0, 0, 0]), hand([0, 0, 1, 0])]
    found = combination.difference(first, second, four())
    assert found.value == pytest.approx(1 / 8 - 1 / 2)
    assert isinstance(found.evidence, Replicates)
    draws = found.evidence.draws
    values, counts = np.unique(draws.round(6), return_counts=True)
    np.testing.assert_allclose(values, [-3 / 4, -3 / 8, 0])  # patient one twice, both, patient two twice
    np.testing.assert_allclose(counts / 2_000, [1 / 4, 1 / 2, 1 / 4], atol=0.04)
    # two patients: Student's t with one degree of freedom, on the logit of the place between −1 and 1
    place, spread = (1 - 3 / 8) / 2, np.sqrt(2) * draws.std() / 2
    distance = (logit(0.5) - logit(place)) * place * (1 - place) / spread
    assert significance.p_value(found.estimate(four())) == pytest.approx(2 * t.sf(distance, 1))


def test_the_mean_of_shares_is_an_exact_share() -> None:
    mean = combination.mean([hand([1, 0, 0, 0]), hand([1, 1, 1, 0])], four())
    alone = replace(four(), clusters=None)
    assert mean.estimate(alone).low == pytest.approx(shares.proportion(2, 4).low)
    # no error in any model still has an interval
    none = combination.mean([hand([0, 0, 0, 0])] * 3, four()).estimate(four())
    assert (none.value, none.low) == (0, 0)
    assert none.high > 0.3


def test_models_that_answer_alike_have_the_exact_bound_of_what_was_not_seen() -> None:
    found = combination.difference([hand([1, 0, 0, 0])] * 2, [hand([1, 0, 0, 0])], four()).estimate(four())
    bound = shares.proportion(0, 2).high
    assert (found.low, found.value, found.high) == pytest.approx((-min(bound, 0.5), 0, min(bound, 0.5)))
    assert significance.p_value(found) == 1
    assert "2 patients" in found.note


def test_one_seed_each_is_the_comparison(table: pl.DataFrame) -> None:
    rng = np.random.default_rng(1)
    probs = [column for column in table.columns if column.startswith("prob_")]
    blurred = table.select(probs).to_numpy() + 0.3 * rng.random((table.height, len(probs)))
    other = table.with_columns(
        [pl.Series(name, blurred[:, k] / blurred.sum(axis=1)) for k, name in enumerate(probs)]
    )
    compared = primum.compare(table, other, severity="phantom", bootstrap=300)
    sides = []
    for frame in (table, other):
        read = tables.read(frame)
        opts = options(read.classes, read.name, "phantom", bootstrap=300)
        one = views_of(prepare(select(read, None), opts), ())["all"]
        sides.append((one, {m.key: m for m in measure(one)}))
    seen = 0
    for finding in compared.findings:
        key = (finding.code, finding.decision, finding.score, finding.calibrated)
        if finding.value is None or any(key not in metrics for _, metrics in sides):
            continue
        found = combination.difference([sides[0][1][key]], [sides[1][1][key]], sides[0][0])
        estimate = found.estimate(sides[0][0])
        assert (estimate.value, estimate.low, estimate.high) == pytest.approx(
            (finding.value, finding.low, finding.high)
        ), key
        seen += 1
    assert seen > 25


def test_a_reason_travels(models: Any) -> None:
    found = parts(models, CER)
    found[3] = unmeasured(CER[0], Basis(*CER[1:]), 0, "no case is of a critical class")
    for made in (
        combination.mean(found, models[0][0]),
        combination.difference(found[:1], found[3:], models[0][0]),
    ):
        assert made.why_not.endswith("no case is of a critical class")
        assert made.why_not.startswith("model ")


def test_what_cannot_be_combined_is_refused(models: Any) -> None:
    first = models[0][0]
    with pytest.raises(InputError, match="one weight for each"):
        combination.mean([], first)
    with pytest.raises(InputError, match="accuracy and nll"):
        combination.mean([models[0][1][ACCURACY], models[1][1][NLL]], first)
    with pytest.raises(InputError, match="same 200 rows"):
        combination.mean(parts(models, COST), first.take(np.arange(200)))
    with pytest.raises(InputError, match="100 replicates were expected, 400"):
        combination.mean(parts(models, F1), replace(first, replicates=100))


def test_holm_by_hand() -> None:
    assert significance.holm([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert significance.holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert significance.holm([]) == []
