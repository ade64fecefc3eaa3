"""Policies on scores that learn of fit and training rows: the files carry what they need of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import primum
from primum import tables
from primum.auditing.policy.application import apply
from primum.auditing.policy.document import OPTIONAL, ORDER, Policy, arrays_beside
from primum.auditing.policy.fit import fit
from primum.auditing.policy.terms import Promise
from primum.judge.confidence.storage import ARRAYS
from primum.judge.deferral.learned import halves
from primum.predictions import Predictions

RNG = np.random.default_rng(0)
MEANS, LAYER = RNG.normal(size=(3, 6)) * 2, RNG.normal(size=(6, 4)) / 4
ALONE = ["energy", "max_logit", "msr_temperature", *ARRAYS]
EVERY = [*ALONE, "combined"]


def rows(split: str, n: int, shift: float = 0.0) -> Predictions:
    """A network whose embeddings of later classes lie apart; a fifth of its cases is anybody's guess."""
    labels = np.arange(n) % 3
    points = (MEANS[labels] + (2 + shift) * RNG.normal(size=(n, 6))).astype(np.float32)
    stages = np.hstack([np.tanh(points @ LAYER) + RNG.normal(size=(n, 4)) / 2, points]).astype(np.float32)
    return tables.read(
        {
            "ids": [f"{split}-{i}" for i in range(n)], "classes": ["a", "b", "c"], "labels": labels,
            "logits": points @ MEANS.T.astype(np.float32) / 4, "embeddings": points, "stages": stages,
            "stage_widths": [4, 6], "patient": [f"{split}-{i // 2}" for i in range(n)],
        }
    )  # fmt: skip


CAL, TEST, TRAIN = rows("cal", 400), rows("test", 150), rows("train", 200)


@pytest.fixture(scope="module", params=EVERY)
def policy(request: pytest.FixtureRequest) -> Policy:
    return fit(CAL, score=request.param, capacity=0.3, train=TRAIN)


def test_it_is_saved_read_and_applied_to_other_rows(policy: Policy, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    policy.to_yaml(path)
    assert arrays_beside(path).exists() == (policy.training is not None)
    again = Policy.read(path)
    assert again == policy
    there, back = apply(policy, TEST), apply(again, TEST)
    assert there.frame().equals(back.frame())
    assert 0 < there.decided.accepted.sum() < len(TEST)


def test_the_file_carries_what_its_score_needs_and_no_more(policy: Policy) -> None:
    optional = set(policy.to_dict()) - {"schema", *ORDER}
    expected = {"msr_temperature": {"temperature"}, "combined": {"combined", "training"}}
    expected |= {name: {"training"} for name in ARRAYS}
    assert optional == expected.get(policy.score, set()) <= set(OPTIONAL)
    if policy.trained is not None:
        assert policy.training is not None
        assert set(policy.trained.arrays) == {
            part for name in policy.training.scores for part in ARRAYS[name]
        }
    assert "cal-1" not in policy.to_yaml()


def test_row_by_row_and_in_batch_are_one(policy: Policy) -> None:
    batch = apply(policy, TEST).decided
    single = [apply(policy, TEST.take(np.array([row]))).decided for row in range(len(TEST))]
    confidence = np.concatenate([each.confidence for each in single])
    np.testing.assert_allclose(confidence, batch.confidence, rtol=1e-9, atol=1e-9)
    assert (np.concatenate([each.accepted for each in single]) == batch.accepted).all()
    twice = replace(TEST, ids=TEST.ids + "-again")
    np.testing.assert_allclose(apply(policy, twice).decided.confidence, batch.confidence, rtol=1e-12)


@pytest.mark.parametrize("score", ["energy", "msr_temperature", *ARRAYS])
def test_the_confidence_is_that_of_an_audit(score: str) -> None:
    audited = primum.audit(TEST, fit=CAL, train=TRAIN, bootstrap=100).cases
    frame = apply(fit(CAL, score=score, capacity=0.3, train=TRAIN), TEST).frame().join(audited, on="id")
    assert len(frame) == len(TEST)
    np.testing.assert_allclose(frame["confidence"], frame[f"score_{score}"], rtol=1e-6)


def test_an_audit_judges_them() -> None:
    policies = [fit(CAL, score=score, capacity=0.3, train=TRAIN) for score in ("knn", "combined")]
    audited = primum.audit(TEST, fit=CAL, policies=policies, bootstrap=100)
    assert [each["score"] for each in audited.curves["deferral"]["policies"]] == ["knn", "combined"]


def relabelled(keep: np.ndarray) -> Predictions:
    """The fit rows with other labels in the half of the threshold."""
    return replace(CAL, labels=np.where(keep, CAL.labels, (CAL.labels + 1) % 3))


PROMISE = Promise("expected_cost", alpha=0.5)


@pytest.mark.parametrize("score", ["combined", "msr_temperature"])
def test_a_promise_reads_its_threshold_on_rows_that_the_score_never_saw(score: str) -> None:
    assert CAL.patients is not None
    half = halves(CAL.patients.rank("dense").to_numpy(), 0)
    matrix = primum.SeverityMatrix(CAL.classes, 1 - np.eye(3), np.zeros((3, 3), bool))
    policy, again = (
        fit(table, matrix, score, promise=PROMISE, train=TRAIN) for table in (CAL, relabelled(half))
    )
    assert policy.fit.learned_on == half.sum()
    assert (policy.combined, policy.temperature) == (again.combined, again.temperature)
    assert any("served to learn the score" in note for note in policy.notes)
    plain = fit(CAL, matrix, "mahalanobis", promise=PROMISE, train=TRAIN)
    assert plain.fit.learned_on == 0  # no label of a fit row was looked at


def test_several_of_them_make_a_learned_score(tmp_path: Path) -> None:
    policy = fit(CAL, score=["msr", "vim", "combined"], capacity=0.3, train=TRAIN)
    policy.to_yaml(tmp_path / "p.yaml")
    assert policy.learned is not None
    assert policy.learned.scores == ("msr", "vim", "combined")
    assert apply(tmp_path / "p.yaml", TEST).frame().equals(apply(policy, TEST).frame())


def test_a_column_of_the_table_needs_nothing() -> None:
    column = replace(CAL, scores={"knn": CAL.probs.max(axis=1)})
    policy = fit(column, score="knn", capacity=0.3)
    assert policy.training is None
    decided = apply(policy, replace(TEST, scores={"knn": TEST.probs.max(axis=1)})).decided
    np.testing.assert_array_equal(decided.confidence, TEST.probs.max(axis=1))


@pytest.mark.parametrize(
    ("score", "texts"),
    [
        ("knn", ("the score knn does not apply", "--train")),
        ("mcd_mi", ("the score mcd_mi does not apply", "primum predict --passes")),
        ("dg", ("the score dg does not apply", "deep_gamblers")),
        ("critical_mass", ("does not apply", "--severity or --critical")),
        ("mahalanobi", ("score 'mahalanobi'", "did you mean 'mahalanobis'")),
    ],
)
def test_a_score_that_does_not_apply_says_why(
    score: str, texts: tuple[str, ...], refused: Callable[..., None]
) -> None:
    refused(lambda: fit(CAL, score=score, capacity=0.3), *texts)


def test_other_rows_that_lack_what_the_score_needs_are_refused(refused: Callable[..., None]) -> None:
    bare = replace(TEST, embeddings=None)
    narrow = replace(TEST, embeddings=TEST.embeddings[:, :4])  # type: ignore[index]
    for score in ("mahalanobis", "knn", "vim", "combined"):
        policy = fit(CAL, score=score, capacity=0.3, train=TRAIN)
        refused(
            lambda policy=policy: apply(policy, bare),
            "does not apply",
            "lack" if score == "combined" else "no embeddings",
        )
        if score != "combined":
            refused(lambda policy=policy: apply(policy, narrow), "same network", "theirs have 6")
    vim = fit(CAL, score="vim", capacity=0.3, train=TRAIN)
    refused(lambda: apply(vim, replace(TEST, logits=TEST.logits[:, ::-1])), "unexplained")
    refused(
        lambda: fit(CAL, score="knn", capacity=0.3, train=CAL), "training rows were expected", "fitted on"
    )


def test_stages_of_another_network_are_refused(refused: Callable[..., None]) -> None:
    assert TEST.stages is not None
    for score in ("multilayer", "sirc_multilayer"):
        policy = fit(CAL, score=score, capacity=0.3, train=TRAIN)
        assert policy.training is not None
        assert policy.training.stages == (4, 6)
        refused(
            lambda policy=policy: apply(policy, replace(TEST, stages=TEST.stages[:1])),
            "same network, theirs have 4, 6",
        )
        refused(lambda policy=policy: apply(policy, replace(TEST, stages=None)), "predict --embeddings")


def test_stages_serve_a_policy_without_embeddings(tmp_path: Path) -> None:
    cal, test, train = (replace(table, embeddings=None) for table in (CAL, TEST, TRAIN))
    fit(cal, score="multilayer", capacity=0.3, train=train).to_yaml(tmp_path / "p.yaml")
    whole = apply(fit(CAL, score="multilayer", capacity=0.3, train=TRAIN), TEST).frame()
    assert apply(tmp_path / "p.yaml", test).frame().equals(whole)


def test_arrays_of_another_policy_are_refused(tmp_path: Path, refused: Callable[..., None]) -> None:
    path, further = tmp_path / "p.yaml", tmp_path / "q.yaml"
    fit(CAL, score="knn", capacity=0.3, train=TRAIN).to_yaml(path)
    fit(CAL, score="knn", capacity=0.3, train=rows("more", 180)).to_yaml(further)
    arrays_beside(further).replace(arrays_beside(path))
    refused(lambda: Policy.read(path), "p.arrays.npz", "not the arrays that p.yaml was written with")
    arrays_beside(path).unlink()
    refused(lambda: apply(path, TEST), "the arrays of a policy", "no such file")
    content: dict[str, Any] = yaml.safe_load(path.read_text())
    for name in ("../p.arrays.npz", "/etc/passwd", ""):
        content["training"]["file"] = name
        further.write_text(yaml.safe_dump(content))
        refused(lambda: Policy.read(further), "without a folder")
    refused(lambda: apply(Policy.from_dict(content), TEST), "read it from its file")


def test_arrays_that_do_not_fit_the_score_are_refused(tmp_path: Path, refused: Callable[..., None]) -> None:
    from primum.core import archives

    path = tmp_path / "p.yaml"
    fit(CAL, score="mahalanobis", capacity=0.3, train=TRAIN).to_yaml(path)
    content: dict[str, Any] = yaml.safe_load(path.read_text())
    arrays = {"mahalanobis_centre": np.zeros(6), "mahalanobis_whiten": np.zeros((5, 2))}
    archives.write(arrays_beside(path), arrays)
    content["training"]["arrays"] = archives.digest(arrays)
    path.write_text(yaml.safe_dump(content))
    refused(lambda: Policy.read(path), "p.arrays.npz", "mahalanobis cannot be computed")


def other_widths(arrays: dict[str, np.ndarray]) -> None:
    arrays["stage_shapes"] = arrays["stage_shapes"][::-1]


def no_scale(arrays: dict[str, np.ndarray]) -> None:
    arrays["stage_spreads"] = np.zeros(2)


def three_numbers(arrays: dict[str, np.ndarray]) -> None:
    arrays["sirc_multilayer"] = np.ones(3)


@pytest.mark.parametrize("damage", [other_widths, no_scale, three_numbers])
def test_arrays_of_stages_that_do_not_fit_are_refused(
    damage: Callable[[dict[str, np.ndarray]], None], tmp_path: Path, refused: Callable[..., None]
) -> None:
    from primum.core import archives

    path = tmp_path / "p.yaml"
    fit(CAL, score="sirc_multilayer", capacity=0.3, train=TRAIN).to_yaml(path)
    arrays = dict(archives.read(arrays_beside(path), "arrays"))
    damage(arrays)
    archives.write(arrays_beside(path), arrays)
    content: dict[str, Any] = yaml.safe_load(path.read_text())
    content["training"]["arrays"] = archives.digest(arrays)
    path.write_text(yaml.safe_dump(content))
    refused(lambda: Policy.read(path), "p.arrays.npz", "sirc_multilayer cannot be computed")
