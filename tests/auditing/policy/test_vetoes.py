"""Policies with a veto: whom it sends away, by which score, on whose rows it was set, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

from primum import tables
from primum.auditing.policy import vetoes
from primum.auditing.policy.application import apply
from primum.auditing.policy.document import Policy
from primum.auditing.policy.fit import fit
from primum.auditing.policy.portions import divide
from primum.auditing.policy.terms import Promise, StatedReader
from primum.core.arrays import Bools, Floats
from primum.predictions import Predictions
from primum.severity import read
from primum.tables.selection import stacked
from tests.conftest import made_table

RNG = np.random.default_rng(0)
NOVEL = RNG.normal(size=1000)
TABLE = made_table(1000, skill=4.0).with_columns(score_novel=pl.Series(NOVEL))
CAL = tables.read(TABLE.filter(split="cal"))
PROMISE = Promise(alpha=0.15)
MEANS, LAYER = RNG.normal(size=(3, 6)) * 2, RNG.normal(size=(6, 8)) / 4


def rows(split: str, n: int, shift: float = 0.0) -> Predictions:
    """A network's rows with logits, embeddings, and features of two stages; shifted ones lie further out."""
    labels = np.arange(n) % 3
    points = (MEANS[labels] + (2 + shift) * RNG.normal(size=(n, 6))).astype(np.float32)
    table = tables.read(
        {
            "ids": [f"{split}-{i}" for i in range(n)], "classes": ["a", "b", "c"], "labels": labels,
            "logits": points @ MEANS.T.astype(np.float32) / 4, "embeddings": points,
            "patient": [f"{split}-{i // 2}" for i in range(n)],
        }
    )  # fmt: skip
    first = np.tanh(points @ LAYER + RNG.normal(size=(n, 8))).astype(np.float32)
    return replace(table, stages=(first, points))


NET_CAL, TEST, TRAIN, FAR = rows("cal", 400), rows("test", 60), rows("train", 300), rows("far", 30, 20.0)


def seen_by_patient(portion: Bools) -> Floats:
    """Lowest novelty score of each patient among fit rows, by a loop."""
    patients, scores = np.array(CAL.patients), CAL.scores["novel"]
    kept = sorted(set(patients[portion].tolist()))
    return np.sort([scores[patients == name].min() for name in kept])


def test_the_threshold_is_the_kth_lowest_patient_of_its_quarter() -> None:
    policy = fit(TABLE, "phantom", promise=PROMISE, veto="novel", veto_rate=0.1)
    assert policy.veto is not None
    lowest = seen_by_patient(divide(CAL, veto=True, learning=False, seed=0).veto)
    assert (policy.veto.units, policy.veto.k, policy.veto.rows) == (37, 3, 74)  # ⌊.1 · 38⌋ of 37 patients
    assert policy.veto.threshold == lowest[2]
    assert policy.veto == fit(TABLE, "phantom", capacity=0.2, veto="score_novel", veto_rate=0.1).veto


def test_who_is_sent_away_and_why() -> None:
    policy = fit(TABLE, "phantom", capacity=0.3, veto="novel", veto_rate=0.1)
    assert policy.veto is not None
    frame, test = apply(policy, TABLE).frame(), TABLE.filter(split="test")
    unseen = test["score_novel"].to_numpy() < policy.veto.threshold
    unsure = frame["confidence"].to_numpy() < policy.threshold
    expected = np.where(unseen, "unfamiliar", np.where(unsure, "unsure", ""))
    assert frame["reason"].to_list() == expected.tolist()
    assert ((frame["action"] == "accepted").to_numpy() == ~(unseen | unsure)).all()
    assert {"unfamiliar", "unsure", ""} == set(expected)
    plain = apply(fit(TABLE, "phantom", capacity=0.3), TABLE).frame()
    assert set(plain["reason"]) == {"unsure", ""}


@pytest.mark.parametrize("learning", [False, True])
def test_portions_are_cut_by_patient_and_whatever_the_order_of_rows(learning: bool) -> None:
    portions = divide(CAL, veto=True, learning=learning, seed=3)
    patients = np.array(CAL.patients)
    parts = [portions.veto, portions.reading] + ([portions.learning] if learning else [])
    for part in parts:
        assert not set(patients[part]) & set(patients[~part])
    assert not (portions.reading & (portions.veto | portions.learning)).any()
    assert (portions.reading | portions.veto | portions.learning).all()
    assert len(set(patients[portions.veto])) == 37  # of 150: half of a half
    back = divide(CAL.take(np.arange(len(CAL))[::-1]), veto=True, learning=learning, seed=3)
    assert (back.veto[::-1] == portions.veto).all()
    if learning:
        assert (portions.veto <= portions.learning).all()


def test_no_row_of_the_veto_reads_the_threshold() -> None:
    """Other answers and labels of its rows leave the promise as it is; other novelty of the rest the veto."""
    portion = divide(CAL, veto=True, learning=False, seed=0).veto
    asked: dict[str, Any] = {"promise": PROMISE, "veto": "novel", "veto_rate": 0.1}
    policy = fit(TABLE, "phantom", **asked)
    cal = TABLE.filter(split="cal").with_columns(portion=pl.Series(portion))
    moved = cal.with_columns(
        pl.when("portion").then(pl.lit("melanoma")).otherwise("label").alias("label"),
        *(
            pl.when("portion").then(0.25).otherwise(f"prob_{name}").alias(f"prob_{name}")
            for name in CAL.classes
        ),
    )
    again = fit(moved, "phantom", **asked)
    assert again.thresholds == policy.thresholds
    assert again.veto == policy.veto
    unlike = cal.with_columns(score_novel=pl.when("portion").then("score_novel").otherwise(-9.0))
    assert fit(unlike, "phantom", **asked).veto == policy.veto


def test_a_promise_counts_vetoed_cases_as_deferred() -> None:
    policy = fit(TABLE, "phantom", promise=Promise(alpha=0.15, unit="worst"), veto="novel", veto_rate=0.2)
    assert policy.veto is not None
    reading = divide(CAL, veto=True, learning=False, seed=0).reading
    passes = CAL.scores["novel"] >= policy.veto.threshold
    kept = passes & (CAL.probs.max(axis=1) >= policy.threshold)
    assert policy.fit.deferred_share == pytest.approx((~kept)[reading].mean())
    critical = read("phantom").ordered(CAL.classes, "t").critical
    among, one = critical.any(axis=1)[CAL.labels], policy.thresholds["all"]
    assert one.critical_coverage == pytest.approx(kept[reading & among].mean())
    cleared = kept & ~critical.any(axis=1)[CAL.predicted]
    assert one.cleared == pytest.approx(cleared[reading & ~among].mean())
    missed = kept & reading & critical[CAL.labels, CAL.predicted]
    patients = np.array(CAL.patients)
    assert one.n == one.units == len(set(patients[reading & among]))
    assert one.risk == pytest.approx(len(set(patients[missed])) / one.units)


def test_equal_rows_get_equal_answers_whatever_stands_around_them() -> None:
    for score in vetoes.NOVELTY:
        policy = fit(NET_CAL, score="msr", capacity=0.3, veto=score, train=TRAIN, veto_rate=0.1)
        batch = apply(policy, TEST).decided
        single = [apply(policy, TEST.take(np.array([row]))).decided for row in range(len(TEST))]
        order = np.random.default_rng(1).permutation(len(TEST))
        shuffled = apply(policy, TEST.take(order)).decided
        among = apply(policy, stacked([FAR, TEST], renamed=False)).decided
        assert among.familiar is not None
        assert not among.familiar[: len(FAR)].all()
        for got in (
            [np.concatenate([getattr(each, name) for each in single]) for name in ("decisions", "reason")],
            [shuffled.decisions[np.argsort(order)], shuffled.reason[np.argsort(order)]],
            [among.decisions[len(FAR) :], among.reason[len(FAR) :]],
        ):
            assert (got[0] == batch.decisions).all()
            assert (got[1] == batch.reason).all()
        assert {"unsure", ""} <= set(batch.reason.tolist())


def test_a_case_just_like_the_one_that_set_the_veto_passes_it() -> None:
    policy = fit(NET_CAL, score="msr", capacity=0.0, veto="knn", train=TRAIN, veto_rate=0.1)
    known = NET_CAL.metadata.with_columns(patient="twin-" + pl.col("patient"))
    twins = apply(policy, replace(NET_CAL, ids="twin-" + NET_CAL.ids, metadata=known)).decided
    assert twins.familiar is not None
    assert policy.veto is not None
    portion = divide(NET_CAL, veto=True, learning=False, seed=0).veto
    patients = np.array(NET_CAL.patients)[portion]
    away = set(patients[~twins.familiar[portion]].tolist())
    assert len(away) == policy.veto.k - 1  # those below it, and not itself


def test_auto_takes_the_first_novelty_score_that_applies_and_says_which() -> None:
    probabilities = {"kind": "log_probabilities", "stages": None}
    cal, train = (replace(table, logits=table.log_probs, **probabilities) for table in (NET_CAL, TRAIN))
    policy = fit(cal, score="msr", capacity=0.3, veto="auto", train=train)
    assert policy.veto is not None
    assert policy.veto.score == "vim_residual"
    assert "the veto asks by vim_residual" in policy.question
    assert "n = 50" in policy.question
    full = fit(NET_CAL, score="msr", capacity=0.3, veto="auto", train=TRAIN)
    assert full.veto is not None
    assert full.veto.score == vetoes.NOVELTY[0]


def test_without_a_novelty_score_auto_says_what_each_lacks(refused: Callable[..., None]) -> None:
    refused(
        lambda: fit(TABLE, "phantom", capacity=0.3, veto="auto"),
        "no novelty score applies", "knn: the table carries no embeddings",
    )  # fmt: skip


@pytest.mark.parametrize("score", ["combined", "msr_temperature", "critical_mass", "expected_cost"])
def test_a_score_that_looks_at_fit_rows_or_answers_is_no_veto(
    score: str, refused: Callable[..., None]
) -> None:
    refused(lambda: fit(TABLE, "phantom", capacity=0.3, veto=score), "owes nothing to fit rows", score)


def test_a_veto_by_the_order_itself_is_refused(refused: Callable[..., None]) -> None:
    refused(lambda: fit(TABLE, score="novel", capacity=0.3, veto="novel"), "novel is both")
    tried: dict[str, Any] = {"promise": PROMISE, "several": "try"}
    refused(lambda: fit(TABLE, "phantom", ["msr", "novel"], veto="score_novel", **tried), "novel is both")
    refused(lambda: fit(TABLE, "phantom", capacity=0.3, veto="nvel"), "score 'nvel'")
    plain = replace(NET_CAL, stages=None, logits=NET_CAL.log_probs, kind="log_probabilities")
    train = replace(TRAIN, stages=None, logits=TRAIN.log_probs, kind="log_probabilities")
    ordered = fit(plain, score="vim_residual", capacity=0.3, veto="auto", train=train)
    assert ordered.veto is not None
    assert ordered.veto.score == "knn"


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1, float("nan")])
def test_a_rate_lies_between_0_and_1(rate: float, refused: Callable[..., None]) -> None:
    refused(lambda: fit(TABLE, capacity=0.3, veto="novel", veto_rate=rate), "--veto-rate", "arrived")


def test_too_few_patients_are_told_how_many_it_takes(refused: Callable[..., None]) -> None:
    few = TABLE.filter(split="cal").head(150)  # 75 patients, 18 in a quarter
    refused(
        lambda: fit(few, capacity=0.3, veto="novel"),
        "a veto at 0.05 needs 19 patients", "18 are there", "at least 76 patients",
    )  # fmt: skip
    enough = fit(TABLE.filter(split="cal").head(152), capacity=0.3, veto="novel")
    assert enough.veto is not None
    assert (enough.veto.units, enough.veto.k) == (19, 1)
    alone = fit(few.drop("patient"), capacity=0.3, veto="novel")
    assert alone.veto is not None
    assert alone.veto.units == 37


@pytest.mark.parametrize(
    "asked", [{"promise": PROMISE}, {"reader": StatedReader(0.3)}, {"capacity": 0.3, "by": "site"}]
)
def test_the_file_brings_back_the_veto(asked: dict[str, Any], tmp_path: Path) -> None:
    policy = fit(TABLE, "phantom", veto="novel", **asked)
    policy.to_yaml(tmp_path / "p.yaml")
    assert Policy.read(tmp_path / "p.yaml") == policy
    assert apply(tmp_path / "p.yaml", TABLE).frame().equals(apply(policy, TABLE).frame())
    assert "veto" not in yaml.safe_load(fit(TABLE, "phantom", **asked).to_yaml())


@pytest.mark.parametrize(
    "damage",
    [{"k": 2}, {"k": 0}, {"bound": 0.5}, {"units": 5}, {"rate": 0.0}, {"rate": 1.5},
     {"threshold": float("nan")}, {"threshold": float("-inf")}],
)  # fmt: skip
def test_damaged_numbers_of_a_veto_are_refused(damage: dict[str, Any], refused: Callable[..., None]) -> None:
    content = fit(TABLE, "phantom", capacity=0.3, veto="novel").to_dict()
    refused(lambda: Policy.from_dict({**content, "veto": {**content["veto"], **damage}}), "'veto'", "damaged")


def test_rows_without_the_veto_score_are_refused(refused: Callable[..., None]) -> None:
    policy = fit(TABLE, "phantom", capacity=0.3, veto="novel")
    refused(lambda: apply(policy, TABLE.drop("score_novel")), "score 'novel'")


def test_a_veto_above_the_capacity_is_noted() -> None:
    policy = fit(TABLE, "phantom", capacity=0.05, veto="novel", veto_rate=0.3)
    assert policy.threshold == -np.inf
    assert policy.fit.deferred_share > 0.05
    assert any("the veto alone defers" in note and "capacity of 5 %" in note for note in policy.notes)
    decided = apply(policy, TABLE).decided
    assert (decided.accepted == decided.familiar).all()


def test_a_group_that_is_sent_away_whole_is_said() -> None:
    number = pl.col("patient").str.slice(1).cast(pl.Int64)
    site = pl.when(number % 14 == 0).then(pl.lit("C")).otherwise("site")
    far = TABLE.with_columns(site=site).with_columns(
        score_novel=pl.when(pl.col("site") == "C").then(-9.0).otherwise("score_novel")
    )
    policy = fit(far, "phantom", reader=StatedReader(0.2), by="site", veto="novel", veto_rate=0.2)
    assert policy.thresholds["C"].threshold == np.inf
    assert "site C: the veto sends away every one of these fit rows" in policy.notes
