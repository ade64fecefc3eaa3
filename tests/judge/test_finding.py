"""Verdicts: only against the user's limits, only when the whole interval lies on one side."""

from __future__ import annotations

import pytest

from primum.judge.finding import Basis, Finding, from_estimate, judge, not_applicable
from primum.judge.statistics.shares import proportion


def cer(hits: int, n: int, group: str = "all") -> Finding:
    return from_estimate("cer", proportion(hits, n), basis=Basis("argmax", None, "none"), group=group)


@pytest.mark.parametrize(
    ("limit", "verdict"),
    [
        ({"max": 0.2}, "passed"),
        ({"max": 0.01}, "failed"),
        ({"max": 0.06}, "inconclusive"),
        ({"min": 0.01}, "passed"),
    ],
)
def test_verdict_needs_the_whole_interval(limit: dict[str, float], verdict: str) -> None:
    (finding,) = judge([cer(5, 100)], {"cer": limit})
    assert finding.verdict == verdict
    assert "limit" in finding.why


def test_verdict_and_interval_never_disagree() -> None:
    for hits in range(0, 60, 3):
        finding = cer(hits, 200)
        (judged,) = judge([finding], {"cer": {"max": 0.1}})
        assert finding.low is not None
        assert finding.high is not None
        side = "passed" if finding.high < 0.1 else "failed" if finding.low > 0.1 else "inconclusive"
        assert judged.verdict == side


def test_without_a_limit_nothing_is_judged() -> None:
    assert judge([cer(5, 100)], {})[0].verdict == "not_judged"


def test_both_sides_of_a_limit_must_be_kept() -> None:
    limits = {"cer": {"min": 0.01, "max": 0.2}}
    assert judge([cer(5, 100)], limits)[0].verdict == "passed"
    assert judge([cer(50, 100)], limits)[0].verdict == "failed"
    assert judge([cer(16, 100)], limits)[0].verdict == "inconclusive"


def test_groups_are_holm_adjusted() -> None:
    lone = judge([cer(1, 70, "site=A")], {"cer": {"max": 0.08}})
    assert lone[0].verdict == "passed"
    many = judge([cer(1, 70, f"site={i}") for i in range(8)], {"cer": {"max": 0.08}})
    assert {finding.verdict for finding in many} == {"inconclusive"}
    assert "8 groups" in many[0].why
    mixed = judge([cer(0, 4000, "site=A"), cer(1, 70, "site=B")], {"cer": {"max": 0.08}})
    assert [finding.verdict for finding in mixed] == ["passed", "passed"]


def test_overall_is_not_adjusted_by_its_groups() -> None:
    findings = [cer(1, 70), *(cer(1, 70, f"site={i}") for i in range(8))]
    assert judge(findings, {"cer": {"max": 0.08}})[0].verdict == "passed"


def test_not_applicable_stays_so() -> None:
    nothing = not_applicable("cer", "no critical cells were given", 10, basis=Basis("argmax"))
    assert judge([nothing], {"cer": {"max": 0.1}})[0] == nothing
    assert nothing.value is None
    assert nothing.verdict == "not_applicable"


def test_round_trip() -> None:
    finding = judge([cer(5, 100)], {"cer": {"max": 0.2}})[0]
    again = Finding.from_dict(finding.to_dict())
    assert again.to_dict() == finding.to_dict()
    assert "tails" not in finding.to_dict()
