"""The order of failures, by hand, and one image across intensities."""

from __future__ import annotations

import numpy as np
import polars as pl

from primum.explore.failures import intensities, rank_failures
from primum.explore.scene import Domain, build_scene
from primum.predictions import Predictions
from tests.explore.conftest import CLASSES, MATRIX


def test_two_most_confident_then_critical_then_others() -> None:
    sure = np.array([0.99, 0.95, 0.90, 0.85, 0.80, 0.75, 0.70])
    labels = np.array([0, 2, 1, 2, 1, 0, 0])  # answers are naevus, but for the last three
    said = np.array([0, 1, 0, 1, 0, 1, 2])
    probs = np.repeat(((1 - sure) / 2)[:, None], 3, axis=1)
    probs[np.arange(7), said] = sure
    table = Predictions.from_probs(list("abcdefg"), CLASSES, labels, probs)
    found = rank_failures(build_scene("seven", [Domain("test", table)], severity=MATRIX))
    assert found["id"].to_list() == ["b", "c", "e", "d", "f", "g"]
    assert found["part"].to_list() == ["most confident"] * 2 + ["critical"] + ["other"] * 3
    assert found["critical"].to_list() == [False, True, True, False, False, False]
    some = rank_failures(
        build_scene("seven", [Domain("test", table)], severity=MATRIX), rows=np.array([3, 4, 5, 6])
    )
    assert some["id"].to_list() == ["d", "e", "f", "g"]


def test_every_failure_comes_once_and_falls_in_its_part(whole) -> None:
    for score in whole.scores:
        found = rank_failures(whole, score)
        assert sorted(found["row"]) == np.flatnonzero(~whole.cases["correct"].to_numpy()).tolist()
        for part in ("most confident", "critical", "other"):
            values = found.filter(pl.col("part") == part)[f"score_{score}"].to_numpy()
            assert (np.diff(values) <= 0).all()
        top = found.head(2)[f"score_{score}"].min()
        assert (found[f"score_{score}"].tail(-2) <= top).all()


def test_cases_without_the_score_come_last(made) -> None:
    known = made(scores={"own": np.linspace(0, 1, 60)})
    both = build_scene("made", [Domain("b", made()), Domain("a", known)])
    found = rank_failures(both, "own")
    empty = found["score_own"].is_null().to_numpy()
    assert empty.any()
    assert (np.diff(empty.astype(int)) >= 0).all()


def test_one_image_across_intensities(whole) -> None:
    found = intensities(whole, "case-5")
    assert found["shift_level"].to_list() == [0, 1, 3]
    assert found["domain"].to_list() == ["test", "gaussian_noise 1", "gaussian_noise 3"]
    assert found["shift"].to_list() == ["gaussian_noise"] * 3
    for row in found.iter_rows(named=True):
        assert row["confidence"] == whole.cases["confidence"][row["row"]]
    assert found.columns == whole.cases.columns


def test_an_image_without_corruption_has_none(made) -> None:
    assert intensities(build_scene("made", [Domain("test", made())]), "case-5").is_empty()


def test_bad_input_is_refused(whole, refused) -> None:
    refused(lambda: rank_failures(whole, "mrs"), "score 'mrs'", "msr")
    refused(lambda: intensities(whole, "nobody"), "no case has this id")
