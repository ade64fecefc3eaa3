"""Policies fitted on made tables: what was asked is held on the fit rows, and bad wishes are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from primum import tables
from primum.auditing.policy.fit import fit
from primum.auditing.policy.terms import Promise, StatedReader
from primum.judge.deferral.learned import halves
from primum.severity import read
from tests.auditing.policy.made import ASKED, ERRS
from tests.conftest import made_table

TABLE = made_table(1000, skill=4.0)
CAL = tables.read(TABLE.filter(split="cal"))
COST = read("phantom").ordered(CAL.classes, "t").cost
CRITICAL = read("phantom").ordered(CAL.classes, "t").critical
MSR = CAL.probs.max(axis=1)
SPENT = COST[CAL.labels, CAL.predicted]


def test_capacity() -> None:
    policy = fit(TABLE, capacity=0.18)
    assert (policy.threshold > MSR).mean() == pytest.approx(policy.fit.deferred_share) == 0.18
    assert policy.severity is None
    assert (policy.fit.n, policy.fit.learned_on, policy.fit.patients) == (len(CAL), 0, 150)
    assert sum(policy.fit.counts.values()) == 150
    assert policy.thresholds["all"].critical_coverage is None


def test_cost_beats_every_other_threshold_on_the_fit_rows() -> None:
    policy = fit(TABLE, "phantom", reader=StatedReader(0.2, ERRS))
    rates = np.array([ERRS[name] for name in CAL.classes])
    deferring = (0.2 + rates * COST.sum(axis=1) / 3)[CAL.labels]

    def paid(threshold: float) -> float:
        return float(np.where(threshold <= MSR, SPENT, deferring).mean())

    assert paid(policy.threshold) == pytest.approx(min(map(paid, [*MSR, -np.inf, np.inf])))


def test_one_error_rate_stands_for_every_class() -> None:
    one = fit(TABLE, "phantom", reader=StatedReader(0.2, 0.1))
    each = fit(TABLE, "phantom", reader=StatedReader(0.2, dict.fromkeys(CAL.classes, 0.1)))
    assert one == each


@pytest.mark.parametrize(
    ("reader", "decision", "said"),
    [
        (StatedReader(50.0), "argmax", "a reader cost of 50 makes deferral never useful"),
        (StatedReader(3.0), "bayes", "a reader cost of 3 makes deferral never useful"),
        (StatedReader(0.1, 1.0), "bayes", "with these error rates makes deferral never useful"),
        (StatedReader(9.0), "argmax", "no threshold on the fit rows costs less than deferring nothing"),
    ],
)
def test_deferral_that_is_never_useful_is_said_so(reader: StatedReader, decision: Any, said: str) -> None:
    policy = fit(TABLE, "phantom", reader=reader, decision=decision)
    assert policy.threshold == -np.inf
    assert said in policy.notes[0]
    assert "\n" not in policy.notes[0]


def test_deferring_everything_is_said_too() -> None:
    policy = fit(TABLE, "phantom", score="critical_mass", reader=StatedReader(1e-9))
    assert policy.threshold == np.inf or policy.notes == ()


@pytest.mark.parametrize("unit", ["one", "worst"])
def test_a_promise_holds_on_the_rows_it_was_read_from(unit: Any) -> None:
    policy = fit(TABLE, "phantom", promise=Promise(alpha=0.15, unit=unit))
    one = policy.thresholds["all"]
    assert policy.verdict == one.verdict == "certified"
    assert one.p is not None
    assert one.level is not None
    assert one.p <= one.level == 0.05
    among = CRITICAL.any(axis=1)[CAL.labels]
    kept = among & (policy.threshold <= MSR)
    assert one.critical_coverage == pytest.approx(kept.sum() / among.sum())
    patients = CAL.patients
    assert patients is not None
    assert one.n == patients.filter(pl.Series(kept)).n_unique() or unit == "one"
    assert one.units == patients.filter(pl.Series(among)).n_unique()


def test_without_patients_every_case_counts() -> None:
    policy = fit(TABLE.drop("patient"), "phantom", promise=Promise(alpha=0.1))
    assert policy.promise is not None
    assert policy.promise.unit == "case"
    assert policy.thresholds["all"].units == int(CRITICAL.any(axis=1)[CAL.labels].sum())


def test_groups_share_delta() -> None:
    policy = fit(TABLE, "phantom", promise=Promise(alpha=0.2, denominator="all"), by="site")
    assert set(policy.thresholds) == {"A", "B"}
    assert all(one.level == 0.025 for one in policy.thresholds.values())
    assert all(one.verdict == "certified" for one in policy.thresholds.values())


def test_a_group_that_cannot_be_certified_is_deferred_whole() -> None:
    site = (
        pl.when(pl.col("patient").is_in([f"p{i}" for i in range(10)]))
        .then(pl.lit("small"))
        .otherwise(pl.lit("A"))
    )
    policy = fit(TABLE.with_columns(site=site), "phantom", promise=Promise(alpha=0.2), by="site")
    assert policy.verdict == "partly_certified"
    assert policy.thresholds["small"].threshold == np.inf
    assert any(note.startswith("site small: not certifiable with n = ") for note in policy.notes)


@pytest.mark.parametrize("name", ["learned", "certified-all-bayes"])
def test_what_was_learned_never_saw_the_rows_of_the_threshold(name: str) -> None:
    policy = fit(TABLE, "phantom", **ASKED[name])
    assert 0 < policy.fit.learned_on < policy.fit.n
    patients = CAL.patients
    assert patients is not None
    half = halves(patients.rank("dense").to_numpy(), 0)
    assert policy.fit.learned_on == half.sum()
    other = CAL.metadata.with_columns(pl.Series("half", half))
    assert not set(other.filter("half")["patient"]) & set(other.filter(~pl.col("half"))["patient"])
    # other labels in the half of the threshold leave score and recalibration as they were
    labels = np.array([*CAL.classes])[np.where(half, CAL.labels, (CAL.labels + 1) % 4)]
    again = fit(TABLE.filter(split="cal").with_columns(label=labels), "phantom", **ASKED[name])
    assert again.recalibrator == policy.recalibrator
    assert again.learned == policy.learned


def test_it_does_not_depend_on_row_order() -> None:
    for name in ("learned", "certified", "certified-cost"):
        there = fit(TABLE, "phantom", **ASKED[name]).thresholds["all"].threshold
        back = fit(TABLE[::-1], "phantom", **ASKED[name]).thresholds["all"].threshold
        assert there == pytest.approx(back)


def test_few_rows_are_said() -> None:
    policy = fit(made_table(200), capacity=0.2)
    assert policy.fit.n < 100
    assert "below 100 it is mostly noise" in policy.notes[-1]
    six = TABLE.with_columns(patient=pl.col("split") + (pl.int_range(pl.len()) % 6).cast(pl.String))
    assert fit(six, capacity=0.2).notes[-1].startswith("the threshold was read from 300 rows of 6 patients")


@pytest.mark.parametrize(
    ("asked", "texts"),
    [
        ({}, ("exactly one of a capacity, a reader cost and a promise",)),
        ({"capacity": 0.1, "reader": StatedReader(1.0)}, ("exactly one",)),
        ({"capacity": 1.0}, ("--capacity", "1 arrived")),
        ({"capacity": -0.1}, ("--capacity", "-0.1 arrived")),
        ({"promise": Promise(alpha=0.0)}, ("--alpha", "above 0 and below 1", "0 arrived")),
        ({"promise": Promise(delta=1.5)}, ("--delta", "above 0 and below 1", "1.5 arrived")),
        ({"reader": StatedReader(0.0)}, ("--reader-cost", "deferring all cases is best")),
        ({"reader": StatedReader(float("nan"))}, ("--reader-cost", "nan arrived")),
        ({"reader": StatedReader(1.0, {"naevus": 0.1})}, ("every class needs a rate", "have none")),
        ({"reader": StatedReader(1.0, {"nevus": 0.1})}, ("--reader-error", "did you mean 'naevus'")),
        ({"reader": StatedReader(1.0, 1.2)}, ("--reader-error", "1.2 arrived")),
        ({"capacity": 0.1, "score": "mrs"}, ("score 'mrs'", "did you mean 'msr'")),
        ({"capacity": 0.1, "decision": "given"}, ("needs a column decision",)),
        ({"capacity": 0.1, "decision": "bays"}, ("did you mean 'bayes'",)),
        ({"capacity": 0.1, "by": "sit"}, ("did you mean 'site'",)),
        ({"capacity": 0.1, "score": ["msr", "pe"], "learn_from": "errors"}, ("did you mean 'error'",)),
    ],
)  # fmt: skip
def test_bad_wishes_are_refused(
    asked: dict[str, Any], texts: tuple[str, ...], refused: Callable[..., None]
) -> None:
    refused(lambda: fit(TABLE, "phantom", **asked), *texts)


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"reader": StatedReader(1.0)}, "add --severity"),
        ({"promise": Promise()}, "add --severity or --critical"),
        ({"promise": Promise("expected_cost")}, "add --severity"),
        ({"capacity": 0.1, "decision": "bayes"}, "need a severity matrix"),
        ({"capacity": 0.1, "score": ["msr", "pe"], "learn_from": "critical_error"}, "or --critical"),
    ],
)  # fmt: skip
def test_what_needs_a_severity_says_so(
    asked: dict[str, Any], text: str, refused: Callable[..., None]
) -> None:
    refused(lambda: fit(TABLE, **asked), text)


def test_rows_of_train_or_test_are_no_fit_rows(refused: Callable[..., None]) -> None:
    refused(
        lambda: fit(TABLE.filter(split="test"), capacity=0.1), "fit rows must be neither train nor test rows"
    )
