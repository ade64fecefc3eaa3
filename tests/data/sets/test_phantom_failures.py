"""Made lesions with failures put in on purpose: what is recorded is what was drawn."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from primum.data import sets
from primum.data.images import ImageTable
from primum.data.sets import phantom, phantom_failures
from primum.data.split import leaks

SICK = pl.col("true_label").is_in(("melanoma", "carcinoma"))


@pytest.fixture(scope="module")
def table() -> ImageTable:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phantom_failures, "PATIENTS", 500)
        return sets.load("phantom_failures", None, 7)


def near(share: float, expected: float, n: int) -> bool:
    return abs(share - expected) <= 4 * np.sqrt(expected * (1 - expected) / n)


def test_labels_marker_and_look_occur_as_stated(table: ImageTable) -> None:
    cases = table.cases
    assert leaks(cases) == []
    assert (cases["label_noise"] == (cases["label"] != cases["true_label"])).all()
    assert near(cases["label_noise"].mean(), phantom_failures.LABEL_NOISE, len(cases))
    test, rest = cases.filter(pl.col("split") == "test"), cases.filter(pl.col("split") != "test")
    assert 0.25 <= len(test) / len(cases) <= 0.45
    for rows, rate in (
        (test.filter(SICK), phantom_failures.MARKER_TEST), (test.filter(~SICK), phantom_failures.MARKER_TEST),
        (rest.filter(SICK), phantom_failures.MARKER_SICK), (rest.filter(~SICK), phantom_failures.MARKER_WELL),
    ):  # fmt: skip
        assert near(rows["marker"].mean(), rate, len(rows))
    assert not rest["pale"].any()
    melanomas = test.filter(pl.col("true_label") == "melanoma")
    assert melanomas["pale"].sum() == test["pale"].sum()
    assert near(melanomas["pale"].mean(), phantom_failures.PALE, len(melanomas))


def test_toggling_the_marker_changes_the_ruler_and_nothing_else(table: ImageTable) -> None:
    assert table.pixels is not None
    toggled = phantom_failures.pixels(table, 7, ~table.cases["marker"].to_numpy())
    changed = (toggled != table.pixels).any(axis=3)
    ruler = np.zeros((phantom.SIDE, phantom.SIDE), dtype=bool)
    ruler[-6:-4, 4:40] = True
    ruler[-10:-4, 4:40:6] = True
    assert not changed[:, ~ruler].any()
    assert (changed.sum(axis=(1, 2)) > 0.9 * ruler.sum()).all()
    line = table.pixels[:, -5, 4:40].astype(int)
    assert ((np.abs(line - [25, 38, 127]) <= 1).all(axis=(1, 2)) == table.cases["marker"].to_numpy()).all()


def test_the_new_look_is_lighter_than_its_skin_and_the_others_darker(table: ImageTable) -> None:
    assert table.pixels is not None
    grey = table.pixels.astype(float).mean(axis=3)
    lift = np.median(grey[:, 26:38, 26:38], axis=(1, 2)) - np.median(grey[:, :4], axis=(1, 2))
    pale = table.cases["pale"].to_numpy()
    assert (lift[pale] > 0).all()
    assert (lift[~pale] < 0).mean() > 0.99


def test_a_seed_gives_the_same_images(table: ImageTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phantom_failures, "PATIENTS", 500)
    assert sets.load("phantom_failures", None, 7).fingerprint() == table.fingerprint()
