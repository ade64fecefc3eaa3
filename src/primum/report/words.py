"""Numbers and findings in words a clinician reads without a glossary."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath, PureWindowsPath

from primum.judge import confidence
from primum.judge.finding import Finding
from primum.judge.metrics.table import METRICS

GAP = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
NOTHING = "–"

SHORT = {code: metric.short for code, metric in METRICS.items()}
RATES = {code for code, metric in METRICS.items() if metric.unit == "rate"}
SQUARED = {code for code, metric in METRICS.items() if metric.unit == "small"}
COUNTS = {"n"} | {code for code, metric in METRICS.items() if metric.unit == "count"}
DECISIONS = {
    "given": "supplied decision",
    "argmax": "highest probability",
    "bayes": "least expected cost (Bayes)",
    "operating": "threshold from the fit rows",
}
SCORES = {  # name → sentence: first those whose curves are drawn first, then in the order of the table
    score.name: score.sentence
    for score in sorted(confidence.SCORES.values(), key=lambda score: score.place or len(confidence.SCORES))
}
VERDICTS = {
    "passed": "passed",
    "failed": "failed",
    "inconclusive": "inconclusive",
    "not_judged": "not judged",
    "not_applicable": "not computed",
    "warning": "warning",
}


def number(value: float | None, code: str = "", signed: bool = False) -> str:
    """Write one value in the unit of its code: per cent (signed: percentage points), a count, a number."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if code in COUNTS:
        text = f"{value:,.0f}".replace(",", GAP)
    elif code in RATES:
        text = f"{100 * value:.{_percent_digits(value)}f}{GAP}{'pp' if signed else '%'}"
    else:
        digits = 5 if code in SQUARED else 3
        text = f"{value:.{digits}f}" if abs(value) < 100 else f"{value:,.0f}".replace(",", GAP)
    text = text.replace("-", MINUS)
    if text.startswith(MINUS) and not any(digit in text for digit in "123456789"):
        text = text.removeprefix(MINUS)  # what rounds to zero has no sign
    return f"+{text}" if signed and value > 0 else text


def _percent_digits(value: float) -> int:
    return 2 if 0 < abs(value) < 0.001 else 1


def scale(start: float, end: float, code: str) -> str:
    """Write the two ends of a scale as shortly as can be: ``0–100 %``, ``−0.01 to 0.2``."""
    unit = f"{GAP}%" if code in RATES else ""
    first, last = (f"{100 * value:g}" if unit else f"{value:g}" for value in (start, end))
    return f"{first}–{last}{unit}" if start >= 0 else f"{MINUS}{first[1:]} to {last}{unit}"


def span(code: str, low: float | None, high: float | None, signed: bool = False) -> str:
    """Write an interval in the unit of its code, ``0.7–3.7 %``; empty when there is none.

    >>> span("cer", -0.01, 0.03, signed=True)
    '−1.0 to +3.0\\xa0pp'
    """
    if low is None or high is None:
        return ""
    first, second = number(low, code, signed), number(high, code, signed)
    if signed:
        first = first.removesuffix(f"{GAP}pp")
    if signed or low < 0:
        return f"{first} to {second}"
    if code in RATES:
        first = first.removesuffix(f"{GAP}%")
    return f"{first}–{second}"


def level(share: float) -> str:
    """Write a confidence level.

    >>> level(0.95)
    '95\\xa0%'
    """
    return f"{100 * share:g}{GAP}%"


def counted(n: int | float | None, singular: str = "case", plural: str = "cases") -> str:
    """Write a count with its noun.

    >>> counted(1), counted(1512)
    ('1\\xa0case', '1\\xa0512\\xa0cases')
    """
    if n is None:
        return f"an unknown number of {plural}"
    return f"{n:,.0f}".replace(",", GAP) + f"{GAP}{singular if n == 1 else plural}"


def label(finding: Finding) -> str:
    """Name a finding: the short name of a known code, else the name it brought along."""
    return SHORT.get(finding.code) or finding.name or finding.code


def decision(name: str | None) -> str:
    """Name a decision rule in plain words."""
    return "" if name is None else DECISIONS.get(name, name)


def opening(text: str) -> str:
    """Begin a text of ours with a capital; names that users gave are left as they are."""
    return text[:1].upper() + text[1:]


def calibrated(name: str | None) -> str:
    """Name a state of the probabilities in plain words."""
    return {None: "", "none": "as supplied"}.get(name, f"recalibrated ({name})")


def limit_of(code: str, bound: Mapping[str, float] | None) -> str:
    """Write the limit of one code in words.

    >>> limit_of("cer", {"max": 0.1})
    'at most 10.0\\xa0%'
    """
    if bound is None:
        return NOTHING
    sides = {"max": "at most", "min": "at least"}
    return " and ".join(f"{sides.get(side, side)} {number(value, code)}" for side, value in bound.items())


def file_name(text: object) -> str:
    """Keep only the last part of an absolute path: a page tells nothing about the machine it came from.

    >>> file_name("C:\\\\data\\\\fit.csv"), file_name("cal rows of the same file")
    ('fit.csv', 'cal rows of the same file')
    """
    name = str(text)
    for kind in (PurePosixPath, PureWindowsPath):
        if kind(name).is_absolute():
            return kind(name).name
    return name


def harmless(critical: Sequence[Sequence[str]]) -> bool:
    """Say whether every critical error ends in a class that is not itself critical."""
    return not {true for true, _ in critical} & {called for _, called in critical}


def headline(
    errors: Finding | None, rate: Finding | None, critical: Sequence[Sequence[str]], share: str
) -> str:
    """Say how many critical cases were missed, in the sentence the page opens with."""
    if errors is None or errors.value is None or rate is None or rate.value is None:
        return ""
    missed = int(errors.value)
    much = "none" if missed == 0 else number(missed, "critical_errors")
    did = f"called {much} harmless" if harmless(critical) else f"made a critical error in {much}"
    within = interval(rate)
    tail = f" ({share} interval {within})" if within else ""
    noun = "case" if errors.n == 1 else "cases"
    return (
        f"Of {number(errors.n, 'critical_errors')} {noun} with a critical class, the model {did}: "
        f"{number(rate.value, 'cer')}{tail}."
    )


def accuracy_headline(finding: Finding | None, share: str) -> str:
    """Open the page when no severity was given: how often the model was right, and no more."""
    if finding is None or finding.value is None:
        return "No labelled case could be judged."
    within = interval(finding)
    tail = f" ({share} interval {within})" if within else ""
    return f"The model was right in {number(finding.value, 'accuracy')} of {counted(finding.n)}{tail}."


def interval(finding: Finding, signed: bool = False) -> str:
    """Write the interval of a finding; empty when there is none."""
    return span(finding.code, finding.low, finding.high, signed)


def difference(finding: Finding | None, share: str) -> str:
    """Say which of two models makes fewer critical errors, or that the data cannot tell."""
    if finding is None or finding.value is None:
        return ""
    value, low, high = finding.value, finding.low, finding.high
    if low is None or high is None or low <= 0 <= high:
        return (
            f"The critical error rate differs by {_points(value)} "
            f"({share} interval {_points_span(finding)}): these cases cannot tell "
            "which model makes fewer critical errors."
        )
    side = "lower" if value < 0 else "higher"
    return (
        f"The second model's critical error rate is {_points(abs(value))} {side} "
        f"({share} interval of the difference {_points_span(finding)})."
    )


def _points(value: float) -> str:
    text = f"{100 * value:+.1f}" if value < 0 else f"{100 * value:.1f}"
    return text.replace("-", MINUS) + f"{GAP}percentage points"


def _points_span(finding: Finding) -> str:
    if finding.low is None or finding.high is None:
        return "not known"
    return f"{100 * finding.low:+.1f} to {100 * finding.high:+.1f}".replace("-", MINUS)
