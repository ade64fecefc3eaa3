"""Scores over passes, against numbers worked by hand and a plain definition over all passes at once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import entropy

from primum import tables
from primum.core.check import InputError
from primum.judge.confidence import uncertainty
from primum.predictions import Predictions


def made(s=5, n=40, k=4, seed=0, spread=2.0):
    return softmax(np.random.default_rng(seed).normal(size=(s, n, k)) * spread, axis=2)


def table(passes, **rest):
    n, k = passes.shape[1:]
    return Predictions(
        np.arange(n).astype(str), [f"c{i}" for i in range(k)], np.zeros(n), np.log(passes.mean(axis=0)),
        "log_probabilities", passes=np.log(passes), **rest,
    )  # fmt: skip


def test_two_passes_worked_by_hand():
    # One pass is sure of the first class, the other of the second: no doubt within, all of it between.
    scores = uncertainty.collected([[[1.0, 0.0]], [[0.0, 1.0]]]).scores()
    by_hand = {
        "msr": 0.5, "pe": -np.log(2), "ee": 0.0, "mi": -np.log(2), "variance": -0.25, "waic": 0.0,
        "disagreement": -0.5,
    }  # fmt: skip
    assert {name: score.tolist() for name, score in scores.items()} == {
        name: [pytest.approx(value, abs=1e-15)] for name, value in by_hand.items()
    }
    # Both are unsure in the same way: all doubt within, none between.
    same = uncertainty.collected([[[0.5, 0.5]], [[0.5, 0.5]]]).scores()
    assert same["mi"].tolist() == same["variance"].tolist() == same["disagreement"].tolist() == [0.0]
    assert same["ee"][0] == same["pe"][0] == pytest.approx(-np.log(2))
    assert same["waic"].tolist() == [0.5]
    # 0.9 and 0.5 of the first class: mean 0.7, standard deviation 0.2.
    mixed = uncertainty.collected([[[0.9, 0.1]], [[0.5, 0.5]]]).scores()
    assert mixed["waic"][0] == pytest.approx(0.5)
    assert mixed["variance"][0] == pytest.approx(-0.04)
    assert mixed["disagreement"][0] == 0.0


@pytest.mark.parametrize("seed", range(3))
def test_one_pass_at_a_time_is_all_of_them_at_once(seed):
    probs = made(seed=seed)
    found = uncertainty.collected(probs)
    mean, rows = probs.mean(axis=0), np.arange(probs.shape[1])
    chosen = mean.argmax(axis=1)
    of_chosen = probs[:, rows, chosen]
    within = entropy(probs, axis=2).mean(axis=0)
    plain = {
        "msr": mean.max(axis=1),
        "pe": -entropy(mean, axis=1),
        "ee": -within,
        "mi": -(entropy(mean, axis=1) - within),
        "variance": -probs.var(axis=0).mean(axis=1),
        "waic": of_chosen.mean(axis=0) - of_chosen.std(axis=0),
        "disagreement": -(probs.argmax(axis=2) != chosen).mean(axis=0),
    }
    assert set(plain) == set(uncertainty.NAMES)
    for name, score in found.scores().items():
        np.testing.assert_allclose(score, plain[name], atol=1e-14, err_msg=name)
    np.testing.assert_allclose(found.mean, mean)


def test_mutual_information_is_the_mean_divergence_from_the_mean():
    probs = made()
    divergence = entropy(probs, probs.mean(axis=0), axis=2).mean(axis=0)
    np.testing.assert_allclose(uncertainty.collected(probs).scores()["mi"], -divergence, atol=1e-14)


def test_waic_uses_each_cases_own_deviation():
    calm, torn = [[0.8, 0.2]] * 4, [[0.99, 0.01], [0.61, 0.39]] * 2
    scores = uncertainty.collected(np.stack([calm, torn], axis=1)).scores()
    np.testing.assert_allclose(scores["waic"], [0.8, 0.8 - 0.19])


def test_nothing_cancels_and_nothing_is_below_zero_where_passes_agree():
    sure = np.tile(softmax(np.random.default_rng(1).normal(size=(1000, 7)) * 9, axis=1), (50, 1, 1))
    sure[:, :10] = np.eye(7)[0]
    scores = uncertainty.collected(sure).scores()
    assert (scores["mi"] <= 0).all()
    assert (scores["variance"] <= 0).all()
    assert scores["mi"].min() > -1e-12
    assert scores["variance"].min() > -1e-25
    assert all(np.isfinite(score).all() for score in scores.values())
    assert (scores["pe"][:10] == 0).all()


def test_the_class_another_rule_chose():
    probs = np.array([[[0.7, 0.3]], [[0.7, 0.3]], [[0.4, 0.6]]])
    passes = uncertainty.collected(probs)
    assert passes.scores()["disagreement"][0] == pytest.approx(-1 / 3)
    assert passes.scores(np.array([1]))["disagreement"][0] == pytest.approx(-2 / 3)
    of_second = probs[:, 0, 1]
    assert passes.scores([1])["waic"][0] == pytest.approx(of_second.mean() - of_second.std())


def test_from_the_passes_a_table_carries(tmp_path):
    probs = made(s=3, n=6, k=2)
    tables.write(table(probs), tmp_path / "p.parquet")
    read = tables.read(tmp_path / "p.parquet")
    scores = uncertainty.from_passes(read)
    assert set(scores) == {f"mcd_{name}" for name in uncertainty.NAMES}
    direct = uncertainty.collected(probs).scores()
    for name, score in direct.items():
        np.testing.assert_allclose(scores[f"mcd_{name}"], score, atol=1e-12)


def test_bad_passes_are_refused_in_one_sentence(refused):
    probs = made(s=3, n=6, k=2)
    refused(lambda: uncertainty.collected([probs[0]]).scores(), "at least 2 passes", "1 arrived")
    refused(lambda: uncertainty.Passes().scores(), "0 arrived")
    refused(lambda: uncertainty.collected([probs[0], probs[1][:5]]), "pass 2", "6 × 2", "5 × 2")
    refused(lambda: uncertainty.collected(probs[0]), "N × K")
    without = Predictions(["a"], ["x", "y"], [0], [[0.0, 1.0]], name="t")
    refused(lambda: uncertainty.from_passes(without), "t: at least 2 passes", "none came")
    refused(lambda: uncertainty.from_passes(table(probs[:1])), "1 arrived")


def test_passes_that_do_not_match_the_cases_are_refused(refused):
    arrays = {"logits": np.zeros((4, 2)), "labels": [0, 1, 0, 1], "passes": np.zeros((9, 3, 2))}
    refused(lambda: tables.read(arrays), "passes must have shape any × 4 × 2", "9 × 3 × 2 arrived")
    with pytest.raises(InputError, match="passes must be finite"):
        tables.read(arrays | {"passes": np.full((2, 4, 2), np.nan)})
