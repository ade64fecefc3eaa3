"""Has such an image been seen: which score asks, of whom the threshold is read, and what it lets pass."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from primum.explore.novelty import at_rate, minima, names, noun, source, too_few, why_none
from primum.explore.scene import Domain, build_scene


def test_the_scores_of_a_scene_the_best_first(whole) -> None:
    assert set(names(whole)) >= {"knn", "mahalanobis"}
    assert names(whole).index("knn") < names(whole).index("mahalanobis")
    assert why_none(whole) == ""


def test_without_training_rows_it_says_why(made) -> None:
    bare = build_scene("bare", [Domain("a", made())])
    assert names(bare) == ()
    assert "training rows" in why_none(bare)


def test_minima_are_those_of_the_fit_patients(whole) -> None:
    train, fit = whole.train.embeddings, whole.fit.embeddings
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (fit, train)]
    distance = np.sort(np.linalg.norm(unit[0][:, None] - unit[1], axis=2), axis=1)
    knn = -distance[:, min(50, len(train)) - 1]
    lowest = pl.DataFrame({"patient": whole.fit.patients, "knn": knn}).group_by("patient").min()["knn"]
    assert np.sort(minima(whole, "knn")) == pytest.approx(np.sort(lowest.to_numpy()), abs=1e-5)
    assert (source(whole), noun(whole)) == ("fit rows", "patients")


def test_without_fit_rows_the_unshifted_ones_are_known(made) -> None:
    domains = [Domain("noisy", made(skill=0.5), "noise", 3), Domain("test", made(metadata=pl.DataFrame()))]
    scene = build_scene("made", domains, train=made(90, 2, who="train"))
    of_test = scene.cases.filter(domain="test")["score_knn"].to_numpy()
    assert np.sort(minima(scene, "knn")).tolist() == np.sort(of_test).tolist()
    assert (source(scene), noun(scene)) == ("rows of test themselves", "cases")


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.5])
def test_no_more_known_patients_fall_below_than_asked(whole, rate) -> None:
    lowest = np.sort(minima(whole, "knn"))
    veto = at_rate(whole, "knn", rate)
    k = int(np.floor(rate * (len(lowest) + 1) + 1e-9))
    assert k >= 1
    assert veto.threshold == lowest[k - 1]
    assert (lowest < veto.threshold).mean() <= rate
    novelty = whole.cases["score_knn"].to_numpy()
    assert veto.passes(whole).tolist() == (novelty >= veto.threshold).tolist()


@pytest.mark.parametrize("rate", [0.0, 0.01])
def test_what_too_few_known_patients_cannot_tell_lets_all_pass(whole, rate) -> None:
    veto = at_rate(whole, "knn", rate)  # 40 patients: below 1 in 41 nobody can be sent away
    assert veto.threshold == -np.inf
    assert veto.passes(whole).all()
    assert too_few(whole, "knn", rate) == (
        "40 known patients set no veto at 1 %, which takes 99" if rate else ""
    )
    assert too_few(whole, "knn", 0.05) == ""


def test_cases_without_the_score_do_not_pass(made) -> None:
    domains = [Domain("test", made()), Domain("bare", made(embeddings=None))]
    scene = build_scene("made", domains, fit=made(80, 1, who="fit"), train=made(90, 2, who="train"))
    passes = at_rate(scene, "knn", 0.1).passes(scene)
    assert passes[:60].any()
    assert not passes[60:].any()
