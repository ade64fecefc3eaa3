"""Images that must not be trained or tuned on, because a copy of them is judged elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from primum.core.arrays import Integers

if TYPE_CHECKING:
    from primum.data.copies import Copies
    from primum.data.images import ImageTable

# split that stays whole → splits that give way to it, in this order
GIVES_WAY = {
    "test": ("train", "val", "cal"),
    "shift": ("train", "val", "cal"),
    "val": ("train",),
    "cal": ("train",),
}
SCHEMA = {"id": pl.String, "split": pl.String, "why": pl.String}


def leaking(table: ImageTable, duplicates: Copies) -> tuple[Integers, pl.DataFrame]:
    """Rows to leave out so that no evaluation split has a copy in a split that comes before it.

    Test, and what was held out as a shift, stay whole: their copies leave train, val and cal. What has a copy
    in val or cal leaves train. Copies inside one split, between val and cal, or between test and shift stay.

    Returns:
        The rows (M,) in order, and what they are: ``id``, ``split`` and ``why``, a row each.
    """
    split = table.cases["split"].to_numpy()
    why: dict[int, str] = {}
    for group in range(int(duplicates.group.max(initial=-1)) + 1):
        rows = np.flatnonzero(duplicates.group == group)
        for judged, others in GIVES_WAY.items():
            twins = rows[split[rows] == judged]
            for row in rows[np.isin(split[rows], others)] if len(twins) else ():
                why.setdefault(int(row), _why(table, duplicates, int(row), twins))
    at = np.array(sorted(why), dtype=np.int64)
    ids = [table.cases["id"][int(row)] for row in at]
    reasons = [why[int(row)] for row in at]
    return at, pl.DataFrame({"id": ids, "split": split[at].tolist(), "why": reasons}, schema=SCHEMA)


def _why(table: ImageTable, duplicates: Copies, row: int, twins: Integers) -> str:
    same = twins[duplicates.content[twins] == duplicates.content[row]]
    twin = int(same[0]) if len(same) else int(twins[0])
    kind = "the same bytes" if len(same) else "the same picture"
    return f"{kind} as {table.cases['id'][twin]} in {table.cases['split'][twin]}"
