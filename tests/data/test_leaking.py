"""Which images are left out, and why."""

from __future__ import annotations

import numpy as np
import polars as pl

from primum.data.copies import Copies
from primum.data.images import ImageTable
from primum.data.leaking import leaking


def left_out(splits: list[str], group: list[int], content: list[int] | None = None) -> dict[str, str]:
    n = len(splits)
    cases = pl.DataFrame(
        {
            "id": [f"{split}{k}" for k, split in enumerate(splits)],
            "label": ["a"] * n,
            "patient": [str(k) for k in range(n)],
            "site": ["x"] * n,
            "split": splits,
            "path": ["x.png"] * n,
        }
    )
    table = ImageTable("made", ("a", "b"), cases)
    found = Copies(np.arange(n) if content is None else np.array(content), np.array(group))
    rows, listed = leaking(table, found)
    assert [cases["id"][int(row)] for row in rows] == listed["id"].to_list()
    assert [cases["split"][int(row)] for row in rows] == listed["split"].to_list()
    return dict(zip(listed["id"], listed["why"], strict=True))


def test_test_stays_whole_and_everything_else_gives_way() -> None:
    splits = ["train", "val", "cal", "test", "test", "train"]
    found = left_out(splits, [0, 0, 0, 0, 0, -1], [7, 8, 9, 8, 6, 5])
    assert found == {
        "train0": "the same picture as test3 in test",
        "val1": "the same bytes as test3 in test",
        "cal2": "the same picture as test3 in test",
    }


def test_train_gives_way_to_val_and_cal_which_stay() -> None:
    found = left_out(["train", "val", "train", "cal", "train", "train"], [0, 0, 1, 1, 2, 2])
    assert found == {
        "train0": "the same picture as val1 in val",
        "train2": "the same picture as cal3 in cal",
    }


def test_val_and_cal_may_share_a_copy() -> None:
    assert left_out(["val", "cal"], [0, 0]) == {}


def test_nothing_is_left_out_where_nothing_is_shared() -> None:
    assert left_out(["train", "test", "val"], [-1, -1, -1]) == {}
