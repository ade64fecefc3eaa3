"""Two scenes joined case by case."""

from __future__ import annotations

import polars as pl
import pytest

from primum.explore.app import comparison
from primum.explore.scene import Domain, build_scene
from tests.explore.app.conftest import staged
from tests.explore.conftest import MATRIX, predictions


@pytest.fixture
def two(stage):
    other = build_scene("other", [Domain("test", predictions(50, skill=1.2))], severity=MATRIX)
    return stage, staged(other, 1)


def test_kinds_by_hand(two) -> None:
    first, second = two
    shared = comparison.join_cases(first, second)
    assert len(shared) == 50  # the ids of test that both hold
    for one in shared.iter_rows(named=True):
        left, right = (
            first.cases.row(one["row_first"], named=True),
            second.cases.row(one["row_second"], named=True),
        )
        assert left["key"] == right["key"] == one["key"]
        kind = {
            (True, True): "both right", (False, True): "only the first wrong",
            (True, False): "only the second wrong", (False, False): "both wrong",
        }[(left["correct"], right["correct"])]  # fmt: skip
        assert one["kind"] == kind


def test_the_parts_make_the_whole(two) -> None:
    shared = comparison.join_cases(*two)
    counts = [len(comparison.filter_cases(shared, kind)) for kind in comparison.KINDS]
    assert sum(counts) == len(shared)
    assert min(counts[:4]) > 0
    differ = comparison.filter_cases(shared, "differ")
    assert len(differ) == (shared["predicted_first"] != shared["predicted_second"]).sum()


def test_nothing_shared_is_said(two) -> None:
    first, _ = two
    stranger = predictions(5, ids=pl.Series([f"x{i}" for i in range(5)]))
    other = staged(build_scene("stranger", [Domain("test", stranger)]), 1)
    shared = comparison.join_cases(first, other)
    assert "share no case" in comparison._summary((first, other), shared, shared)
