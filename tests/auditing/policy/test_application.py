"""A policy applied from its file alone, and refused where it may not be."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from pydantic import TypeAdapter

from primum import tables
from primum.auditing.policy.application import apply
from primum.auditing.policy.description import describe
from primum.auditing.policy.document import Policy
from primum.auditing.policy.fit import fit
from primum.auditing.policy.terms import Promise, StatedReader
from primum.judge import decision
from primum.judge.deferral.recalibrated import from_plain
from primum.judge.sections.deferral import PolicyRecord
from primum.severity import read
from tests.auditing.policy.made import ASKED
from tests.conftest import CLASSES, made_table

TABLE = made_table(1000, skill=4.0)
TEST = tables.read(TABLE.filter(split="test"))


@pytest.mark.parametrize("name", ASKED)
def test_the_file_alone_says_it_all(name: str, tmp_path: Path) -> None:
    policy = fit(TABLE, "phantom", **ASKED[name])
    policy.to_yaml(tmp_path / "p.yaml")
    there, back = apply(policy, TABLE), apply(tmp_path / "p.yaml", TABLE)
    assert there.frame().equals(back.frame())
    assert there.frame().columns == ["id", "decision", "confidence", "action", "reason"]
    assert [one.to_dict() for one in there.findings()] == [one.to_dict() for one in back.findings()]
    content = TypeAdapter(PolicyRecord).dump_python(describe(there, "this", there.findings()), mode="json")
    json.dumps(content, allow_nan=False)


def test_accepted_is_at_or_above_the_threshold() -> None:
    policy = fit(TABLE, "phantom", capacity=0.3)
    applied = apply(policy, TABLE)
    msr = TEST.probs.max(axis=1)
    assert applied.decided.confidence == pytest.approx(msr)
    assert (applied.decided.accepted == (applied.decided.confidence >= policy.threshold)).all()
    edge = replace(policy, thresholds={"all": replace(policy.thresholds["all"], threshold=float(msr[7]))})
    assert apply(edge, TABLE).decided.accepted[7]


def test_bayes_answers_come_from_the_policys_own_recalibrator() -> None:
    policy = fit(TABLE, "phantom", capacity=0.3, decision="bayes")
    cost = read("phantom").ordered(TEST.classes, "t").cost
    expected = decision.bayes(from_plain(policy.recalibrator, "p")(TEST.logits), cost)
    assert (apply(policy, TABLE).decided.decisions == expected).all()


def test_classes_in_another_order_are_the_same_classes() -> None:
    policy = fit(TABLE, "phantom", **ASKED["cost-errs"])
    turned = TABLE.select(
        "id", "label", *(f"prob_{name}" for name in reversed(CLASSES)), "patient", "site", "split"
    )
    there, back = apply(policy, TABLE), apply(policy, turned)
    assert there.table.classes != back.table.classes
    assert there.frame()["decision"].equals(back.frame()["decision"])
    for one, other in zip(there.findings(), back.findings(), strict=True):
        assert one.value == pytest.approx(other.value)


def test_each_group_has_its_own_threshold(refused: Callable[..., None]) -> None:
    policy = fit(TABLE, "phantom", capacity=0.3, by="site")
    applied = apply(policy, TABLE)
    for site, one in policy.thresholds.items():
        assert (applied.decided.threshold[(TEST.metadata["site"] == site).to_numpy()] == one.threshold).all()
    other = TABLE.with_columns(site=pl.lit("C"))
    refused(lambda: apply(policy, other), "no threshold for this site", "'C'", "A, B")
    refused(lambda: apply(policy, TABLE.drop("site")), "no such column")


def test_rows_without_a_label_are_decided_but_not_counted() -> None:
    policy = fit(TABLE, "phantom", capacity=0.3)
    some = TABLE.with_columns(label=pl.when(pl.int_range(pl.len()) % 2 == 0).then("label"))
    applied = apply(policy, some)
    assert len(applied.frame()) == len(TEST)
    assert {one.n for one in applied.findings() if one.code == "deferred_share"} == {350}
    nobody = apply(policy, TABLE.with_columns(label=pl.lit(None, pl.String)))
    assert nobody.findings() == []
    assert (nobody.decided.accepted == apply(policy, TABLE).decided.accepted).all()


def test_what_a_policy_says_of_itself_needs_no_labels() -> None:
    nobody = TABLE.with_columns(label=pl.lit(None, pl.String))
    policy = fit(TABLE, "phantom", promise=Promise(alpha=0.001))
    (note,) = apply(policy, nobody).findings()
    assert (note.code, note.why) == ("policy_note", policy.notes[0])
    unsure = nobody.with_columns(pl.lit(0.25).alias(f"prob_{name}") for name in CLASSES)
    (warned,) = apply(fit(TABLE, "phantom", capacity=0.3), unsure).findings()
    assert warned.code == "policy_deferral_shift"
    assert "defers 100% of these" in warned.why


def test_figures_are_those_of_the_decisions() -> None:
    applied = apply(fit(TABLE, "phantom", capacity=0.05), TABLE)
    found = {one.code: one for one in applied.findings(reader=StatedReader(0.5))}
    accepted, wrong = applied.decided.accepted, read("phantom").ordered(TEST.classes, "t")
    spent = wrong.cost[TEST.labels, applied.decided.decisions]
    assert found["deferred_share"].value == pytest.approx((~accepted).mean())
    assert found["failure_cost_ratio"].value == pytest.approx(spent[accepted].sum() / spent.sum())
    paid = np.where(accepted, spent, 0.5).sum() / spent.sum()
    assert found["failure_cost_ratio_with_reader"].value == pytest.approx(paid)
    one = found["failure_cost_ratio"]
    assert one.low is not None
    assert one.high is not None
    assert one.value is not None
    assert one.low < one.value < one.high


def test_groups_are_judged_as_if_they_stood_alone(refused: Callable[..., None]) -> None:
    known = TABLE.with_columns(score_seen=pl.Series(np.random.default_rng(0).random(len(TABLE))))
    policy = fit(known, "phantom", capacity=0.3, veto="seen")
    found = apply(policy, known).findings(by=("site",))
    assert [one.group for one in found[:7]] == ["all"] * 7
    for site in ("A", "B"):
        alone = apply(policy, known.filter((pl.col("site") == site) | (pl.col("split") == "cal"))).findings()
        for one in alone:
            if one.verdict != "warning":
                (same,) = [each for each in found if (each.code, each.group) == (one.code, f"site={site}")]
                assert same == replace(one, group=f"site={site}", tails=same.tails)
    assert {"deferred_share", "vetoed_share", "accepted_cer"} <= {one.code for one in alone}
    refused(lambda: apply(policy, known).findings(by=("ward",)), "--by ward: the table has no such column")


def test_another_severity_may_judge_what_another_one_fitted() -> None:
    applied = apply(fit(TABLE, "phantom", capacity=0.3), TABLE)
    flat = read("phantom")
    flat = replace(flat, cost=(flat.cost > 0) * 1.0)
    found = {one.code: one.value for one in applied.findings(flat)}
    wrong = applied.decided.decisions != TEST.labels
    assert found["failure_cost"] == pytest.approx((wrong & applied.decided.accepted).mean())


def test_a_promise_not_made_defers_everything() -> None:
    applied = apply(fit(TABLE, "phantom", promise=Promise(alpha=0.001)), TABLE)
    found = {one.code: one for one in applied.findings()}
    assert found["deferred_share"].value == 1
    assert found["accepted_cer"].verdict == "not_applicable"
    assert found["accepted_cer"].why.startswith("vacuous")
    assert found["policy_note"].why.startswith("not certifiable with n = ")


def test_other_shares_of_classes_are_warned_of() -> None:
    policy = fit(TABLE, "phantom", capacity=0.3)
    assert "policy_prevalence_shift" not in {one.code for one in apply(policy, TABLE).findings()}
    fewer = TABLE.filter((pl.col("label") != "melanoma") | (pl.int_range(pl.len()) % 8 == 0))
    warned = [one for one in apply(policy, fewer).findings() if one.code == "policy_prevalence_shift"]
    assert "melanoma" in warned[0].why


def test_another_share_deferred_is_warned_of() -> None:
    policy = fit(TABLE, "phantom", capacity=0.3)
    assert "policy_deferral_shift" not in {one.code for one in apply(policy, TABLE).findings()}
    surer = TABLE.with_columns(
        (0.7 * (pl.col("label") == name) + 0.3 * pl.col(f"prob_{name}")).alias(f"prob_{name}")
        for name in CLASSES
    )
    warned = [one for one in apply(policy, surer).findings() if one.code == "policy_deferral_shift"]
    # of the first case of each of 150 patients
    first = tables.read(TABLE.filter(split="cal").sort("id").unique("patient", keep="first"))
    deferred = (first.probs.max(axis=1) < policy.threshold).mean()
    assert len(first) == 150
    assert f"deferred {deferred:.0%} of its fit rows and defers" in warned[0].why


def test_what_was_fitted_on_is_refused(refused: Callable[..., None]) -> None:
    policy = fit(TABLE, "phantom", capacity=0.3)
    cal = TABLE.filter(split="cal").drop("split")
    refused(lambda: apply(policy, cal), "may not judge a row that it was fitted on", f"{len(cal)} are here")
    mixed = pl.concat([TABLE.filter(split="test").drop("split"), cal[:1].with_columns(patient=pl.lit("new"))])
    refused(lambda: apply(policy, mixed), "1 are here")
    known = TABLE.filter(split="test").drop("split").with_columns(patient=pl.lit("p0"))
    refused(lambda: apply(policy, known), "may not judge a patient that it was fitted on")


def test_other_tables_are_refused(refused: Callable[..., None]) -> None:
    policy = fit(
        TABLE.with_columns(score_mine=pl.col("prob_naevus")), "phantom", capacity=0.3, score="score_mine"
    )
    named = TABLE.with_columns(score_mina=pl.col("prob_naevus"))
    refused(lambda: apply(policy, named), "score 'mine'", "did you mean 'mina'")
    plain = fit(TABLE, "phantom", capacity=0.3)
    logits = TABLE.rename({f"prob_{name}": f"logit_{name}" for name in CLASSES})
    refused(lambda: apply(plain, logits), "fitted on log_probabilities", "logits arrived")
    two = TABLE.filter(pl.col("label").is_in(CLASSES[:2])).select(
        "id", "label", "split", prob_naevus=0.5, prob_keratosis=0.5
    )
    refused(lambda: apply(plain, two), "class names must match those of what was expected", "melanoma")
    refused(lambda: apply(plain, TABLE.filter(split="cal")), "no row is marked split=test")


def test_a_policy_of_another_file_is_refused(tmp_path: Path, refused: Callable[..., None]) -> None:
    (tmp_path / "p.yaml").write_text("cer: {max: 0.1}")
    refused(lambda: apply(tmp_path / "p.yaml", TABLE), "a policy of schema")
    assert isinstance(fit(TABLE, capacity=0.1), Policy)


def test_the_share_deferred_is_held_against_one_case_per_patient_on_both_sides() -> None:
    """Patients with many images whose model is unsure: 90 % of rows, half of the patients, nothing amiss."""

    def drawn(split: str, seed: int) -> pl.DataFrame:
        rng = np.random.default_rng(seed)
        patient = np.concatenate([np.arange(100), np.repeat(np.arange(100, 200), 9)])
        unsure = patient >= 100
        top = np.where(unsure, 0.6, 0.9) + 0.05 * rng.random(len(patient))
        return pl.DataFrame(
            {
                "id": [f"{split}-{i}" for i in range(len(patient))],
                "patient": [f"{split}-{i}" for i in patient],
                "label": np.where(rng.random(len(patient)) < 0.5, "a", "b"), "prob_a": top, "prob_b": 1 - top,
                "split": split,
            }
        )  # fmt: skip

    policy = fit(pl.concat([drawn("cal", 0), drawn("test", 1)]), capacity=0.9)
    assert (policy.fit.deferred_share, policy.fit.units, policy.fit.deferred_units) == (0.9, 200, 100)
    again = apply(policy, drawn("test", 1)).findings()
    assert "policy_deferral_shift" not in {one.code for one in again}
    surer = drawn("test", 1).with_columns(prob_a=pl.lit(0.99), prob_b=pl.lit(0.01))
    (warned,) = [one for one in apply(policy, surer).findings() if one.code == "policy_deferral_shift"]
    assert "deferred 50% of its fit rows and defers 0% of these, one case per patient" in warned.why


def test_deferring_to_a_free_reader_never_costs_more_than_not_deferring() -> None:
    policy = fit(TABLE, "phantom", capacity=0.0)
    found = {one.code: one for one in apply(policy, TABLE).findings(reader=StatedReader(0.5))}
    assert found["deferred_share"].value == 0
    assert found["failure_cost_ratio"].value == found["failure_cost_ratio"].high == 1
    high = found["failure_cost_ratio_with_reader"].high
    assert high is not None
    assert high > 1
