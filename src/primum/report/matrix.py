"""A confusion matrix laid out for the page, cut to its telling part when there are many classes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from primum.report import words

MOST_CLASSES = 25
SHOWN_CLASSES = 20


def lay_out(
    counts: Sequence[Sequence[int]], classes: Sequence[str], critical: Iterable[Sequence[str]]
) -> dict[str, Any]:
    """Lay out a confusion matrix, rows true and columns predicted, with shares of each row.

    More than 25 classes are cut to the 20 with the largest critical and other confusions; what their
    rows hold elsewhere is summed in a last column, and ``hidden`` says how many classes are left out.

    >>> table = lay_out([[8, 2], [1, 9]], ["ill", "well"], [("ill", "well")])
    >>> [cell["critical"] for cell in table["rows"][0]["cells"]], table["rows"][0]["total"]
    ([False, True], 10)
    """
    fatal = {(str(true), str(called)) for true, called in critical}
    size = len(classes)
    places = list(range(size))
    if size > MOST_CLASSES:
        places = _most_confused(counts, classes, fatal)
    rows = []
    for true in places:
        total = sum(counts[true])
        cells: list[dict[str, Any]] = []
        for called in places:
            count = counts[true][called]
            is_fatal = (classes[true], classes[called]) in fatal
            share = count / total if total else 0.0
            cells.append(
                {"count": count, "share": share, "critical": is_fatal, "right": true == called,
                 "said": words.number(share, "accuracy")}
            )  # fmt: skip
        elsewhere = total - sum(cell["count"] for cell in cells)
        rows.append({"name": classes[true], "cells": cells, "total": total, "elsewhere": elsewhere})
    columns = [classes[at] for at in places]
    tilted = len(columns) > 10 or (len(columns) > 3 and max(map(len, columns)) > 7)
    return {"columns": columns, "rows": rows, "hidden": size - len(places), "of": size, "tilted": tilted}


def _most_confused(
    counts: Sequence[Sequence[int]], classes: Sequence[str], fatal: set[tuple[str, str]]
) -> list[int]:
    cells = [
        ((classes[true], classes[called]) in fatal, counts[true][called], true, called)
        for true in range(len(classes))
        for called in range(len(classes))
        if true != called and counts[true][called]
    ]
    chosen: dict[int, None] = {}
    for _, _, true, called in sorted(cells, key=lambda cell: (not cell[0], -cell[1], cell[2], cell[3])):
        if len(chosen.keys() | {true, called}) <= SHOWN_CLASSES:
            chosen.update({true: None, called: None})
    for at in range(len(classes)):
        if len(chosen) < SHOWN_CLASSES:
            chosen.setdefault(at)
    return sorted(chosen)
