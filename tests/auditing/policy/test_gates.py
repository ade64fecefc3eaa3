"""Cases on their way through veto and threshold, counted one by one."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from primum import audit
from primum.auditing.policy.application import apply
from primum.auditing.policy.description import names
from primum.auditing.policy.fit import fit
from primum.auditing.policy.gates import EXAMPLES, gates
from primum.severity import read
from tests.auditing.policy.made import with_novelty
from tests.conftest import CLASSES, made_table

TABLE = with_novelty(made_table(1000, skill=3.0))
TEST = TABLE.filter(split="test")
POLICY = fit(TABLE, "phantom", capacity=0.3, veto="novelty")
SICK = ("melanoma", "carcinoma")


def test_every_case_ends_somewhere() -> None:
    assert POLICY.veto is not None
    counted = gates(apply(POLICY, TABLE))
    assert counted is not None
    rows = TEST.with_columns(
        msr=pl.max_horizontal(f"prob_{name}" for name in CLASSES),
        said=pl.concat_list(f"prob_{name}" for name in CLASSES).list.arg_max(),
    ).with_columns(said=pl.col("said").replace_strict(dict(enumerate(CLASSES))))
    known = pl.col("score_novelty") >= POLICY.veto.threshold
    sure = pl.col("msr") >= POLICY.threshold
    answered = rows.filter(known & sure)
    harmless, well = ~pl.col("said").is_in(SICK), ~pl.col("label").is_in(SICK)
    assert (counted.n, counted.unfamiliar) == (len(rows), len(rows.filter(~known)))
    assert counted.unsure == len(rows.filter(known & ~sure))
    assert counted.harmless == len(answered.filter(harmless))
    assert counted.critical == len(answered.filter(~harmless))
    assert (counted.negatives, counted.cleared) == (
        len(rows.filter(well)),
        len(answered.filter(harmless & well)),
    )
    assert counted.errors == len(answered.filter(harmless & ~well)) > 0
    assert counted.unfamiliar > 60
    worst = rows.filter(~known).sort("score_novelty")[:EXAMPLES]
    assert [case.id for case in counted.most_novel] == worst["id"].to_list()
    assert [case.value for case in counted.most_novel] == worst["score_novelty"].to_list()
    assert [case.path for case in counted.most_novel] == worst["path"].to_list()
    unsure = rows.filter(known & ~sure).sort("msr")[:EXAMPLES]
    assert [case.id for case in counted.least_sure] == unsure["id"].to_list()
    assert [case.predicted for case in counted.least_sure] == unsure["said"].to_list()
    assert [case.critical for case in counted.least_sure] == unsure.select(
        harmless & ~well
    ).to_series().to_list()


def test_without_labels_paths_or_critical_cells() -> None:
    nobody = TABLE.with_columns(label=pl.lit(None, pl.String)).drop("path")
    counted, known = gates(apply(POLICY, nobody)), gates(apply(POLICY, TABLE))
    assert counted is not None
    assert known is not None
    assert (counted.negatives, counted.cleared, counted.errors) == (0, 0, 0)
    assert (counted.harmless, counted.critical) == (known.harmless, known.critical)
    case = counted.most_novel[0]
    assert (case.label, case.critical, case.path) == (None, None, None)
    plain = gates(apply(fit(TABLE, capacity=0.3, veto="novelty"), TABLE))
    assert plain is not None
    assert (plain.harmless, plain.errors, plain.least_sure[0].critical) == (None, None, None)
    priced = gates(apply(fit(TABLE, capacity=0.3, veto="novelty"), TABLE), read("phantom"))
    assert priced == known


def test_without_a_veto_there_is_one_question() -> None:
    assert gates(apply(fit(TABLE, "phantom", capacity=0.3), TABLE)) is None


def test_equal_scores_follow_their_ids() -> None:
    flat = TABLE.with_columns(score_novelty=pl.when(split="test").then(-9.0).otherwise("score_novelty"))
    there, back = gates(apply(POLICY, flat)), gates(apply(POLICY, flat[::-1]))
    assert there == back
    assert there is not None
    assert [case.id for case in there.most_novel] == sorted(TEST["id"])[:EXAMPLES]


def test_an_audit_carries_them() -> None:
    plain = fit(TABLE, "phantom", capacity=0.3)
    judged = audit(TEST.drop("split"), "phantom", policies=[POLICY, plain], bootstrap=100)
    with_veto, without = judged.curves["deferral"]["policies"]
    assert without["gates"] is None
    counted = gates(apply(POLICY, TABLE))
    assert counted is not None
    assert with_veto["gates"]["unfamiliar"] == counted.unfamiliar
    assert with_veto["gates"]["most_novel"][0]["id"] == counted.most_novel[0].id
    json.dumps(judged.curves, allow_nan=False)
    assert [with_veto["name"], without["name"]] == [
        "At most 30 % deferred · msr, veto novelty",
        "At most 30 % deferred · msr",
    ]


def test_names_tell_a_veto() -> None:
    two = replace(POLICY, notes=("another",))
    assert names([POLICY, two])[1] == "At most 30 % deferred · msr, veto novelty (2)"


def test_what_a_case_takes_along() -> None:
    decided = apply(POLICY, TABLE).decided
    assert decided.novelty is not None
    assert decided.novelty == pytest.approx(TEST["score_novelty"].to_numpy())
    some = decided.take(np.array([3, 1]))
    assert some.novelty is not None
    assert some.novelty.tolist() == decided.novelty[[3, 1]].tolist()
