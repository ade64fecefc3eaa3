"""A policy at a site it does not know, from rows without labels."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import beta, binomtest

from primum import check_policy, tables
from primum.auditing.policy.application import apply
from primum.auditing.policy.fit import fit
from primum.auditing.policy.terms import Promise
from tests.conftest import CLASSES, made_table

RNG = np.random.default_rng(3)
TABLE = made_table(1000, skill=4.0).with_columns(score_seen=pl.Series(RNG.random(1000)))
POLICY = fit(TABLE, "phantom", promise=Promise(alpha=0.2), veto="seen")
NEW = TABLE.filter(split="test").drop("split", "label")
AWAY = NEW.with_columns(
    pl.when(pl.int_range(pl.len()) % 5 == 0).then(-1.0).otherwise("score_seen").alias("score_seen")
)


def vetoed(table: pl.DataFrame) -> pl.Series:
    """Whether each patient's lowest score lies below the threshold of the veto."""
    assert POLICY.veto is not None
    lowest = table.group_by("patient", maintain_order=True).agg(pl.col("score_seen").min())
    return lowest["score_seen"] < POLICY.veto.threshold


def test_patients_are_vetoed_when_any_image_is() -> None:
    assert POLICY.veto is not None
    for table, suspended in ((NEW, False), (AWAY, True)):
        found = check_policy(POLICY, table)
        (one,) = found.sites
        expected = vetoed(table)
        assert (one.images, one.units, one.vetoed) == (700, 350, expected.sum())
        exact = binomtest(int(expected.sum()), 350, POLICY.veto.bound, alternative="greater").pvalue
        assert one.p == pytest.approx(exact)
        assert found.suspended is suspended
        assert bool(found.sentence) is suspended
        assert found.unit == found.bounded == "patients"


def test_the_bounds_are_those_of_patients_with_such_an_image() -> None:
    applied = apply(POLICY, AWAY)
    answers = applied.frame().with_columns(patient=AWAY["patient"], seen=~pl.col("reason").eq("unfamiliar"))
    # of the phantom's classes only naevus and keratosis are fatal answers, to melanoma or carcinoma
    fatal = answers.with_columns(
        fatal=pl.col("decision").is_in(["naevus", "keratosis"]) & pl.col("action").eq("accepted")
    ).group_by("patient")
    counts = fatal.agg(pl.col("seen").any(), pl.col("fatal").any())
    (one,) = check_policy(POLICY, AWAY).sites
    assert one.harmless is not None
    for bounded, hits in ((one.passing, counts["seen"].sum()), (one.harmless, counts["fatal"].sum())):
        assert (bounded.count, bounded.n) == (hits, 350)
        assert bounded.at_most == pytest.approx(beta.ppf(0.95, hits + 1, 350 - hits))
    assert one.harmless.count < one.passing.count < 350


def test_the_bound_holds_whatever_the_labels_are() -> None:
    """Labels chosen against the network: the patients with a fatal answer used are no more than counted."""
    (one,) = check_policy(POLICY, AWAY).sites
    answered = apply(POLICY, AWAY)
    truth = np.where(np.isin(answered.frame()["decision"], ["naevus", "keratosis"]), "melanoma", "naevus")
    worst = apply(POLICY, AWAY.with_columns(label=pl.Series(truth)))
    wrong = worst.table.labels == CLASSES.index("melanoma")
    hurt = AWAY.filter(pl.Series(wrong & worst.decided.accepted))["patient"].n_unique()
    assert one.harmless is not None
    assert hurt == one.harmless.count


def test_labels_are_not_read() -> None:
    labelled = TABLE.filter(split="test").drop("split").with_columns(score_seen=AWAY["score_seen"])
    turned = labelled.with_columns(label=pl.lit(CLASSES[0]))
    assert check_policy(POLICY, AWAY) == check_policy(POLICY, labelled) == check_policy(POLICY, turned)


def test_without_patients_images_are_counted_and_it_is_said() -> None:
    assert POLICY.veto is not None
    found = check_policy(POLICY, NEW.drop("patient"))
    (one,) = found.sites
    below = (NEW["score_seen"] < POLICY.veto.threshold).sum()
    assert (found.unit, found.bounded, one.units, one.vetoed) == ("images", "images", 700, below)
    assert found.notes[0].startswith("patients are not known here")


def test_a_policy_that_knew_no_patients_counts_one_image_of_each() -> None:
    policy = fit(TABLE.drop("patient"), "phantom", promise=Promise(alpha=0.2), veto="seen")
    assert policy.veto is not None
    found = check_policy(policy, NEW)
    first = NEW.sort("id").unique("patient", keep="first", maintain_order=True)
    (one,) = found.sites
    assert (found.unit, one.units) == ("patients, one image each", 350)
    assert one.vetoed == (first["score_seen"] < policy.veto.threshold).sum()
    assert (found.bounded, one.passing.n) == ("patients", 350)


def test_sites_are_judged_alone_and_p_is_adjusted_for_their_number() -> None:
    away = NEW.with_columns(
        pl.when((pl.col("site") == "B") & (pl.int_range(pl.len()) % 4 == 2)).then(-1.0)
        .otherwise("score_seen").alias("score_seen")
    )  # fmt: skip
    found = check_policy(POLICY, away, by="site")
    assert [(one.group, one.verdict) for one in found.sites] == [
        ("site=A", "usable"),
        ("site=B", "suspended"),
    ]
    alone = [check_policy(POLICY, away.filter(site=name)).sites[0] for name in "AB"]
    assert [one.vetoed for one in found.sites] == [one.vetoed for one in alone]
    assert found.sites[1].p == pytest.approx(2 * alone[1].p)
    assert "at site=B" in found.sentence
    assert found.suspended


def test_without_critical_cells_no_answer_is_known_to_be_fatal() -> None:
    found = check_policy(fit(TABLE, capacity=0.3, veto="seen"), NEW)
    assert found.sites[0].harmless is None
    assert "no answer is known to be fatal" in found.notes[0]


def test_the_file_says_what_was_found(tmp_path: Path) -> None:
    found = check_policy(POLICY, AWAY)
    text = found.to_json(tmp_path / "site.json")
    content = json.loads((tmp_path / "site.json").read_text())
    assert (tmp_path / "site.json").read_text() == text
    assert (content["schema"], content["suspended"]) == ("primum.site/1", True)
    assert content["sites"][0]["vetoed"] == found.sites[0].vetoed


def test_what_cannot_be_checked_is_refused(refused: Callable[..., None], tmp_path: Path) -> None:
    plain = fit(TABLE, "phantom", capacity=0.3)
    refused(lambda: check_policy(plain, NEW), "this policy has none; fit it with --veto auto")
    plain.to_yaml(tmp_path / "p.yaml")
    refused(lambda: check_policy(tmp_path / "p.yaml", NEW), "this policy has none; fit it with --veto auto")
    refused(lambda: check_policy(POLICY, NEW.drop("score_seen")), "score 'seen'")
    refused(lambda: check_policy(POLICY, NEW[:0]), "at least one case is needed, the table is empty")
    refused(lambda: check_policy(POLICY, NEW, by="ward"), "--by ward: the table has no such column")
    own = TABLE.filter(split="cal").drop("split", "label")
    refused(lambda: check_policy(POLICY, own), "may not judge a row that it was fitted on")


def test_an_audit_and_apply_warn_where_a_policy_is_suspended() -> None:
    found = check_policy(POLICY, AWAY)
    labelled = TABLE.filter(split="test").drop("split")
    away = labelled.with_columns(score_seen=AWAY["score_seen"])
    for table in (away, AWAY):
        (warned,) = [one for one in apply(POLICY, table).findings() if one.code == "policy_site_suspended"]
        assert (warned.why, warned.value) == (found.sentence, found.sites[0].p)
    assert "policy_site_suspended" not in {one.code for one in apply(POLICY, labelled).findings()}
    unasked = replace(POLICY, veto=None)
    assert "policy_site_suspended" not in {one.code for one in apply(unasked, away).findings()}


def test_one_row_can_be_checked() -> None:
    (one,) = check_policy(POLICY, tables.read(NEW[:1])).sites
    assert (one.units, one.verdict) == (1, "usable")
