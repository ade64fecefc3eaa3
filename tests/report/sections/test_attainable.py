"""The curve of what could be promised: a line for each policy, its own alpha marked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from primum.judge.sections.deferral import PolicyAttainable, PolicyRecord, PolicyRows
from primum.report.sections.attainable import of

POINTS = ((0.01, 0.0, 1.0), (0.02, 0.25, 0.6), (0.1, 0.75, 0.2))


def record(name: str, alpha: float = 0.02, points: Any = POINTS) -> PolicyRecord:
    return PolicyRecord(
        name=name, score="msr", decision="argmax", calibrated="none", kind="certified", alpha=alpha,
        sentence="", verdict="certified", direction="accept at or above", thresholds=(),
        fit=PolicyRows(name="fit", n=9),
        attainable=[PolicyAttainable(alpha=a, cleared=c, deferred_share=d) for a, c, d in points],
    )  # fmt: skip


def drawn(view: dict[str, Any], which: int) -> list[dict[str, Any]]:
    return list(json.loads(view["pictures"][which].spec)["data"])


def test_both_shares_are_drawn_for_each_policy() -> None:
    view = of([record("a"), record("b", 0.1), record("none", points=())], "p-")
    assert [picture.id for picture in view["pictures"]] == ["p-attainable-cleared", "p-attainable-deferred"]  # type: ignore[attr-defined]
    cleared, deferred = drawn(view, 0), drawn(view, 1)
    assert [line["name"] for line in cleared] == ["a", "b"]
    assert cleared[0]["x"] == [0.01, 0.02, 0.1]
    assert cleared[0]["y"] == [0.0, 0.25, 0.75]
    assert deferred[0]["y"] == [1.0, 0.6, 0.2]
    assert [line["marker"]["symbol"].index("diamond") for line in cleared] == [1, 2]


def test_numbers_stand_below_their_alpha() -> None:
    view: Any = of([record("a"), record("b", points=POINTS[1:])], "")
    assert view["alphas"] == ["1\N{NO-BREAK SPACE}%", "2\N{NO-BREAK SPACE}%", "10\N{NO-BREAK SPACE}%"]
    (_, whole), (_, short) = view["rows"]
    assert whole[1] == {"cleared": "25.0\N{NO-BREAK SPACE}%", "deferred": "60.0\N{NO-BREAK SPACE}%"}
    assert short == [None, *whole[1:]]


def test_where_every_class_is_critical_nothing_is_cleared() -> None:
    view = of([record("a", points=[(0.01, None, 0.3)])], "")
    assert drawn(view, 0)[0]["x"] == []
    assert drawn(view, 1)[0]["y"] == [0.3]


@pytest.mark.parametrize("policies", [[], [record("none", points=())]])
def test_without_any_there_is_no_picture(policies: list[PolicyRecord]) -> None:
    assert of(policies, "")["pictures"] == []
