"""The failures by kind, ready for the page and for the table of cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from primum.core.arrays import Array, Bools, Integers, Strings
from primum.judge.failures.evidence import CATEGORIES, UNDETERMINED
from primum.judge.failures.taxonomy import Taxonomy
from primum.judge.failures.words import ADVICE, NAMES, sentence
from primum.judge.statistics.shares import share as share_of

MOST, STUDIES = 200, 3


def failures(
    found: Taxonomy,
    classes: Sequence[str],
    ids: Sequence[str],
    critical: Bools | None = None,
    paths: Sequence[str | None] | None = None,
    clusters: Integers | None = None,
) -> dict[str, Any]:
    """Counts by kind, the evidence there was, and up to 200 failures: critical ones first, then the surest.

    The first three failures of every kind are always among the 200.

    Args:
        found: of N judged rows. classes: K names. ids: (N,).
        critical: (N,) whether the answer is a critical error, or None without critical cells.
        paths: (N,) of the images, or None. clusters: (N,) patients, for the intervals of the shares.
    """
    rows, n = found.rows, len(found.judged.labels)
    fatal = np.zeros(len(rows), dtype=bool) if critical is None else critical[rows]
    sure = found.judged.probs[rows, found.judged.predicted[rows]]
    order = np.lexsort((np.asarray(ids, dtype=str)[rows], -sure, ~fatal))
    return {
        "n": n,
        "failures": len(rows),
        "categories": [_category(found, name, fatal, clusters) for name in (*CATEGORIES, UNDETERMINED)],
        "evidence": [
            {
                "name": one.name,
                "category": one.category,
                "used": one.score is not None,
                "why_not": f"needs {one.why_not}" if one.why_not else "",
            }
            for one in found.evidence
        ],
        "pulls": [
            {
                "column": pull.column,
                "value": pull.value,
                "towards": classes[pull.towards],
                "rows": pull.rows,
                "excess": pull.excess,
                "p": pull.p,
            }
            for pull in found.pulls
        ],
        "columns_left_out": [{"column": name, "why": why} for name, why in found.left_out.items()],
        "rows": [
            _row(found, int(at), classes, ids, None if critical is None else bool(fatal[at]), paths)
            for at in _shown(found.category, order)
        ],
    }


def case_columns(found: Taxonomy) -> dict[str, list[Any]]:
    """Column name → one value for each of the N judged rows, in their order; null for right answers.

    ``failure_category``, ``evidence_<category>`` for the four kinds, and ``evidence_<source>`` for every
    source that was there.
    """
    n = len(found.judged.labels)
    parts: dict[str, Array] = {"failure_category": found.category}
    parts |= {f"evidence_{name}": found.scores[name] for name in CATEGORIES}
    parts |= {f"evidence_{one.name}": one.score for one in found.evidence if one.score is not None}
    columns = {}
    for name, values in parts.items():
        column: list[Any] = [None] * n
        for row, value in zip(found.rows.tolist(), values.tolist(), strict=True):
            column[row] = value
        columns[name] = column
    return columns


def _category(found: Taxonomy, name: str, fatal: Bools, clusters: Integers | None) -> dict[str, Any]:
    mine = found.category == name
    said = {"category": name, "name": NAMES[name], "advice": ADVICE[name], "n": int(mine.sum())}
    said["critical"] = int((mine & fatal).sum())
    if not len(mine):
        return said | {"share": None, "low": None, "high": None}
    share = share_of(mine, None if clusters is None else clusters[found.rows])
    return said | {"share": share.value, "low": share.low, "high": share.high}


def _shown(category: Strings, order: Integers) -> Integers:
    """Numbers of the failures listed, in order: the first three of every kind, then whoever comes next."""
    ranked = category[order]
    places = np.arange(len(order))
    first = [place for name in np.unique(ranked) for place in places[ranked == name][:STUDIES]]
    rest = np.setdiff1d(places, first)[: max(0, MOST - len(first))]
    listed = np.sort(np.concatenate([np.array(first, dtype=np.int64), rest]))
    return np.asarray(order[listed], dtype=np.int64)


def _row(
    found: Taxonomy,
    at: int,
    classes: Sequence[str],
    ids: Sequence[str],
    fatal: bool | None,
    paths: Sequence[str | None] | None,
) -> dict[str, Any]:
    row = int(found.rows[at])
    answer, category = int(found.judged.predicted[row]), str(found.category[at])
    return {
        "id": str(ids[row]),
        "label": classes[int(found.judged.labels[row])],
        "predicted": classes[answer],
        "confidence": float(found.judged.probs[row, answer]),
        "critical": fatal,
        "category": category,
        "evidence": {name: float(found.scores[name][at]) for name in CATEGORIES},
        "sentence": sentence(found, at, classes),
        "advice": ADVICE[category],
        "path": None if paths is None else paths[row],
    }
