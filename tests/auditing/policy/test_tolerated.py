"""Changes a policy is to cover: copies of the fit rows join both portions, each held to the promise alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from primum import tables
from primum.auditing.policy.application import apply
from primum.auditing.policy.document import Policy
from primum.auditing.policy.fit import fit
from primum.auditing.policy.portions import divide
from primum.auditing.policy.terms import Promise
from primum.predictions import Predictions
from tests.conftest import CLASSES, made_table

RNG = np.random.default_rng(2)
TABLE = made_table(1200, skill=4.0).with_columns(score_novel=pl.Series(RNG.normal(size=1200)))
CAL = TABLE.filter(split="cal")
TEST = TABLE.filter(split="test")
PROMISE = Promise(alpha=0.1)
ASKED: dict[str, Any] = {"promise": PROMISE, "tolerate": ["gaussian_noise:1"]}


def changed(name: str = "gaussian_noise", level: object = 1, noise: float = 3.0) -> pl.DataFrame:
    """The fit rows as a network answers them under a change: less sure of the truth, and stranger."""
    rng = np.random.default_rng(len(name))
    logits = np.log(CAL.select(f"prob_{each}" for each in CLASSES).to_numpy())
    logits += noise * rng.normal(size=logits.shape)
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return CAL.with_columns(
        *(pl.Series(f"prob_{each}", probs[:, k]) for k, each in enumerate(CLASSES)),
        score_novel=pl.col("score_novel") - noise / 3, shift=pl.lit(name), shift_level=pl.lit(level),
    )  # fmt: skip


def test_the_promise_is_at_least_as_strict_as_without() -> None:
    plain = fit(TABLE, "phantom", promise=PROMISE)
    covered = fit(TABLE, "phantom", **ASKED, changed=[changed()])
    assert plain.threshold < covered.threshold < np.inf
    assert (covered.tolerated, plain.tolerated) == (("gaussian_noise:1",), ())
    assert "as they are and under each of gaussian_noise:1" in covered.said
    # what is said of the fit rows is said of them as they are
    assert (covered.fit.n, covered.fit.units) == (plain.fit.n, plain.fit.units)
    same = fit(TABLE, "phantom", **ASKED, changed=[changed(noise=0.0)])
    assert same.thresholds == plain.thresholds
    assert Policy.from_dict(covered.to_dict()) == covered


def test_each_of_several_changes_counts_alone() -> None:
    noise, blur = changed(), changed("blur", 2, 1.0)
    alone = [
        fit(TABLE, "phantom", promise=PROMISE, tolerate=[change], changed=[table]).threshold
        for change, table in (("gaussian_noise:1", noise), ("blur:2", blur))
    ]
    tolerate = ["blur:2", "gaussian_noise:1"]
    both = fit(TABLE, "phantom", promise=PROMISE, tolerate=tolerate, changed=[noise, blur])
    assert both.threshold == pytest.approx(max(alone), abs=1e-9)
    assert both.tolerated == ("blur:2", "gaussian_noise:1")


def test_copies_of_a_patient_count_as_that_patient() -> None:
    policy = fit(TABLE, "phantom", **ASKED, changed=[changed()], veto="novel", veto_rate=0.1)
    plain = fit(TABLE, "phantom", promise=PROMISE, veto="novel", veto_rate=0.1)
    assert policy.veto is not None
    assert plain.veto is not None
    assert (policy.veto.units, policy.veto.rows, policy.veto.k) == (45, 90, plain.veto.k)
    rows = tables.read(CAL)
    portion, patients = divide(rows, veto=True, learning=False, seed=0).veto, np.array(rows.patients)
    scores = np.minimum(CAL["score_novel"].to_numpy(), changed()["score_novel"].to_numpy())
    lowest = sorted(scores[portion & (patients == name)].min() for name in set(patients[portion]))
    assert policy.veto.threshold == lowest[policy.veto.k - 1] < plain.veto.threshold
    assert policy.thresholds["all"].units == plain.thresholds["all"].units


def test_copies_in_any_order_and_several_files_give_one_policy() -> None:
    table = changed()
    whole = fit(TABLE, "phantom", **ASKED, changed=[table])
    for tables_ in ([table[::-1]], [table[:150], table[150:]], [table.drop("label", "patient", "site")]):
        assert fit(TABLE, "phantom", **ASKED, changed=tables_) == whole
    some = table.with_columns(label=pl.when(pl.int_range(pl.len()) > 3).then("label"))
    assert fit(TABLE, "phantom", **ASKED, changed=[some]) == whole
    more = pl.concat([table, TEST.with_columns(shift=pl.lit("gaussian_noise"), shift_level=1)])
    assert fit(TABLE, "phantom", **ASKED, changed=[more.drop("split")]) == whole


def test_groups_are_covered_too() -> None:
    policy = fit(TABLE, "phantom", promise=Promise(alpha=0.2), by="site", tolerate=["gaussian_noise:1"],
                 changed=[changed()])  # fmt: skip
    plain = fit(TABLE, "phantom", promise=Promise(alpha=0.2), by="site")
    for name, one in policy.thresholds.items():
        assert one.level == plain.thresholds[name].level == 0.025
        assert one.threshold >= plain.thresholds[name].threshold


def test_what_does_not_fit_is_refused(refused: Callable[..., None]) -> None:
    table = changed()

    def wish(*copies: pl.DataFrame, **rest: Any) -> Callable[[], object]:
        return lambda: fit(TABLE, "phantom", **(ASKED | rest), changed=list(copies))

    refused(wish(), "copies of the fit rows under this change are needed", "no changed table arrived")
    refused(wish(changed("blur", 2)), "gaussian_noise:1", "blur:2 arrived")
    refused(wish(table, changed("blur", 2)), "rows under blur:2 are not tolerated; add --tolerate")
    refused(wish(table[5:]), "a copy of every fit row is needed, 355 of 360 have a copy")
    refused(wish(table.drop("shift")), "needs columns shift and shift_level")
    for level in (None, "mild", 1.5):
        odd = table.with_columns(shift_level=pl.lit(level))
        refused(wish(odd), "needs columns shift and shift_level, a whole number")
    other = table.with_columns(label=pl.when(pl.int_range(pl.len()) == 0).then(pl.lit("melanoma"))
                               .otherwise(pl.lit("naevus")))  # fmt: skip
    refused(wish(other), "copies have other labels than the fit rows")
    logits = table.rename({f"prob_{name}": f"logit_{name}" for name in CLASSES})
    refused(wish(logits), "copies hold logits, the fit rows log_probabilities")
    twice = table.with_columns(split=pl.lit("train"))
    refused(wish(table, twice), "training rows were expected, 360", "are fit rows")
    refused(wish(table, table), "ids must be unique")
    refused(wish(table, promise=None, capacity=0.3), "--tolerate: changes are covered by a promise or a veto")
    accepted = Promise(alpha=0.2, denominator="accepted")
    refused(wish(table, promise=accepted), "a promise covers changes among all cases")
    refused(wish(table.drop("score_novel"), veto="novel"), "score 'novel'")


def network(split: str, n: int, noise: float = 0.0) -> Predictions:
    """Rows of a network with embeddings; a change moves them all one way."""
    rng = np.random.default_rng(n)
    labels, means = np.arange(n) % 3, np.random.default_rng(0).normal(size=(3, 6)) * 2
    points = (means[labels] + rng.normal(size=(n, 6)) - noise * means.mean(axis=0)).astype(np.float32)
    table = tables.read(
        {
            "ids": [f"{split}-{i}" for i in range(n)], "classes": ["a", "b", "c"], "labels": labels,
            "logits": points @ means.T.astype(np.float32) / 4, "embeddings": points,
        }
    )  # fmt: skip
    if not noise:
        return table
    marks = {"shift": "brightness", "shift_level": 2, "split": split}
    return replace(table, metadata=pl.DataFrame({name: [mark] * n for name, mark in marks.items()}))


def test_changed_training_rows_become_known(refused: Callable[..., None]) -> None:
    cal, train, test = network("cal", 400), network("train", 300), network("test", 90, 12.0)
    changes = [network("cal", 400, 12.0), network("train", 300, 12.0)]
    asked: dict[str, Any] = {"score": "msr", "capacity": 0.3, "veto": "knn", "train": train}
    plain = fit(cal, **asked)
    covered = fit(cal, **asked, tolerate=["brightness:2"], changed=changes)
    passing = [apply(policy, test).decided.familiar for policy in (plain, covered)]
    assert passing[0] is not None
    assert passing[1] is not None
    assert passing[0].mean() < 0.5 < 0.85 < passing[1].mean()
    assert covered.training is not None
    assert covered.training.n == 600
    refused(
        lambda: fit(cal, **asked, tolerate=["brightness:2"], changed=changes[:1]),
        "a veto needs the training rows under this change too",
    )  # fmt: skip
