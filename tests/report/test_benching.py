"""The page of a bench: what it says of the named combination, and that names stay text."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from primum.report import benching, loss_tables
from primum.report.page import render

METRIC = {"mean": 0.25, "least": 0.2, "most": 0.3, "low": 0.1, "high": 0.4, "values": [0.2, 0.3]}


def row(loss: str, decision: str, **more: Any) -> dict[str, Any]:
    metrics: dict[str, Any] = {code: dict(METRIC) for code in loss_tables.COLUMNS}
    for percent in loss_tables.SPECIFICITIES:
        code = f"cer_at_specificity_{percent}"
        metrics |= {
            f"{code}_roc": METRIC,
            f"{code}_deployed": METRIC,
            f"specificity_reached_{percent}": METRIC,
        }
    flags = {"named": False, "reference": False, "strength": ""} | more
    return {"loss": loss, "decision": decision, "recalibrators": ["none"], "metrics": metrics, **flags}


def content(
    low: float = -0.3, value: float = -0.2, high: float = -0.1, name: str = "risky"
) -> dict[str, Any]:
    named = row(name, "bayes", named=True, strength="strength=3")
    named["metrics"]["expected_cost"]["difference"] = {
        "value": value, "low": low, "high": high, "p": 0.01, "p_holm": 0.0004, "family": "primary",
    }  # fmt: skip
    setting = {
        "data": "one", "network": "tiny", "n": 60, "patients": 30, "seeds": [0, 1], "severity": "phantom",
        "named": {
            "loss": name, "strength": "strength=3", "decision": "bayes",
            "validation_cost": 0.24, "validation_cost_of_reference": 0.45,
        },
        "rows": [row("plain", "argmax"), row("plain", "bayes", reference=True), row(name, "argmax"), named],
        "curves": [{"loss": loss, "specificity": [0.5, 1.0], "cer": [0.1, 1.0]} for loss in ("plain", name)],
    }  # fmt: skip
    return {
        "schema": "primum.bench/1", "name": "two losses", "reference": "plain", "criterion": "least cost",
        "machine": {"processor": "slow", "cores": 2}, "version": "0", "settings": [setting],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("low", "value", "high", "said"),
    [
        (-0.3, -0.2, -0.1, "−0.200 (−0.300 to −0.100) to the reference, less for these networks."),
        (0.1, 0.2, 0.3, "+0.200 (+0.100 to +0.300) to the reference, more for these networks."),
        (-0.1, 0.1, 0.3, "not measurably different for these networks."),
    ],
)
def test_the_lead_says_what_the_interval_says(low: float, value: float, high: float, said: str) -> None:
    (setting,) = benching.of(content(low, value, high))["settings"]
    assert setting["lead"].startswith(
        "Named on validation: risky strength=3 recalibrated, Bayes (cost there 0.240; the reference 0.450)."
    )
    assert setting["lead"].endswith(said)


def test_what_was_not_computed_says_why() -> None:
    given = content()
    named = given["settings"][0]["rows"][-1]
    named["metrics"]["expected_cost"] = {"why_not": "at least 10 cases are needed, there are 3"}
    (setting,) = benching.of(given)["settings"]
    assert "not computed: at least 10 cases are needed" in setting["lead"]
    assert (
        setting["decisions"].rows[-1].cells["expected_cost"].remark
        == "at least 10 cases are needed, there are 3"
    )


def test_the_page_loads_nothing_and_keeps_names_text() -> None:
    hostile = "<script>alert(1)</script>"
    page = render(content(name=hostile))
    assert hostile not in page
    assert "&lt;script&gt;alert(1)" in page
    assert page == render(copy.deepcopy(content(name=hostile)))
    assert "&lt; 0.001" in page
    for outside in ('src="http', "src='http", 'href="http'):
        assert outside not in page.split("<script>")[0]


def test_the_picture_reaches_from_the_leftmost_decision() -> None:
    given = content()
    given["settings"][0]["rows"][0]["metrics"]["specificity"] = {**METRIC, "mean": 0.15}
    (setting,) = benching.of(given)["settings"]
    assert '"range":[0.0' in setting["pictures"][0].spec or '"range":[0.09' in setting["pictures"][0].spec
