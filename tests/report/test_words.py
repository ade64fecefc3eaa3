"""Numbers, intervals and sentences."""

from __future__ import annotations

from typing import Any

import pytest

from primum.judge.finding import Finding
from primum.report import words
from tests.report import example_audit


def finding(*values: Any, **fields: Any) -> Finding:
    return Finding.from_dict(example_audit.finding(*values, **fields))


def plain(text: str) -> str:
    return text.replace(words.GAP, " ")


@pytest.mark.parametrize(
    ("value", "code", "said"),
    [
        (0.0179, "cer", "1.8 %"),
        (0.0004, "cer", "0.04 %"),
        (0.0, "cer", "0.0 %"),
        (1.0, "specificity", "100.0 %"),
        (1512, "critical_errors", "1 512"),
        (0.07149, "ece", "0.071"),
        (-0.2, "net_benefit", "−0.200"),
        (-0.0001, "net_benefit", "0.000"),
        (None, "cer", "–"),
        (float("nan"), "ece", "–"),
    ],
)
def test_number(value: float | None, code: str, said: str) -> None:
    assert plain(words.number(value, code)) == said


def test_spans_and_limits() -> None:
    assert plain(words.interval(finding("cer", 0.018, 390, 0.011))) == "0.7–2.9 %"
    assert plain(words.interval(finding("ece", 0.01, 390, 0.02))) == "−0.010 to 0.030"
    assert plain(words.interval(finding("cer", 0.01, 390, 0.02), signed=True)) == "−1.0 to +3.0 pp"
    assert words.interval(finding("cer", None, 0)) == ""
    assert plain(words.limit_of("cer", {"max": 0.05})) == "at most 5.0 %"
    assert plain(words.scale(0.0, 0.2, "cer")) == "0–20 %"
    assert plain(words.scale(-0.01, 0.2, "ece")) == "−0.01 to 0.2"


def test_headline_fits_what_was_found() -> None:
    critical = [["ill", "well"]]
    rate = finding("cer", 0.0, 390, low=0.0, high=0.0094)
    none = plain(words.headline(finding("critical_errors", 0, 390), rate, critical, "95 %"))
    assert none == (
        "Of 390 cases with a critical class, the model called none harmless: 0.0 % (95 % interval 0.0–0.9 %)."
    )
    one = plain(words.headline(finding("critical_errors", 1, 1), finding("cer", 1.0, 1, 0), critical, "95 %"))
    assert one.startswith("Of 1 case with a critical class, the model called 1 harmless")
    both = [["ill", "worse"], ["worse", "ill"]]
    assert "made a critical error in 2" in words.headline(
        finding("critical_errors", 2, 9), rate, both, "95 %"
    )
    assert words.headline(finding("critical_errors", None, 0), rate, critical, "95 %") == ""


@pytest.mark.parametrize(
    ("value", "half", "said"),
    [
        (-0.05, 0.02, "5.0 percentage points lower (95 % interval of the difference −7.0 to −3.0)"),
        (0.05, 0.02, "5.0 percentage points higher"),
        (0.01, 0.02, "cannot tell which model"),
    ],
)
def test_difference_never_claims_more_than_the_interval(value: float, half: float, said: str) -> None:
    given: Any = finding("cer", value, 390, half)
    assert said in plain(words.difference(given, "95 %"))
