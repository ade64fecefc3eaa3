"""Ensembles: how members are put in one order, what comes of them, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import primum
from primum import tables
from primum.auditing import ensembles
from primum.auditing.ensembles import ensemble
from primum.judge import stacking
from primum.judge.confidence import uncertainty
from primum.predictions import Predictions
from primum.tables.alignment import aligned, called, onto
from tests.conftest import CLASSES, made_table


@pytest.fixture(autouse=True)
def few_strengths(monkeypatch):
    """Two strengths to choose among: every one is fitted fifteen times."""
    monkeypatch.setattr(stacking, "STRENGTHS", (0.01, 1.0))


def split(frame, name):
    """The rows of a split, the column left out."""
    return frame.filter(pl.col("split") == name).drop("split")


def noisy(frame, seed):
    """Another member's answers to the same cases."""
    rng = np.random.default_rng(seed)
    names = [f"prob_{name}" for name in CLASSES]
    logits = np.log(frame.select(names).to_numpy()) + rng.normal(size=(frame.height, 4)) * 1.5
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return frame.with_columns(pl.Series(name, probs[:, k]) for k, name in enumerate(names))


def pairs(n=600, count=2):
    """Test tables and fit tables of several members."""
    whole = [noisy(made_table(n), seed) for seed in range(count)]
    return [
        [tables.read(split(frame, name), name=f"{name}-{at}") for at, frame in enumerate(whole)]
        for name in ("test", "cal")
    ]


def reordered(member: Predictions, seed=0) -> Predictions:
    """The same answers with rows and classes in another order."""
    rows = np.random.default_rng(seed).permutation(len(member))
    taken, back = member.take(rows), [2, 0, 3, 1]
    return replace(
        taken,
        classes=tuple(member.classes[at] for at in back),
        logits=taken.logits[:, back],
        labels=np.where(taken.labels < 0, -1, np.argsort(back)[taken.labels]),
        decision=None if taken.decision is None else np.argsort(back)[taken.decision],
    )


def test_the_mean_and_the_scores_over_members():
    members, _ = pairs(count=3)
    found = ensemble(members)
    probs = np.stack([member.probs for member in members])
    np.testing.assert_allclose(found.answers.probs, probs.mean(axis=0))
    assert found.answers.kind == "log_probabilities"
    assert found.fit is None
    direct = uncertainty.collected(probs).scores()
    assert list(found.answers.scores) == [f"ensemble_{name}" for name in uncertainty.NAMES]
    for name, score in direct.items():
        np.testing.assert_allclose(found.answers.scores[f"ensemble_{name}"], score, atol=1e-12)
    assert [member["name"] for member in found.answers.source["members"]] == ["test-0", "test-1", "test-2"]
    assert found.answers.metadata.columns == ["patient", "site"]


def test_order_of_rows_and_classes_does_not_matter():
    (a, b), _ = pairs()
    plain, turned = ensemble([a, b]).answers, ensemble([a, reordered(b)]).answers
    assert turned.ids.to_list() == plain.ids.to_list()
    np.testing.assert_allclose(turned.logits, plain.logits)
    np.testing.assert_array_equal(turned.labels, plain.labels)
    other = ensemble([reordered(a), b]).answers
    assert other.classes == reordered(a).classes
    at = [other.ids.to_list().index(name) for name in plain.ids.to_list()]
    back = [other.classes.index(name) for name in plain.classes]
    np.testing.assert_allclose(other.probs[at][:, back], plain.probs)


def test_rows_of_a_member_in_the_order_of_a_table():
    (a, b), _ = pairs()
    b = replace(b, decision=b.predicted)
    few = a.take(np.array([5, 2, 9]))
    found = onto(few, reordered(b))
    assert found.ids.to_list() == few.ids.to_list()
    np.testing.assert_allclose(found.logits, b.logits[[5, 2, 9]])
    np.testing.assert_array_equal(found.decision, b.decision[[5, 2, 9]])
    unknown = replace(a, labels=np.full(len(a), -1))
    np.testing.assert_array_equal(onto(unknown, reordered(unknown)).labels, unknown.labels)


def test_patients_come_from_the_member_that_knows_them():
    (a, b), _ = pairs()
    blind = replace(a, metadata=a.metadata.drop("patient"))
    assert ensemble([blind, reordered(b)]).answers.patients.to_list() == a.patients.to_list()
    bare = replace(a, metadata=pl.DataFrame())
    assert ensemble([bare, b]).answers.metadata.columns == ["patient"]


def test_stacking_answers_and_its_fit_rows_are_out_of_fold():
    members, fits = pairs()
    found = ensemble(members, fits, "stacking")
    first = fits[0]
    fold = stacking.folds(first.labels, first.classes, first.patients.to_numpy())
    plain = stacking.fit(np.stack([part.log_probs for part in fits]), first.labels, fold)
    np.testing.assert_allclose(found.fit.probs, plain.held_out)
    expected = plain(np.stack([member.log_probs for member in members]))
    np.testing.assert_allclose(found.answers.probs, expected)
    told = found.answers.source["stacking"]
    assert told["cv_nll"] == pytest.approx(plain.cv_nll)
    of_mean = np.mean([part.probs for part in fits], axis=0)[np.arange(len(first)), first.labels]
    assert told["nll_of_mean"] == pytest.approx(-np.log(of_mean).mean())
    assert f"{told['cv_nll']:.4f} against {told['nll_of_mean']:.4f}" in found.comparison
    assert found.fit.source["out_of_fold"]
    assert "out_of_fold" not in found.answers.source
    # Disagreement is held against the class the stacking answers.
    votes = np.stack([member.predicted for member in members])
    share = (votes != found.answers.predicted).mean(axis=0)
    np.testing.assert_allclose(found.answers.scores["ensemble_disagreement"], -share)


def test_weights_are_not_fitted_on_train_rows(refused):
    members, fits = pairs()
    parts = np.where(np.arange(len(fits[0])) < 60, "train", "val")
    marked = [replace(fits[0], metadata=fits[0].metadata.with_columns(split=parts)), reordered(fits[1])]
    found = ensemble(members, marked, "stacking")
    plain = ensemble(members, [part.take(np.arange(60, len(part))) for part in fits], "stacking")
    assert found.fit.ids.to_list() == plain.fit.ids.to_list()
    np.testing.assert_allclose(found.answers.probs, plain.answers.probs)
    said = f"the stacking was fitted on {len(fits[0]) - 60} validation rows"
    assert [any(said in note for note in part.notes) for part in (found.fit, found.answers)] == [True, True]
    assert not any("validation" in note for note in plain.answers.notes)
    train = [replace(part, metadata=part.metadata.with_columns(split=pl.lit("train"))) for part in fits]
    refused(lambda: ensemble(members, train, "stacking"), "fit rows must be neither train nor test rows")


def test_the_result_is_audited_with_its_own_fit_rows():
    members, fits = pairs(300)
    for how in ensembles.HOW:
        found = ensemble(members, fits, how)
        audit = primum.audit(found.answers, fit=found.fit, bootstrap=100)
        assert audit.settings["fit_rows"] == len(fits[0])
        assert audit.finding("failure_auroc", score="ensemble_mi", decision="argmax").value is not None
        assert audit.finding("accuracy", decision="argmax").value == pytest.approx(
            found.answers.correct.mean()
        )


def test_unlabelled_cases_are_answered_and_unlabelled_fit_rows_left_out():
    members, fits = pairs()
    cut = [replace(member, labels=np.r_[[-1, -1], member.labels[2:]]) for member in members]
    blank = [replace(part, labels=np.r_[[-1], part.labels[1:]]) for part in fits]
    found = ensemble(cut, blank, "stacking")
    assert (found.answers.labels[:2] == -1).all()
    assert len(found.fit) == len(fits[0]) - 1


def test_members_that_do_not_match_are_refused(refused):
    (a, b), (fit_a, fit_b) = pairs()
    fits = [fit_a, fit_b]
    refused(lambda: ensemble([a]), "at least 2 members", "1 arrived")
    refused(lambda: ensemble([a, b.take(np.arange(3, len(b)))]), "3 of test-0", "not in test-1", "in row 1")
    refused(lambda: ensemble([a.take(np.arange(4)), b]), "416 of test-1", "not in test-0", "in row 5")
    wrong = replace(b, labels=np.r_[b.labels[:7], (b.labels[7] + 1) % 4, b.labels[8:]])
    refused(lambda: ensemble([a, wrong]), "1 cases differ", "row 8 of test-0", CLASSES[a.labels[7]])
    unknown = replace(b, labels=np.r_[-1, b.labels[1:]])
    refused(lambda: ensemble([a, unknown]), "against no label")
    named = replace(b, classes=("naevus", "keratosis", "melanoma", "lentigo"))
    refused(lambda: ensemble([a, named]), "carcinoma missing and lentigo unknown")
    refused(lambda: ensemble([a, b, reordered(a)]), "different models", "test-0 and test-0")
    moved = replace(b, metadata=b.metadata.with_columns(pl.col("patient").reverse()))
    refused(lambda: ensemble([a, moved]), "patients of", "row 1")
    refused(lambda: ensemble([a, b], how="staking"), "did you mean 'stacking'")
    refused(lambda: ensemble([a, b], how="stacking"), "--fit")
    refused(lambda: ensemble([a, b], [fit_a], "stacking"), "each of 2 members", "1 arrived")
    refused(lambda: ensemble([a, b], [a, b], "stacking"), "no id may stand in both")
    blank = [replace(part, labels=np.full(len(part), -1)) for part in fits]
    refused(lambda: ensemble([a, b], blank, "stacking"), "fit rows need labels")


def test_no_id_and_no_patient_is_printed():
    (a, b), _ = pairs()
    secret = replace(b, ids=[*b.ids.to_list()[:-1], "MR-4711"])
    moved = replace(b, metadata=b.metadata.with_columns(pl.lit("MR-4711").alias("patient")))
    for member in (secret, moved):
        with pytest.raises(primum.InputError) as caught:
            aligned([a, member])
        assert "MR-4711" not in str(caught.value)


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["runs/ce/predictions/test.parquet", "runs/focal/predictions/test.parquet"], ["ce", "focal"]),
        (["a.parquet", "b.csv"], ["a", "b"]),
        (["r/ce/seed-0/t.parquet", "r/ce/seed-1/t.parquet"], ["seed-0", "seed-1"]),
        (["r/ce/s0/t.parquet", "r/ce/s1/t.parquet", "r/fo/s0/t.parquet"], ["ce/s0", "ce/s1", "fo/s0"]),
        (["t.parquet", "t.parquet"], ["t", "t"]),
    ],
)
def test_names_tell_files_apart(paths, names):
    assert called(paths) == names


def test_the_verb(tmp_path: Path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    for name, both in zip(("test", "cal"), pairs(300), strict=True):
        for member, table in zip("ab", both, strict=True):
            tables.write(table, f"{member}-{name}.parquet")

    run = partial(command, "ensemble")

    members = ["a-test.parquet", "b-test.parquet"]
    code, out, _ = run(*members, "--out", "mean.parquet")
    assert code == 0
    assert "2 members" in out
    assert tables.read("mean.parquet").source["members"][0]["name"] == "a-test"
    fits = ["--fit", "a-cal.parquet", "--fit", "b-cal.parquet"]
    code, out, _ = run(
        *members, *fits, "--how", "stacking", "--out", "s.parquet", "--out-fit", "s-cal.parquet"
    )
    assert code == 0
    assert "than the mean of the members" in out
    assert "primum audit s.parquet --fit s-cal.parquet" in out
    assert len(tables.read("s-cal.parquet")) == len(tables.read("a-cal.parquet"))
    for wrong, says in (
        ([*members, "--out", "x.parquet", "--out-fit", "y.parquet"], "--out-fit: answers to fit rows need"),
        ([*members, *fits, "--out", "x.parquet", "--out-fit", "x.parquet"], "another file"),
        (["a-test.parquet", "a-cal.parquet", "--out", "x.parquet"], "members must answer the same cases"),
        ([members[0], "--out", "x.parquet"], "at least 2 members"),
        ([*members, "--out", "x.parquet", "--how", "vote"], "'vote' is not known"),
    ):
        code, out, error = run(*wrong)
        assert (code, out) == (2, "")
        assert says in error
        assert len(error.strip().splitlines()) == 1
    assert not Path("x.parquet").exists()
