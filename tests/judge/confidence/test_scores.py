"""What each score needs, and what is said where it is missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

from primum.core.check import InputError
from primum.judge import confidence
from primum.judge.confidence import Evidence, Fit, Reference, confidences, not_applicable
from primum.judge.confidence.needs import NEEDS
from primum.judge.recalibration.recalibrators import fit_temperature

N, M, D, K = 80, 200, 12, 3
HEAD = np.random.default_rng(1).normal(size=(D + 1, K))


def rows(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n, D)).astype(np.float32)
    logits = points @ HEAD[1:] + HEAD[0]
    return points, logits, (logits + 2 * rng.gumbel(size=(n, K))).argmax(axis=1)


@pytest.fixture
def evidence() -> Evidence:
    """Everything a score may ask for but columns of the table."""
    train, train_logits, train_labels = rows(M, 0)
    test, logits, _ = rows(N, 1)
    held, held_logits, held_labels = rows(100, 2)
    reference = Reference(train, train_labels, train_logits, (train[:, :4], train[:, 4:]))
    known = confidences(Evidence(softmax(held_logits, axis=1), held_logits, held, {}, reference))[0]
    fit = Fit(held_logits, held_labels, held_logits.argmax(axis=1) == held_labels, known)
    seen = (test[:, :4], test[:, 4:])
    return Evidence(softmax(logits, axis=1), logits, test, {}, reference, fit, stages=seen)


COLUMNS = {name for name in confidence.RANKED if confidence.SCORES[name].compute is None}


def test_with_everything_given_every_score_of_ours_applies(evidence: Evidence) -> None:
    found, missing = confidences(evidence)
    assert set(missing) == COLUMNS
    assert set(found) == set(confidence.RANKED) - COLUMNS
    for name, values in found.items():
        assert values.shape == (N,), name
        assert np.isfinite(values).all(), name
    order = [name for name in confidence.RANKED if name in found]
    assert list(found) == order


def test_the_temperature_is_that_of_the_fit_rows(evidence: Evidence) -> None:
    assert evidence.fit is not None
    assert evidence.logits is not None
    fitted = fit_temperature(evidence.fit.logits, evidence.fit.labels)
    expected = softmax(evidence.logits / fitted.temperature, axis=1).max(axis=1)
    np.testing.assert_allclose(confidences(evidence)[0]["msr_temperature"], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("lacking", "score", "says"),
    [
        ({"logits": None}, "energy", "true logits"),
        ({"logits": None}, "max_logit", "true logits"),
        ({"fit": None}, "msr_temperature", "no rows to fit on"),
        ({"fit": None}, "combined", "no rows to fit on"),
        ({"embeddings": None}, "knn", "the table carries no embeddings"),
        ({"reference": None}, "mahalanobis", "--train"),
        ({"reference": None}, "vim", "--train"),
        ({"embeddings": np.ones((N, 5))}, "knn", "same network"),
        ({"stages": None}, "multilayer", "predict --embeddings"),
        ({"reference": None}, "sirc_multilayer", "--train"),
        ({"stages": (np.ones((N, 4)),)}, "multilayer", "stages of 4 numbers"),
        ({}, "mcd_mi", "score_mcd_mi"),
        ({}, "confidnet", "score_confidnet"),
        ({}, "dg", "score_dg"),
    ],
)
def test_what_is_missing_is_said(lacking: dict, score: str, says: str, evidence: Evidence) -> None:
    why = not_applicable(score, replace(evidence, **lacking))
    assert says in why
    assert "\n" not in why
    assert score in confidences(replace(evidence, **lacking))[1]


def test_training_rows_without_logits_leave_vim_alone_out(evidence: Evidence) -> None:
    assert evidence.reference is not None
    bare = replace(evidence, reference=replace(evidence.reference, logits=None))
    assert "true logits" in not_applicable("vim", bare)
    assert not_applicable("mahalanobis", bare) == ""


def test_logits_of_another_last_layer_are_noticed(evidence: Evidence) -> None:
    assert evidence.logits is not None
    assert "unexplained" in not_applicable("vim", replace(evidence, logits=evidence.logits[:, ::-1]))
    assert not_applicable("vim", replace(evidence, logits=None)) == "", (
        "probabilities alone say nothing of it"
    )


def test_unlabelled_training_rows_are_no_class_of_their_own(evidence: Evidence) -> None:
    assert evidence.reference is not None
    given = evidence.reference
    assert given.embeddings is not None
    more = Reference(np.r_[given.embeddings, np.full((5, D), 9, np.float32)], np.r_[given.labels, [-1] * 5])
    plain, other = (
        confidences(replace(evidence, reference=each))[0]["mahalanobis"] for each in (given, more)
    )
    np.testing.assert_allclose(plain, other)
    assert "labels" in not_applicable(
        "mahalanobis", replace(evidence, reference=replace(more, labels=more.labels * 0 - 1))
    )


def test_a_column_of_the_table_counts_and_replaces(evidence: Evidence) -> None:
    own = np.linspace(0, 1, N)
    found, missing = confidences(replace(evidence, outside={"confidnet": own, "msr": own, "vendor": own}))
    for name in ("confidnet", "msr", "vendor"):
        np.testing.assert_array_equal(found[name], own)
    assert "confidnet" not in missing


def test_a_combination_of_what_these_rows_lack_does_not_apply(evidence: Evidence) -> None:
    known = confidences(replace(evidence, embeddings=None))
    assert "mahalanobis" in known[1]["combined"]


def test_an_unknown_score_is_refused_with_the_nearest(evidence: Evidence) -> None:
    with pytest.raises(InputError, match="did you mean 'mahalanobis'"):
        not_applicable("mahalanobi", evidence)


def test_every_score_says_what_it_is_and_stands_in_the_formats() -> None:
    formats = (Path(__file__).parents[3] / "docs" / "formats.md").read_text(encoding="utf-8")
    for name, score in confidence.SCORES.items():
        assert score.name == name
        assert score.sentence, name
        assert score.source, name
        assert set(score.needs) <= set(NEEDS), name
        way, _, spread = name.partition("_")
        spelled = f"<way>_{spread}" if way in ("mcd", "tta", "ensemble") else name
        assert f"{spelled}`" in formats or f"`{name}`" in formats, name
    places = sorted(score.place for score in confidence.SCORES.values() if score.place)
    assert places == list(range(1, len(places) + 1))
    assert all(confidence.SCORES[name].ranked for name in confidence.LEARNED)
