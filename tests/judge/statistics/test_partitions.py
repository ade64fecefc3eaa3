"""Who is in a set of rows, counted by hand."""

from __future__ import annotations

import numpy as np
import polars as pl

from primum.judge.statistics.partitions import partition

CLASSES = ("well", "sick")
FRAME = pl.DataFrame(
    {
        "age": [10.0, 20.0, 30.0, 40.0, None],
        "Sex": ["f", "m", "f", "", None],
        "site": ["A", "A", "B", "A", "A"],
        "race": [None] * 5,
        "path": ["1", "2", "3", "4", "5"],
    }
)


def test_partition_by_hand() -> None:
    found = partition(np.array([0, 1, 1, 1, 0]), CLASSES, FRAME, pl.Series(["p", "p", "q", "r", "s"]))
    assert found == {
        "n": 5,
        "patients": 4,
        "classes": {"well": 2, "sick": 3},
        "characteristics": [
            {"column": "age", "kind": "people", "missing": 1, "median": 25.0, "low": 17.5, "high": 32.5},
            {"column": "Sex", "kind": "people", "missing": 2, "values": {"f": 2, "m": 1}, "others": 0},
            {"column": "site", "kind": "place", "missing": 0, "values": {"A": 4, "B": 1}, "others": 0},
        ],
    }


def test_ages_in_words_are_counted_and_rare_values_pooled() -> None:
    frame = pl.DataFrame({"age": ["child"] * 3 + [f"band {i}" for i in range(20)], "sex": [[1]] * 23})
    (age,) = partition(np.zeros(23, dtype=np.int64), CLASSES, frame, None)["characteristics"]
    assert age["values"]["child"] == 3
    assert len(age["values"]) == 12
    assert age["others"] == 20 - 11


def test_ages_written_as_text_are_numbers() -> None:
    frame = pl.DataFrame({"age": ["40", "50", "60"]})
    (age,) = partition(np.zeros(3, dtype=np.int64), CLASSES, frame, None)["characteristics"]
    assert age["median"] == 50
    (bad,) = partition(
        np.zeros(3, dtype=np.int64), CLASSES, frame.with_columns(age=pl.Series([np.nan, 1, np.inf])), None
    )["characteristics"]
    assert bad["values"] == {"1.0": 1, "inf": 1}
    assert bad["missing"] == 1


def test_no_metadata() -> None:
    found = partition(np.array([0]), CLASSES, pl.DataFrame(), None)
    assert (found["patients"], found["characteristics"]) == (None, [])
