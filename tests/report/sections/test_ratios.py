"""Cost over ratios on the page: a line and a band for each rule and policy, named by its reader."""

from __future__ import annotations

import json
from typing import Any

import pytest

from primum.judge.sections.deferral import CostRatioCurve
from primum.report.sections.ratios import HIGHEST, of
from tests.report.sections.test_deferral import HOSTILE, rendered, words_of


def curve(rule: str = "argmax", cost: Any = (0.5, 0.8), **more: Any) -> CostRatioCurve:
    low, high = [value - 0.1 for value in cost], [value + 0.2 for value in cost]
    return CostRatioCurve(
        rule=rule, calibrated="none", ratio=[2.0, 50.0], cost=cost, low=low, high=high, **more
    )


def drawn(view: dict[str, Any]) -> dict[str, Any]:
    (picture,) = view["pictures"]
    return dict(json.loads(picture.spec))


def test_a_line_and_a_band_for_each() -> None:
    view = of([curve(), curve("bayes", (0.4, 0.3))], "p-")
    band, line, _, second = drawn(view)["data"]
    assert (line["x"], line["y"]) == ([2.0, 50.0], [0.5, 0.8])
    assert second["y"] == [0.4, 0.3]
    assert band["x"] == [2.0, 50.0, 50.0, 2.0]
    assert band["y"] == pytest.approx([0.7, 1.0, 0.7, 0.4])
    assert band["showlegend"] is False
    assert view["pictures"][0].id == "p-ratios"


def test_a_policy_is_named_by_its_reader() -> None:
    policies = [
        curve(policy="mine", reader_cost=0.0), curve(policy="mine", reader_cost=0.25),
        curve(policy="mine", reader_cost=0.25, reader_errs=True),
    ]  # fmt: skip
    view: Any = of([curve(), *policies], "")
    assert [name for name, _ in view["rows"]] == [
        "Highest probability",
        "mine, free reader",
        "mine, reader at 0.25 false alarms",
        "mine, reader at 0.25 false alarms, who errs",
    ]
    assert view["rows"][0][1][1] == {"cost": "0.800", "span": "0.700–1.000"}
    assert view["heads"] == ["2", "50"]


def test_what_costs_far_more_than_a_constant_answer_does_not_flatten_the_rest() -> None:
    assert drawn(of([curve(cost=(0.5, 0.8))], ""))["layout"]["yaxis"]["range"] == pytest.approx([0, 1.05])
    assert drawn(of([curve(cost=(0.5, 40.0))], ""))["layout"]["yaxis"]["range"] == [0, HIGHEST]


def test_more_than_can_be_told_apart_stand_in_the_table() -> None:
    view: Any = of([curve(policy=str(at), reader_cost=0.0) for at in range(10)], "")
    assert len(drawn(view)["data"]) == 16
    assert view["pictures"][0].caption == "Cost of each rule and policy; 2 more in the table"
    assert len(view["rows"]) == 10


def test_on_the_page() -> None:
    one = {"rule": "argmax", "calibrated": "none", "policy": HOSTILE, "ratio": [2, 50]}
    costs = {"cost": [0.5, 0.8], "low": [0.4, 0.7], "high": [0.6, 1.2], "reader_cost": 0.0}
    text = rendered({"ratios": [{**one, **costs}]})
    assert "<img src=x" not in text
    assert "What a critical error weighs" in words_of(text)
    assert "50 : 1" in words_of(text)


def test_without_a_curve_the_reason_stands_there() -> None:
    said = words_of(rendered({"ratios_why_not": "no case is of a critical class"}))
    assert "was not drawn: no case is of a critical class." in said
    assert "false alarm" not in words_of(rendered({}))
