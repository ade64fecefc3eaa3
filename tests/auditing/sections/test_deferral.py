"""The deferral curves against plain sums over cases."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from primum.auditing.sections.deferral import SHARES, cost_ratios
from primum.judge.answers import Answers, View
from primum.judge.deferral.costs import Reader
from primum.judge.deferral.scored import Decided, Scored
from primum.judge.sections.content import Sections
from primum.judge.sections.deferral import DeferralSection
from tests.auditing.sections.written import deferral

COST = np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 2.0], [10.0, 10.0, 0.0]])


def side(seed: int, n: int = 300) -> tuple[View, Scored]:
    rng = np.random.default_rng(seed)
    labels, fine, coarse = rng.integers(0, 3, n), rng.random(n), rng.integers(0, 5, n) / 5
    answers = np.where(rng.random(n) < 0.2 + 0.6 * fine, labels, rng.integers(0, 3, n))
    view = View(labels, {"none": np.full((n, 3), 1 / 3)}, {}, None, np.arange(n), COST, COST > 5, None, 0, 0)
    return view, Scored("argmax", "none", answers, {"fine": fine, "coarse": coarse})


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    (view, judged), (_, fit) = side(0), side(1, 200)
    return deferral(view, judged, fit, Reader(0.5, np.array([0.0, 0.0, 0.1])))


@pytest.mark.parametrize("which", ["own", "fitted"])
@pytest.mark.parametrize("score", ["fine", "coarse"])
def test_every_point_is_the_plain_sum(content: dict[str, Any], which: str, score: str) -> None:
    view, judged = side(0)
    line = next(one for one in content["scores"] if one["score"] == score)[which]
    spent = COST[view.labels, judged.decisions]
    deferring = 0.5 + np.where(view.labels == 2, 0.1 * 10, 0)
    for k, threshold in enumerate(line["threshold"]):
        limit = np.inf if threshold is None and line["deferred"][k] == 1 else threshold
        accepted = judged.confidence[score] >= limit
        assert line["deferred"][k] == pytest.approx((~accepted).mean())
        assert line["failure"][k] == pytest.approx(spent[accepted].sum() / spent.sum())
        paid = np.where(accepted, spent, deferring).sum() / spent.sum()
        assert line["failure_with_reader"][k] == pytest.approx(paid)


def test_fitted_thresholds_defer_what_is_wanted_of_the_fit_rows(content: dict[str, Any]) -> None:
    _, fit = side(1, 200)
    for one in content["scores"]:
        assert one["fitted"]["wanted"] == list(SHARES)
        for share, threshold in zip(SHARES, one["fitted"]["threshold"], strict=True):
            below = 1.0 if threshold is None else (fit.confidence[one["score"]] < threshold).mean()
            assert below <= share + 1e-9
    assert one["fitted"]["threshold"][-1] is None


def test_no_deferral_is_one_hundred_per_cent(content: dict[str, Any]) -> None:
    assert (
        content["scores"][0]["own"]["failure"][-1]
        == content["scores"][0]["own"]["failure_with_reader"][-1]
        == 1
    )
    assert content["scores"][0]["own"]["failure"][0] == 0
    assert content["direction"] == "accept at or above"


def test_it_is_json_and_of_bounded_size(content: dict[str, Any]) -> None:
    json.dumps(content, allow_nan=False)
    assert len(content["scores"][0]["own"]["threshold"]) == 200
    assert len(content["scores"][1]["own"]["threshold"]) == 6
    assert content["policies"] == []


def test_without_fit_reader_or_severity() -> None:
    view, judged = side(0)
    bare = deferral(replace(view, cost=None), judged, None, Reader(0.5))
    assert (bare["unit"], bare["reader_cost"]) == ("errors", None)
    assert bare["cost_without_deferral"] == pytest.approx((view.labels != judged.decisions).mean())
    assert all(one["fitted"] is None and one["own"]["failure_with_reader"] is None for one in bare["scores"])


def test_without_any_error_there_is_nothing_to_draw() -> None:
    view, judged = side(0)
    right = deferral(view, replace(judged, decisions=view.labels))
    assert right["scores"][0]["own"]["failure"] is None
    json.dumps(right, allow_nan=False)


def test_every_rule_and_policy_has_a_cost_at_every_ratio() -> None:
    view, judged = side(0)
    answers = Answers("argmax", judged.decisions, "none", {}, {})
    view = replace(view, answers={"argmax": answers}, probs={"none": np.full((300, 3), [0.4, 0.4, 0.2])})
    accepting = Decided("argmax", "none", judged.decisions, "fine", judged.confidence["fine"], np.zeros(300))
    curves = cost_ratios(view, "none", {"all of them": accepting}, Reader(1.0))
    names = [(one.rule, one.policy, one.reader_cost) for one in curves]
    # false alarms cost 2 in the severity, so that a reader of 1 costs half of one
    expected = [("argmax", None, None), ("bayes", None, None)]
    assert names == [*expected, ("argmax", "all of them", 0.0), ("argmax", "all of them", 0.5)]
    for one in (curves[2], curves[3]):  # nothing is deferred
        assert one.cost == pytest.approx(curves[0].cost)
    # every mass is 0.2: all are called critical from r = 4 on, where that is the best constant answer
    assert curves[1].cost[-1] == pytest.approx(1)
    section = DeferralSection(ratios=curves)
    content = json.loads(json.dumps(Sections(deferral=section).to_dict(), allow_nan=False))
    read = Sections.from_dict(content).deferral
    assert read is not None
    assert list(read.ratios) == curves
    assert content["deferral"]["ratios"][3]["ratio"][0] == 2.0


def test_no_critical_cells_no_ratios_and_older_audits_have_none(content: dict[str, Any]) -> None:
    view, _ = side(0)
    assert cost_ratios(replace(view, critical=None), "none", {}, None) == []
    older = {name: part for name, part in content.items() if not name.startswith("ratios")}
    read = Sections.from_dict({"deferral": older}).deferral
    assert read is not None
    assert (list(read.ratios), read.ratios_why_not) == ([], "")
