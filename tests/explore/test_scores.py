"""Scores are kept, and what is kept is what would be computed."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from primum.explore import scores
from primum.explore.scene import Domain, build_scene


def kept(whole, folder: Path):
    return build_scene("made", whole.domains, fit=whole.fit, train=whole.train, cache=folder)


def test_training_and_fit_rows_bring_their_scores(whole) -> None:
    assert {"msr", "energy", "msr_temperature", "mahalanobis", "knn", "combined"} <= set(whole.scores)
    assert "confidnet" in whole.not_applicable
    assert "train" in whole.not_applicable["confidnet"]
    assert not set(whole.scores) & set(whole.not_applicable)


def test_without_training_rows_their_scores_say_why_not(made) -> None:
    found = build_scene("made", [Domain("test", made())])
    assert "mahalanobis" not in found.scores
    assert "no training rows" in found.not_applicable["mahalanobis"]
    assert "no rows to fit on" in found.not_applicable["combined"]


def test_what_is_kept_is_what_was_computed(whole, tmp_path, monkeypatch) -> None:
    first = kept(whole, tmp_path)
    monkeypatch.setattr(scores, "_compute", None)  # nothing may be computed now
    second = kept(whole, tmp_path)
    assert second.cases.equals(first.cases)
    assert second.thresholds == first.thresholds
    assert second.not_applicable == first.not_applicable


def test_other_rows_are_computed_anew(whole, made, tmp_path) -> None:
    kept(whole, tmp_path)
    fewer = build_scene("made", [Domain("test", made(50))], fit=whole.fit, train=whole.train, cache=tmp_path)
    assert len(list(tmp_path.glob("*.npz"))) == 2
    np.testing.assert_array_equal(
        fewer.cases["score_mahalanobis"],
        build_scene("made", [Domain("test", made(50))], fit=whole.fit, train=whole.train).cases[
            "score_mahalanobis"
        ],
    )


def test_other_stages_are_computed_anew(whole, made, tmp_path) -> None:
    table = made(50)
    for number in range(2):
        seen = dataclasses.replace(table, stages=(np.full((50, 4), float(number)),))
        build_scene("made", [Domain("test", seen)], fit=whole.fit, cache=tmp_path)
    assert len(list(tmp_path.glob("*.npz"))) == 2


@pytest.mark.parametrize("damage", [b"", b"not a table", None])
def test_a_damaged_file_is_made_anew(whole, tmp_path, damage) -> None:
    first = kept(whole, tmp_path)
    (file,) = tmp_path.glob("*.npz")
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2] if damage is None else damage)
    assert kept(whole, tmp_path).cases.equals(first.cases)
    assert file.read_bytes() == content


def test_a_flipped_byte_is_noticed(whole, tmp_path) -> None:
    first = kept(whole, tmp_path)
    (file,) = tmp_path.glob("*.npz")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(bytes(content))
    assert kept(whole, tmp_path).cases.equals(first.cases)


def test_a_new_row_scores_as_it_does_among_others(whole) -> None:
    table = whole.domains[0].predictions
    alone = scores.of_new(table.take(np.array([7])), whole.fit, whole.train)
    for name in set(whole.scores) & set(alone):
        assert alone[name][0] == pytest.approx(whole.cases[f"score_{name}"][7], rel=1e-5, abs=1e-7), name
    assert set(whole.scores) <= set(alone)
