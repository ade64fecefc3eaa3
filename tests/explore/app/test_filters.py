"""The filters against a walk over the rows."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from primum.explore.app import filters

CASES = [
    ({"class": ["melanoma"]}, lambda one: one["label"] == "melanoma"),
    ({"domain": ["test", "gaussian_noise 3"]}, lambda one: one["domain"] in ("test", "gaussian_noise 3")),
    ({"shift": ["gaussian_noise"], "level": [1]}, lambda one: one["shift_level"] == 1),
    ({"outcome": "wrong"}, lambda one: one["label"] != one["predicted"]),
    ({"outcome": "silent"}, lambda one: one["silent"]),
    ({"outcome": "critical"}, lambda one: one["label"] != "naevus" and one["predicted"] == "naevus"),
    ({"column": "site", "values": ["A"]}, lambda one: one["site"] == "A"),
    ({"column": "age", "values": ["3", "4"]}, lambda one: one["age"] in (3, 4)),
    ({"score": "msr", "range": [0.5, 0.8]}, lambda one: 0.5 <= one["score_msr"] <= 0.8),
    (
        {"class": ["naevus"], "outcome": "wrong", "score": "pe", "range": [-0.9, 0.0]},
        lambda one: one["label"] == "naevus" and not one["correct"] and one["score_pe"] >= -0.9,
    ),
]


@pytest.mark.parametrize(("chosen", "passes"), CASES)
def test_each_filter_by_hand(stage, chosen, passes) -> None:
    kept = filters.passing(stage, chosen)
    assert kept.tolist() == [bool(passes(one)) for one in stage.cases.iter_rows(named=True)]
    assert 0 < kept.sum() < len(kept)


def test_empty_filters_let_all_through(stage) -> None:
    empty = {"class": [], "domain": None, "outcome": "all", "column": None, "values": [], "score": "msr"}
    assert filters.passing(stage, {**empty, "range": list(filters.span(stage, "msr"))}).all()


@pytest.mark.parametrize("score", ["msr", "pe", "mahalanobis"])
def test_the_ends_of_the_range_hold_every_case(stage, score) -> None:
    low, high = filters.span(stage, score)
    values = stage.cases[f"score_{score}"].to_numpy()
    assert low <= values.min()
    assert values.max() <= high
    assert high - low < 1.1 * np.ptp(values)


def test_the_sentence_counts(stage) -> None:
    kept = filters.passing(stage, {"class": ["naevus"]})
    mine = stage.cases.filter(pl.col("label") == "naevus")
    wrong, silent = int((~mine["correct"]).sum()), int(mine["silent"].sum())
    said = filters.describe(stage, kept, {"class": ["naevus"]})
    assert said.startswith(f"{len(mine)}\xa0cases: {wrong}\xa0wrong answers, {silent} of them silent")
    assert said.endswith("Only naevus.")
