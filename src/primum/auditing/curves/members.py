"""What the section on several members shows: who is right when they differ, and who is strong where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from primum.core.arrays import Array, Bools, Integers
from primum.judge.metrics import disagreement
from primum.judge.metrics.disagreement import Members, Pair
from primum.judge.statistics.interval import Estimate


def members(
    labels: Integers,
    decisions: Integers,
    names: Sequence[str],
    classes: Sequence[str],
    clusters: Integers | None = None,
    groups: Sequence[tuple[str, Array]] = (),
    audited: tuple[str, Integers] | None = None,
) -> dict[str, Any]:
    """Compare the answers of several members to the same labelled cases.

    Args:
        labels: (N,) class index. decisions: (M, N) the answers. names: of the M members.
        classes: K names. clusters: (N,) patient as int, or None.
        groups: (``column=value``, rows) as ``judge.groups.groups`` gives them.
        audited: name and answers (N,) of the table that is audited, where it is another than the members.

    Returns:
        JSON-ready: ``n``, ``names``, ``audited`` (its name or null), ``clustered``; shares of all cases
        ``differ``, ``all_right``, ``none_right``, ``oracle``; ``members``; ``pairs``; ``rows`` for all cases,
        each class and each group. A share has ``count``, ``n``, ``value``, ``low``, ``high``; it is null
        where there is no case.
    """
    given = disagreement.members(labels, decisions, clusters)
    extra = None if audited is None else disagreement.members(labels, [audited[1]] * 2, clusters)
    parts: list[tuple[str, str, Array]] = [("all", "all cases", np.arange(given.n))]
    parts += [("class", name, np.flatnonzero(labels == k)) for k, name in enumerate(classes)]
    parts += [("group", name, rows) for name, rows in groups]
    return {
        "n": given.n,
        "names": list(names),
        "audited": None if audited is None else audited[0],
        "clustered": clusters is not None,
        "differ": _of(given, given.differ),
        "all_right": _of(given, given.all_right),
        "none_right": _of(given, ~given.any_right),
        "oracle": _of(given, given.any_right),
        "pairs": [_pair(pair, names) for pair in disagreement.pairs(given)],
        "rows": [_row(kind, name, rows, given, extra) for kind, name, rows in parts if len(rows)],
    }


def _share(estimate: Estimate | None, count: int) -> dict[str, Any] | None:
    if estimate is None:
        return None
    return {
        "count": count,
        "n": estimate.n,
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
    }


def _of(given: Members, hits: Bools) -> dict[str, Any] | None:
    return _share(given.share(hits), int(hits.sum()))


def _pair(pair: Pair, names: Sequence[str]) -> dict[str, Any]:
    share = pair.share
    return {
        "first": names[pair.first],
        "second": names[pair.second],
        "differ": pair.differ,
        "first_right": pair.first_right,
        "second_right": pair.second_right,
        "neither_right": pair.neither_right,
        "share": _share(share, pair.first_right),
        "p": pair.p,
    }


def _row(kind: str, name: str, rows: Array, given: Members, audited: Members | None) -> dict[str, Any]:
    """One line of the table of strengths; in a class the share that is right is the recall."""
    part, only = given.take(rows), given.only[:, rows]
    other = None if audited is None else audited.take(rows)
    return {
        "kind": kind,
        "name": name,
        "n": part.n,
        "members": [
            {"right": _of(part, right), "only_right": int(alone.sum())}
            for right, alone in zip(part.right, only, strict=True)
        ],
        "audited": None if other is None else _of(other, other.right[0]),
        "none_right": int((~part.any_right).sum()),
        "oracle": _of(part, part.any_right),
    }
