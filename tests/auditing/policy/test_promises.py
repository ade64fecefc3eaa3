"""What may bear a promise, and what several tries for one cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from primum import audit, tables
from primum.auditing.policy.application import apply
from primum.auditing.policy.document import Policy
from primum.auditing.policy.fit import fit
from primum.auditing.policy.terms import Promise, StatedReader
from tests.conftest import made_table

TABLE = made_table(1000, skill=4.0)
VAL = TABLE.with_columns(split=pl.col("split").replace("cal", "val"))
SCORES = ["msr", "critical_mass", "expected_cost"]
ASKED: dict[str, dict[str, Any]] = {"capacity": {"capacity": 0.3}, "cost": {"reader": StatedReader(0.2)}}


def test_validation_rows_bear_no_promise(refused: Callable[..., None]) -> None:
    """The network was stopped on them: it is not as good on new cases as it is there."""
    n = VAL.filter(split="val").height
    refused(
        lambda: fit(VAL, "phantom", promise=Promise(alpha=0.1)),
        "a promise needs rows that training did not use", f"{n} of {n} fit rows are validation rows",
        "mark others as cal", "--capacity",
    )  # fmt: skip
    some = VAL.with_columns(split=pl.when(pl.int_range(pl.len()) >= 7).then("split"))
    refused(lambda: fit(some.drop_nulls("split"), "phantom", promise=Promise(alpha=0.1)), f"{n - 7} of")
    assert fit(TABLE, "phantom", promise=Promise(alpha=0.1)).verdict == "certified"


@pytest.mark.parametrize("asked", ASKED)
def test_without_a_promise_validation_rows_are_noted(asked: str) -> None:
    policy = fit(VAL, "phantom", **ASKED[asked])
    assert any("300 of 300 fit rows are validation rows" in note for note in policy.notes)
    assert any("validation rows" in one.why for one in apply(policy, TABLE).findings())
    assert not any("validation" in note for note in fit(TABLE, "phantom", **ASKED[asked]).notes)


def test_a_source_may_name_the_split_a_network_was_selected_on(refused: Callable[..., None]) -> None:
    known = replace(tables.read(TABLE), source={"selected_on": "cal"})
    refused(lambda: fit(known, "phantom", promise=Promise(alpha=0.1)), "300 of 300 fit rows are validation")
    both = replace(known, source={"ensemble": "mean", "members": [{"name": "a", "selected_on": "cal"}]})
    refused(lambda: fit(both, "phantom", promise=Promise(alpha=0.1)), "300 of 300 fit rows are validation")
    other = replace(known, source={"selected_on": "val"})
    assert fit(other, "phantom", promise=Promise(alpha=0.1)).verdict == "certified"


def test_weights_fitted_on_the_rows_bear_no_promise(refused: Callable[..., None]) -> None:
    known = replace(tables.read(TABLE), source={"ensemble": "stacking", "out_of_fold": True})
    refused(lambda: fit(known, "phantom", promise=Promise(alpha=0.1)), "out of fold of a stacking")
    assert fit(known, "phantom", capacity=0.3).verdict == "fitted"


def test_an_audit_warns_of_validation_rows() -> None:
    cal, test = TABLE.filter(split="cal"), TABLE.filter(split="test").drop("split")
    seen = audit(test, "phantom", fit=cal.with_columns(split=pl.lit("val")), bootstrap=100)
    (warned,) = [one for one in seen.findings if one.code == "fitted_on_val"]
    assert (warned.verdict, warned.value) == ("warning", 300)
    assert "300 of 300 fit rows are validation rows" in warned.why
    assert seen.settings["validation_rows"] == 300
    uses = [one["said"] for one in seen.curves["checklist"] if any("used to recal" in s for s in one["said"])]
    assert any("300 of them validation rows" in said for one in uses for said in one)
    other = audit(test, "phantom", fit=cal, bootstrap=100)
    assert other.settings["validation_rows"] == 0
    assert not [one for one in other.findings if one.code == "fitted_on_val"]


def tried(alpha: float = 0.15, **rest: Any) -> Policy:
    return fit(TABLE, "phantom", SCORES, promise=Promise(alpha=alpha, **rest), several="try")


def test_each_score_tried_has_its_share_of_delta() -> None:
    policy = tried()
    assert policy.thresholds["all"].level == pytest.approx(0.05 / 3)
    assert policy.promise is not None
    assert policy.promise.delta == 0.05
    assert [one.score for one in policy.tried] == SCORES
    alone = {
        name: fit(TABLE, "phantom", name, promise=Promise(alpha=0.15, delta=0.05 / 3)) for name in SCORES
    }
    assert {one.score: one.deferred_share for one in policy.tried} == {
        name: one.fit.deferred_share for name, one in alone.items()
    }
    best = min(policy.tried, key=lambda one: one.deferred_share)
    assert (policy.score, policy.fit.deferred_share) == (best.score, best.deferred_share)
    assert policy.threshold == alone[best.score].threshold
    assert any("3 scores were tried for this promise (msr, critical_mass" in note for note in policy.notes)
    assert apply(policy, TABLE).decided.score == best.score


def test_groups_and_tries_share_delta_together() -> None:
    policy = fit(
        TABLE,
        "phantom",
        ["msr", "pe"],
        promise=Promise(alpha=0.3, denominator="all"),
        by="site",
        several="try",
    )
    assert {one.level for one in policy.thresholds.values()} == {0.05 / 4}


def test_bonferroni_over_thresholds_comes_on_top() -> None:
    among: dict[str, Any] = {"denominator": "accepted", "method": "bonferroni"}
    one = tried(**among).thresholds["all"]
    single = fit(TABLE, "phantom", promise=Promise(alpha=0.15, **among)).thresholds["all"]
    assert one.level is not None
    assert single.level is not None
    assert one.level < single.level


def test_one_score_is_one_try() -> None:
    one = fit(TABLE, "phantom", promise=Promise(alpha=0.15))
    assert [(each.score, each.verdict) for each in one.tried] == [("msr", "certified")]
    assert one == fit(TABLE, "phantom", ["msr", "msr"], promise=Promise(alpha=0.15), several="try")
    learned = fit(TABLE, "phantom", ["msr", "pe"], promise=Promise(alpha=0.3))
    assert [each.score for each in learned.tried] == ["learned"]
    assert fit(TABLE, "phantom", capacity=0.3).tried == ()


def test_tries_that_fail_are_counted_too() -> None:
    policy = tried(alpha=0.001)
    assert {one.verdict for one in policy.tried} == {policy.verdict} == {"not_certifiable"}
    assert policy.threshold == np.inf
    assert any("none could be certified" in note for note in policy.notes)


def test_scores_are_tried_for_promises_only(refused: Callable[..., None]) -> None:
    refused(lambda: fit(TABLE, "phantom", SCORES, capacity=0.3, several="try"), "--several try", "--certify")
    wrong: Any = "best"
    refused(lambda: fit(TABLE, "phantom", SCORES, capacity=0.3, several=wrong), "--several", "learn, try")


def test_promises_on_the_same_rows_are_added_up() -> None:
    first, second = (fit(TABLE, "phantom", name, promise=Promise(alpha=0.15)) for name in SCORES[:2])
    plain = fit(TABLE, "phantom", capacity=0.3)
    test = TABLE.filter(split="test")
    found = audit(test, "phantom", policies=[first, second, plain], bootstrap=100)
    (warned,) = [one for one in found.findings if one.code == "promises_on_same_rows"]
    assert "2 promises here were tried on the same fit rows" in warned.why
    assert "90 %" in warned.why
    alone = audit(test, "phantom", policies=[first, plain], bootstrap=100)
    assert not [one for one in alone.findings if one.code == "promises_on_same_rows"]
    assert [one["score"] for one in alone.curves["deferral"]["policies"][0]["tried"]] == ["msr"]
