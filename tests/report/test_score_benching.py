"""The page of a bench of scores: what it says of ranks and silence, and that names stay text."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from primum.report import score_benching, score_tables
from primum.report.cells import Cell
from primum.report.page import render


def metric(mean: float, **more: Any) -> dict[str, Any]:
    found = {"mean": mean, "least": mean, "most": mean, "low": mean / 2, "high": mean * 1.5, "values": [mean]}
    return found | more


def row(score: str, rank: float, critical: float) -> dict[str, Any]:
    metrics: dict[str, Any] = {code: metric(0.1 * rank) for code in score_tables.HEADS}
    apart = {"value": 0.1, "low": 0.05, "high": 0.2}
    metrics["aurc"]["difference"] = apart
    metrics["silent_failure_rate"] = metric(0.1)
    metrics["silent_critical_rate"] = (
        metric(0.02) if critical else {"why_not": "no case is of a critical class"}
    )
    metrics["critical_share_confident"] = {**metric(0.2), "low": -0.1, "high": 0.5}
    counts = {
        "accuracy": 0.8, "coverage": 0.75, "failures": 20.0, "silent": 7.5, "critical": 6.0,
        "silent_critical": critical,
    }  # fmt: skip
    ranked = {"rank": rank, "low": 1.0, "high": 2.0, "first": 0.5}
    return {"score": score, "metrics": metrics, "counts": counts, "ranks": {"aurc": ranked}}


def shift(kind: str, name: str, level: int | None, critical: float = 2.0) -> dict[str, Any]:
    rows = [row("mcd_msr", 2, critical), row("pe", 1, critical)]
    return {
        "kind": kind, "shift": name, "level": level, "without": None, "n": 100, "patients": 60,
        "labels": [60, 40], "of_critical": 40, "rows": rows,
    }  # fmt: skip


def content(name: str = "made") -> dict[str, Any]:
    shifts = [
        shift("iid", "i.i.d.", None),
        shift("corruption", "stain", 1),
        shift("left_out", "dx=bkl", None, 0),
    ]
    means = [
        {"score": "pe", "rank": 1.0, "low": 1.0, "high": 1.4, "first": 0.91},
        {"score": "mcd_msr", "rank": 2.0, "low": 1.6, "high": 2.0, "first": 0.09},
    ]
    setting = {
        "data": name, "network": "tiny", "severity": "phantom", "seeds": [0, 1], "trunk": "frozen",
        "dropout": {"head": 0.2, "trunk": 0.0}, "classes": ["benign", "malignant"],
        "critical": [["malignant", "benign"]], "reference": "mcd_msr",
        "scores": [{"score": "mcd_msr", "answers": ""}, {"score": "pe", "answers": ""}],
        "not_applicable": [{"score": "vim", "why": "the table carries no embeddings"}], "shifts": shifts,
        "ranks": [{"over": "all shifts", "metric": "aurc", "shifts": 2, "rows": means}],
        "against": [{"score": "pe", "lower": 2, "higher": 0, "undecided": 1}],
    }  # fmt: skip
    return {
        "schema": "primum.bench_scores/1", "name": name, "passes": 50, "coverage": 0.8, "bootstrap": 1000,
        "machine": {"processor": "slow", "cores": 2}, "version": "0", "settings": [setting],
    }  # fmt: skip


def test_the_lead_names_the_best_and_how_the_reference_fares() -> None:
    (setting,) = score_benching.of(content())["settings"]
    assert setting["lead"] == (
        "By AURC over 2 shifts, pe has the best mean rank, 1.0 of 2 (1.0 to 1.4); it is first in 91 % of "
        "bootstrap replicates. mcd_msr has 2.0 (1.6 to 2.0)."
    )
    assert list(setting["silent"].columns) == ["mcd_msr", "pe"]
    assert setting["missing"] == ["vim: the table carries no embeddings."]


def test_what_stays_silent_is_said_of_all_there_is() -> None:
    (setting,) = score_benching.of(content())["settings"]
    row = setting["silent"].rows[1]
    assert row.name == "stain 1"
    assert row.cells["mcd_msr"].line == "75 %; 7.5 of 20.0; 2.0 of 6.0 (2.0 %, 1.0 to 3.0)"
    assert setting["silent"].rows[2].cells["mcd_msr"].line == "75 %; 7.5 of 20.0; 0.0 of 6.0"


@pytest.mark.parametrize(
    ("low", "high", "said"), [(0.1, 0.3, "richer"), (-0.3, -0.1, "poorer"), (-0.1, 0.2, "not told apart")]
)
def test_the_confident_failures_are_richer_only_beyond_chance(low: float, high: float, said: str) -> None:
    assert score_tables.side(Cell("+0.100", low=low, high=high)) == said


def test_a_metric_that_was_not_computed_says_why() -> None:
    given = content()
    area = {"why_not": "at least 10 cases are needed, there are 3"}
    given["settings"][0]["shifts"][0]["rows"][0]["metrics"]["aurc"] = area
    given["settings"][0]["shifts"][0]["rows"][0]["ranks"]["aurc"] = {"why_not": "it could not be ranked"}
    (setting,) = score_benching.of(given)["settings"]
    assert setting["tables"][0][0].rows[0].cells["aurc"].remark == area["why_not"]


def test_the_heat_map_leaves_a_gap_where_a_score_has_no_rank() -> None:
    given = content()
    del given["settings"][0]["shifts"][1]["rows"][0]
    (setting,) = score_benching.of(given)["settings"]
    assert "null" in setting["heat"][0].spec


def test_the_page_loads_nothing_and_keeps_names_text() -> None:
    hostile = "<script>alert(1)</script>"
    page = render(content(name=hostile))
    assert hostile not in page
    assert "&lt;script&gt;alert(1)" in page
    assert page == render(copy.deepcopy(content(name=hostile)))
    for outside in ('src="http', "src='http", 'href="http'):
        assert outside not in page.split("<script>")[0]


def test_nothing_ranked_is_said_so() -> None:
    given = content()
    given["settings"][0]["ranks"] = []
    (setting,) = score_benching.of(given)["settings"]
    assert setting["lead"] == "No scores could be ranked."
    assert setting["means"] == []
