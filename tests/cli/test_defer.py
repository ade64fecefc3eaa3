"""``primum defer``, as someone at a terminal meets it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from primum import tables
from primum.auditing.policy.document import Policy
from primum.cli.terminal import console
from tests.conftest import made_table

Run = Callable[..., tuple[int, str, str]]
TABLE = made_table(600, skill=3.0)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Run) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(console.console, "width", 100)
    TABLE.filter(split="cal").drop("split").write_csv("cal.csv")
    TABLE.filter(split="test").drop("split").write_parquet("test.parquet")

    return partial(command, "defer")


@pytest.mark.parametrize("verb", ["fit", "apply", "check"])
def test_help_has_an_example(verb: str, run: Run) -> None:
    code, out, _ = run(verb, "--help")
    assert code == 0
    assert f"Example: primum defer {verb} " in " ".join(out.split())


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--capacity", 0.18], "at most 18 % of the fit rows are deferred: fitted"),
        (
            ["--reader-cost", 0.5, "--reader-error", 0.05],
            "a reader who errs at the stated rates at 0.5 a case",
        ),
        (
            ["--reader-error", "naevus:0.1,keratosis:0,melanoma:0.2,carcinoma:0.1"],
            "a reader who errs at the stated rates at 0 a case",
        ),
        (["--certify", "cer", "--alpha", 0.2], "at most 20 % of all critical cases"),
        (["--certify", "cer"], "not certifiable with n = "),
        (
            ["--certify", "expected_cost", "--denominator", "accepted", "--method", "bonferroni"],
            "of accepted cases",
        ),
        (["--certify", "cer", "--unit", "worst", "--delta", 0.1], "with 90 % confidence"),
        (["--capacity", 0.3, "--score", "msr", "--score", "pe", "--by", "site"], "learned, argmax"),
        (
            ["--certify", "cer", "--alpha", 0.3, "--score", "msr", "--score", "pe", "--several", "try"],
            "tried for this promise: msr (certified), pe (certified)",
        ),
    ],
)
def test_fit_then_apply(asked: list[Any], said: str, run: Run) -> None:
    code, out, err = run("fit", "cal.csv", "--severity", "phantom", *asked, "--out", "p/policy.yaml")
    assert (code, err) == (0, "")
    assert said in " ".join(out.split())
    assert "which it refuses to judge" in out
    policy = Policy.read("p/policy.yaml")
    code, out, err = run("apply", "p/policy.yaml", "test.parquet", "--reader-cost", 0.5, "--out", "d.csv")
    assert (code, err) == (0, "")
    found = pl.read_csv("d.csv")
    assert found.columns == ["id", "decision", "confidence", "action", "reason"]
    assert found.height == TABLE.filter(split="test").height
    accepted = (found["action"] == "accepted").sum()
    assert f"{accepted} of {found.height} cases accepted" in out
    assert policy.said in " ".join(out.split())
    assert "Failure cost with the stated reader" in out


def test_rows_without_labels_are_decided(run: Run) -> None:
    run("fit", "cal.csv", "--capacity", 0.2)
    TABLE.filter(split="test").drop("split", "label").write_csv("new.csv")
    code, out, err = run("apply", "policy.yaml", "new.csv")
    assert (code, err) == (0, "")
    assert "no case has a label, so nothing could be counted" in out
    few = "the threshold was read from 12 rows"
    TABLE.filter(split="cal").drop("split")[:12].write_csv("few.csv")
    assert few in run("fit", "few.csv", "--capacity", 0.2)[1]
    assert few in " ".join(run("apply", "policy.yaml", "new.csv")[1].split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fit", "cal.csv"], "exactly one of a capacity, a reader cost and a promise"),
        (["fit", "cal.csv", "--capacity", 0.2, "--alpha", 0.1], "--alpha: this belongs to a promise"),
        (["fit", "cal.csv", "--certify", "cre"], "did you mean 'cer'?"),
        (["fit", "cal.csv", "--certify", "cer", "--method", "bonferoni"], "did you mean 'bonferroni'?"),
        (["fit", "cal.csv", "--reader-error", "often"], "P or CLASS:P,CLASS:P was expected, 'often' arrived"),
        (["fit", "cal.csv", "--capacity", 0.2, "--out", "."], "here, this is a folder"),
        (["fit", "none.csv", "--capacity", 0.2], "there is no such file"),
        (["fit", "cal.csv", "--capacity", 0.2, "--several", "tyr"], "did you mean 'try'?"),
        (["apply", "cal.csv", "test.parquet"], "a policy of schema primum.policy/1 was expected"),
        (["apply", "none.yaml", "test.parquet"], "there is no such file"),
        (["check", "none.yaml", "test.parquet"], "there is no such file"),
        (["check", "cal.csv", "test.parquet", "--out", "test.parquet"], "is read by this command"),
    ],
)
def test_bad_input_is_one_sentence_and_no_file(arguments: list[Any], said: str, run: Run) -> None:
    before = sorted(Path().iterdir())
    code, out, err = run(*arguments, *(["--severity", "phantom"] if arguments[0] == "fit" else []))
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert said in err
    assert sorted(Path().iterdir()) == before


def test_a_site_is_usable_or_suspended_by_its_exit_code(run: Run) -> None:
    seen = TABLE.with_columns(score_seen=pl.Series(np.random.default_rng(0).random(len(TABLE))))
    seen.filter(split="cal").drop("split").write_csv("seen.csv")
    new = seen.filter(split="test").drop("split", "label")
    new.write_csv("home.csv")
    new.with_columns(score_seen=pl.col("score_seen") - 0.5).write_csv("away.csv")
    run("fit", "seen.csv", "--severity", "phantom", "--capacity", 0.3, "--veto", "seen")
    code, out, err = run("check", "policy.yaml", "home.csv")
    assert (code, err) == (0, "")
    assert "usable" in out
    assert "a veto of 20 % is noticed (power 80 %) from" in " ".join(out.split())
    code, out, err = run("check", "policy.yaml", "away.csv", "--by", "site", "--out", "away.json")
    assert (code, err) == (3, "")
    assert "what it promises is suspended" in " ".join(out.split())
    assert "each p adjusted for 2 sites (Holm)" in " ".join(out.split())
    assert json.loads(Path("away.json").read_text())["suspended"] is True
    assert "what it promises is suspended" in " ".join(run("apply", "policy.yaml", "away.csv")[1].split())


def test_groups_are_shown_where_they_are_asked_for(run: Run) -> None:
    seen = TABLE.with_columns(score_seen=pl.Series(np.random.default_rng(0).random(len(TABLE))))
    seen.filter(split="cal").drop("split").write_csv("seen.csv")
    seen.filter(split="test").drop("split").write_csv("home.csv")
    run("fit", "seen.csv", "--severity", "phantom", "--capacity", 0.3, "--veto", "seen")
    code, out, err = run("apply", "policy.yaml", "home.csv", "--by", "site")
    assert (code, err) == (0, "")
    table = out[out.index("by group") :]
    assert "Share deferred" in table
    assert "Share vetoed" in table
    assert "site=A" in table
    assert "site=B" in table
    assert "by group" not in run("apply", "policy.yaml", "home.csv")[1]
    code, _, err = run("apply", "policy.yaml", "home.csv", "--by", "sit", "--out", "none.csv")
    assert (code, err.count("\n"), Path("none.csv").exists()) == (2, 1, False)
    assert "did you mean 'site'" in err


def test_a_check_needs_a_policy_with_a_veto_and_rows_it_can_score(run: Run) -> None:
    run("fit", "cal.csv", "--capacity", 0.3)
    code, _, err = run("check", "policy.yaml", "test.parquet", "--out", "site.json")
    assert (code, err.count("\n")) == (2, 1)
    assert "this policy has none; fit it with --veto auto" in err
    assert not Path("site.json").exists()


def test_validation_rows_are_refused_for_a_promise(run: Run) -> None:
    TABLE.filter(split="cal").with_columns(split=pl.lit("val")).write_csv("val.csv")
    code, _, err = run("fit", "val.csv", "--severity", "phantom", "--certify", "cer")
    assert (code, Path("policy.yaml").exists()) == (2, False)
    assert "val.csv: a promise needs rows that training did not use" in err
    code, out, _ = run("fit", "val.csv", "--capacity", 0.2)
    assert code == 0
    assert "validation rows, on which the network was stopped" in " ".join(out.split())


def test_the_rows_it_was_fitted_on_are_refused(run: Run) -> None:
    run("fit", "cal.csv", "--capacity", 0.2)
    code, _, err = run("apply", "policy.yaml", "cal.csv", "--out", "d.csv")
    assert code == 2
    assert "cal.csv: a policy may not judge a row that it was fitted on" in err
    assert not Path("d.csv").exists()


def test_a_score_of_training_rows_needs_them_once(run: Run) -> None:
    rng, means = np.random.default_rng(0), np.random.default_rng(1).normal(size=(3, 6)) * 2
    for split, n in (("one", 200), ("two", 100), ("train", 120)):
        labels = np.arange(n) % 3
        points = means[labels] + 2 * rng.normal(size=(n, 6))
        content = {
            "ids": [f"{split}-{row}" for row in range(n)], "classes": ["a", "b", "c"], "labels": labels,
            "logits": points @ means.T / 4, "embeddings": points,
        }  # fmt: skip
        tables.write(tables.read(content), f"{split}.parquet")
    code, _, err = run("fit", "one.parquet", "--score", "knn", "--capacity", 0.2)
    assert code == 2
    assert "the score knn does not apply here: no training rows with embeddings were given (--train)" in err
    asked = ("--score", "knn", "--train", "train.parquet", "--capacity", 0.2, "--out", "p.yaml")
    code, out, err = run("fit", "one.parquet", *asked)
    assert (code, err) == (0, "")
    assert "policy: p.yaml, with p.arrays.npz beside it: copy both" in out
    assert Path("p.arrays.npz").exists()
    Path("train.parquet").unlink()
    code, _, err = run("apply", "p.yaml", "two.parquet", "--out", "d.csv")
    assert (code, err) == (0, "")
    assert pl.read_csv("d.csv").height == 100
