"""Figures of a policy against hand-worked cases."""

from __future__ import annotations

import numpy as np
import pytest

from primum.judge.answers import View
from primum.judge.deferral.costs import Reader
from primum.judge.deferral.measure import deferral
from primum.judge.deferral.scored import Decided
from primum.judge.metrics.measured import Influence

COST = np.array([[0.0, 2.0], [10.0, 0.0]])
CRITICAL = np.array([[False, False], [True, False]])
# ill cases are class 1; the third and the last ill one are called well
LABELS = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1])
CALLED = np.array([1, 1, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0])
CONFIDENCE = np.array([0.9, 0.8, 0.7, 0.2, 0.9, 0.8, 0.9, 0.1, 0.9, 0.9, 0.3, 0.2])


def measured(reader: Reader | None = None, threshold: float = 0.5, cost: object = COST) -> dict[str, object]:
    n = len(LABELS)
    view = View(LABELS, {"none": np.full((n, 2), 0.5)}, {}, None, np.arange(n), cost, CRITICAL, None, 0, 0)  # type: ignore[arg-type]
    decided = Decided("argmax", "none", CALLED, "msr", CONFIDENCE, np.full(n, threshold))
    return {
        one.code: (one.value if not one.why_not else one.why_not) for one in deferral(view, decided, reader)
    }


def test_by_hand() -> None:
    found = measured(Reader(0.5, np.array([0.0, 0.1])))
    assert found["deferred_share"] == pytest.approx(4 / 12)
    assert found["accepted_cer"] == pytest.approx(1 / 3)
    assert found["cer_after_deferral"] == pytest.approx(1 / 6)
    assert found["critical_coverage"] == pytest.approx(3 / 6)
    # accepted: one miss, one false alarm; alone: two misses, two false alarms
    assert found["failure_cost"] == pytest.approx(12 / 12)
    assert found["failure_cost_ratio"] == pytest.approx(12 / 24)
    # deferred: three ill at .5 + .1 · 10, one well at .5
    assert found["failure_cost_with_reader"] == pytest.approx((12 + 3 * 1.5 + 0.5) / 12)
    assert found["failure_cost_ratio_with_reader"] == pytest.approx(17 / 24)


def test_a_veto_sends_cases_away_before_confidence_does() -> None:
    n = len(LABELS)
    view = View(LABELS, {"none": np.full((n, 2), 0.5)}, {}, None, np.arange(n), COST, CRITICAL, None, 0, 0)
    familiar = np.arange(n) >= 3  # the first three are ill, and sure of it
    decided = Decided("argmax", "none", CALLED, "msr", CONFIDENCE, np.full(n, 0.5), familiar)
    found = {one.code: one.value for one in deferral(view, decided) if not one.why_not}
    assert found["vetoed_share"] == pytest.approx(3 / 12)
    assert found["deferred_share"] == pytest.approx(7 / 12)
    assert found["cer_after_deferral"] == 0
    assert "vetoed_share" not in measured()


def test_nothing_stated_nothing_counted() -> None:
    assert "failure_cost_with_reader" not in measured()
    assert "no severity" in str(measured(cost=None)["failure_cost"])


def test_deferring_every_case_is_vacuous_and_none_changes_nothing() -> None:
    everything = measured(threshold=np.inf)
    assert everything["deferred_share"] == 1
    assert everything["failure_cost"] == 0
    assert everything["accepted_cer"] == "vacuous: every critical case is deferred"
    nothing = measured(threshold=-np.inf)
    assert (nothing["deferred_share"], nothing["failure_cost_ratio"]) == (0, 1)
    assert nothing["accepted_cer"] == nothing["cer_after_deferral"] == pytest.approx(2 / 6)


def test_the_influence_of_a_ratio_is_its_derivative() -> None:
    n = len(LABELS)
    view = View(LABELS, {"none": np.full((n, 2), 0.5)}, {}, None, np.arange(n), COST, CRITICAL, None, 0, 0)
    decided = Decided("argmax", "none", CALLED, "msr", CONFIDENCE, np.full(n, 0.5))
    one = next(m for m in deferral(view, decided) if m.code == "failure_cost_ratio")
    assert isinstance(one.evidence, Influence)
    spent = COST[LABELS, CALLED]
    paid = np.where(CONFIDENCE >= 0.5, spent, 0)
    for case in range(n):
        up, down = np.ones(n), np.ones(n)
        up[case] += 1e-6
        down[case] -= 1e-6
        slope = ((up @ paid) / (up @ spent) - (down @ paid) / (down @ spent)) / 2e-6 * n
        assert one.evidence.influence[case] == pytest.approx(slope, abs=1e-5)
