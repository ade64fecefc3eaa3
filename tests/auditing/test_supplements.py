"""What an audit may be given beside its table: read, held against the judged rows, and shown."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import primum
from primum.auditing.policy.fit import fit
from primum.report.page import render
from tests.conftest import made_table


@pytest.fixture(scope="module")
def other() -> pl.DataFrame:
    return made_table(skill=1.0).with_columns(pl.Series("label", made_table()["label"]))


@pytest.fixture(scope="module")
def audited(table: pl.DataFrame, other: pl.DataFrame) -> primum.Audit:
    policy = fit(table, "phantom", capacity=0.2)
    study = {"intended_use": "second reading"}
    from primum.auditing.study import Study

    return primum.audit(
        table,
        "phantom",
        by=["site"],
        bootstrap=100,
        policies=[policy],
        members=[other],
        about=Study.parse(study),
    )


def test_a_policy_is_judged_and_drawn(audited: primum.Audit, table: pl.DataFrame) -> None:
    policy = audited.curves["deferral"]["policies"][0]
    achieved = {one["code"]: one for one in policy["achieved"] if one["group"] == "all"}
    judged = table.filter(pl.col("split") == "test")
    probs = judged.select(pl.selectors.starts_with("prob_")).to_numpy()
    deferred = (probs.max(axis=1) < policy["thresholds"][0]["threshold"]).mean()
    assert achieved["deferred_share"]["value"] == pytest.approx(deferred)
    assert audited.finding("deferred_share", score="msr").value == pytest.approx(deferred)
    assert "20 %" in audited.settings["deferral"]["said"]


def test_a_policy_is_judged_in_each_group(audited: primum.Audit, table: pl.DataFrame) -> None:
    policy = audited.curves["deferral"]["policies"][0]
    for site in ("A", "B"):
        judged = table.filter(pl.col("split") == "test", pl.col("site") == site)
        probs = judged.select(pl.selectors.starts_with("prob_")).to_numpy()
        deferred = (probs.max(axis=1) < policy["thresholds"][0]["threshold"]).mean()
        found = audited.finding("deferred_share", group=f"site={site}")
        assert (found.value, found.n, found.policy) == (pytest.approx(deferred), len(judged), policy["name"])
        (same,) = [
            one
            for one in policy["achieved"]
            if (one["code"], one["group"]) == ("deferred_share", f"site={site}")
        ]
        assert same["value"] == found.value
    page = render(audited.to_dict())
    assert f"{policy['name']}, site\N{NO-BREAK SPACE}A" in page


def test_every_finding_says_which_policy_it_judges_and_a_shared_warning_stands_once() -> None:
    rng = np.random.default_rng(4)
    made = made_table(3000, skill=2.0)
    rare = (made["split"] == "cal").to_numpy() & (made["label"] == made["label"][0]).to_numpy()
    table = made.filter(~rare | (rng.random(len(made)) < 0.2))
    policies = [fit(table, "phantom", capacity=share) for share in (0.1, 0.3)]
    audit = primum.audit(table, "phantom", bootstrap=100, policies=policies)
    shares = [one for one in audit.findings if one.code == "deferred_share"]
    assert [one.policy for one in shares] == ["At most 10 % deferred · msr", "At most 30 % deferred · msr"]
    assert len({one.value for one in shares}) == 2
    shifted = [one for one in audit.findings if one.code == "policy_prevalence_shift"]
    assert [one.policy for one in shifted] == [None]
    twice = primum.audit(table, "phantom", bootstrap=100, policies=[policies[0]] * 2)
    named = [one.policy for one in twice.findings if one.code == "deferred_share"]
    assert named == ["At most 10 % deferred · msr", "At most 10 % deferred · msr (2)"]


def test_members_are_the_table_and_the_other_model(audited: primum.Audit, table: pl.DataFrame) -> None:
    found = audited.curves["members"]
    assert found["n"] == audited.settings["n"]
    assert found["audited"] is None
    assert len(found["names"]) == 2
    assert found["rows"][0]["members"][0]["right"]["value"] == pytest.approx(
        audited.finding("accuracy").value
    )


def test_failures_are_sorted_by_kind_and_listed_with_the_cases(audited: primum.Audit) -> None:
    kinds = audited.curves["failures"]
    wrong = audited.cases.filter(~pl.col("correct"))
    assert sum(kind["n"] for kind in kinds["categories"]) == kinds["failures"] == len(wrong)
    assert wrong["failure_category"].null_count() == 0
    assert audited.cases.filter("correct")["failure_category"].null_count() == audited.cases["correct"].sum()


def test_the_study_fills_the_checklist_and_the_page_shows_all(audited: primum.Audit) -> None:
    told = [one for one in audited.curves["checklist"] if "second reading" in " ".join(one["said"])]
    assert told
    page = render(audited.to_dict())
    for heading in (
        "When should the model stay silent?",
        "Why was it wrong?",
        "who is right?",
        "second reading",
    ):
        assert heading in page


def test_sections_an_older_audit_lacks_are_left_out(audited: primum.Audit) -> None:
    older = audited.to_dict()
    older["curves"] = {
        name: entries
        for name, entries in older["curves"].items()
        if name not in ("deferral", "members", "failures", "checklist")
    }
    page = render(older)
    assert "When should the model stay silent?" not in page
    assert "nine times in ten" in page


def test_what_does_not_belong_is_refused_before_anything_is_measured(table, other, refused) -> None:
    policy = fit(table, "phantom", capacity=0.2)
    whole = table.drop("split")

    def asked(given: pl.DataFrame = table, **beside: object) -> object:
        return lambda: primum.audit(given, "phantom", bootstrap=100, **beside)

    refused(asked(whole, policies=[policy]), "may not judge a row that it was fitted on")
    refused(asked(members=[other.head(500)]), "members must answer the same cases")
    refused(asked(train=table.filter(pl.col("split") == "test").drop("split")), "training rows were expected")
    refused(asked(policies=["nowhere.yaml"]), "a policy")
    refused(asked(about="nowhere.yaml"), "about the study")


def test_training_rows_are_the_train_rows_of_a_table(table: pl.DataFrame) -> None:
    from primum import tables
    from primum.auditing.supplements import supplements
    from primum.tables.selection import select

    rows = select(tables.read(table))
    further = made_table(90, seed=3).with_columns(
        id=pl.format("train-{}", pl.int_range(90)), split=pl.Series(np.repeat(["train", "val", "train"], 30))
    )
    found = supplements(table, rows, train=further).train
    assert found is not None
    assert len(found) == 60


def test_training_rows_among_the_fit_rows_are_refused(table: pl.DataFrame, refused) -> None:
    refused(
        lambda: primum.audit(
            table, bootstrap=100, train=table.filter(pl.col("split") == "cal").drop("split")
        ),
        "are fitted on",
    )


def test_training_rows_bring_the_scores_that_need_them() -> None:
    rng = np.random.default_rng(0)
    weight, means = rng.normal(size=(6, 3)), rng.normal(size=(3, 6)) * 2

    def rows(split: str, n: int) -> dict[str, object]:
        labels = np.arange(n) % 3
        points = means[labels] + 2 * rng.normal(size=(n, 6))
        return {
            "ids": [f"{split}-{i}" for i in range(n)], "classes": ["a", "b", "c"], "labels": labels,
            "logits": points @ weight, "embeddings": points,
        }  # fmt: skip

    test, cal, train = rows("test", 150), rows("cal", 150), rows("train", 200)
    found = primum.audit(test, fit=cal, train=train, bootstrap=100)
    for score in ("mahalanobis", "knn", "vim", "combined"):
        assert found.finding("failure_auroc", score=score, decision="argmax").value is not None
        assert score in found.settings["thresholds"]["argmax"]
        assert f"score_{score}" in found.cases.columns
    alone = primum.audit(test, fit=cal, bootstrap=100)
    assert "--train" in alone.finding("aurc", score="vim").why
    assert any("training rows" in line for line in alone.settings["not_supplied"])
    other = primum.audit(test, fit=cal, train=train | {"logits": train["logits"] * rng.random((200, 3))})  # type: ignore[operator]
    assert "no last layer" in other.finding("aurc", score="vim").why
    assert other.finding("aurc", score="knn", decision="argmax").value is not None
