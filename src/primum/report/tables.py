"""Tables of the page: findings picked and laid out in rows and columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from primum.judge.metrics.table import METRICS
from primum.report import drawings, words
from primum.report.words import Finding

CRITICAL_CODES = {metric.code for metric in METRICS.values() if metric.critical}


def pick(findings: Iterable[Finding], code: str, **where: Any) -> Finding | None:
    """Return the first finding with this code and these fields."""
    for finding in findings:
        if finding.get("code") == code and all(finding.get(key) == wanted for key, wanted in where.items()):
            return finding
    return None


Rule = tuple[str, str]


def rule(finding: Finding) -> Rule:
    """Return how an answer was decided: the decision and the state of the probabilities it used."""
    return str(finding.get("decision") or ""), str(finding.get("calibrated") or "none")


def rule_name(rule: Rule) -> str:
    """Name a decision rule in plain words, saying when the probabilities were recalibrated first."""
    said = words.decision(rule[0] or None)
    state = "" if rule[1] == "none" else words.calibrated(rule[1])
    return ", ".join(part for part in (said, state) if part)


def short_name(rule: Rule) -> str:
    """Name a decision rule where space is short: ``Bayes · vector``."""
    said = "Bayes" if rule[0] == "bayes" else words.decision(rule[0] or None)
    return " · ".join(part for part in (said, "" if rule[1] == "none" else rule[1]) if part)


def rules(findings: Iterable[Finding]) -> list[Rule]:
    """Return the rules that were judged: the supplied decision first, then argmax, Bayes and others."""
    order = list(words.DECISIONS)
    seen = {rule(finding) for finding in findings if finding.get("decision") is not None}

    def place(one: Rule) -> tuple[int, str, bool, str]:
        known = order.index(one[0]) if one[0] in order else len(order)
        return known, one[0], one[1] != "none", one[1]

    return sorted(seen, key=place)


def present(findings: Iterable[Finding], codes: Sequence[str]) -> list[str]:
    """Return those of ``codes`` that were looked at, in the order asked for."""
    seen = {finding.get("code") for finding in findings}
    return [code for code in codes if code in seen]


def cell(
    finding: Finding | None,
    tone: str = "plain",
    ends: tuple[float, float] = (0.0, 1.0),
    limits: Mapping[str, Any] | None = None,
) -> dict[str, Any] | None:
    """Spell one finding out for a table: value, interval, n, and the interval drawn between ``ends``."""
    if finding is None:
        return None
    code = str(finding.get("code", ""))
    return {
        "value": words.number(finding.get("value"), code),
        "span": words.interval(finding),
        "n": None if finding.get("n") is None else words.number(finding["n"], "n"),
        "bar": drawings.interval(
            finding.get("value"), finding.get("low"), finding.get("high"), *ends, tone, _mark(limits, code)
        ),
        "verdict": finding.get("verdict"),
        "said": words.VERDICTS.get(str(finding.get("verdict")), ""),
        "critical": tone == "critical",
    }


def laid_out(
    findings: Iterable[Finding],
    name: Callable[[Finding], str],
    codes: Sequence[str],
    limits: Mapping[str, Any] | None = None,
    zoom: bool = True,
) -> dict[str, Any]:
    """Lay findings out, one row per ``name`` and one column per code; the first finding of a cell wins.

    Args:
        findings: what to lay out; rows keep their order.
        name: the row a finding belongs to.
        codes: the wanted columns; those without a single value are left out, their reasons are not.
        limits: the user's limits, drawn as a mark.
        zoom: scale the drawn intervals of a column to its largest value instead of 0 to 1.
    """
    kept = [finding for finding in findings if finding.get("code") in codes]
    columns = present([one for one in kept if one.get("value") is not None], codes)
    table: dict[str, dict[str, Finding]] = {}
    for finding in kept:
        table.setdefault(name(finding), {}).setdefault(str(finding["code"]), finding)
    ends = {code: _ends(kept, code, zoom, _mark(limits, code)) for code in columns}
    tones = {code: "critical" if code in CRITICAL_CODES else "plain" for code in columns}
    rows = [
        {"name": row, "cells": [cell(cells.get(code), tones[code], ends[code], limits) for code in columns]}
        for row, cells in table.items()
        if columns
    ]
    heads = [
        {"name": words.SHORT.get(code, code), "scale": words.scale(*ends[code], code), "code": code}
        for code in columns
    ]
    return {"columns": heads, "rows": rows, "missing": _missing(kept)}


def _ends(findings: Sequence[Finding], code: str, zoom: bool, mark: float | None) -> tuple[float, float]:
    """Choose round ends of a scale that holds zero, the limit, and every value and interval of a column."""
    if code in words.RATES and not zoom:
        return 0.0, 1.0
    mine = [one for one in findings if one.get("code") == code]
    found = [0.0, mark or 0.0, *(one.get(key) or 0.0 for one in mine for key in ("low", "value", "high"))]
    start, end = 0.0 - _round_up(-min(found)), _round_up(max(found))
    return start, 1.0 if code in words.RATES and end > 0.5 else end


def _mark(limits: Mapping[str, Any] | None, code: str) -> float | None:
    bound = (limits or {}).get(code)
    return next(iter(bound.values()), None) if isinstance(bound, Mapping) else None


def _round_up(value: float) -> float:
    if value <= 0:
        return 0.0
    steps = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
    return next((step for step in steps if value <= step), float(value))


def _missing(findings: Iterable[Finding]) -> list[str]:
    """Say once for each reason what was not computed."""
    reasons: dict[str, dict[str, None]] = {}
    for finding in findings:
        if finding.get("verdict") == "not_applicable":
            reasons.setdefault(str(finding.get("why") or "no reason given"), {})[words.label(finding)] = None
    return [f"{', '.join(names)}: {why}" for why, names in reasons.items()]


def groups(findings: Sequence[Finding], columns: Sequence[str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return, per metadata column, its groups as (value shown, group as written in the findings)."""
    names = list(dict.fromkeys(str(finding.get("group") or "all") for finding in findings))
    found = []
    for column in columns:
        mine = [(name.removeprefix(f"{column}="), name) for name in names if name.startswith(f"{column}=")]
        if mine:
            found.append((str(column), mine))
    return found


def at_coverages(
    curve: Mapping[str, Any], wanted: Sequence[float], key: str = "risk"
) -> list[tuple[float, float]]:
    """Read a curve at its points nearest to the wanted coverages, as (coverage, risk)."""
    coverage, risk = curve["coverage"], curve[key]
    if not len(coverage):
        return []
    nearest = [min(range(len(coverage)), key=lambda at: abs(coverage[at] - share)) for share in wanted]
    return [(coverage[at], risk[at]) for at in nearest]


def limits(findings: Iterable[Finding], given: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return the findings that were judged against a limit, those that failed first."""
    order = {"failed": 0, "inconclusive": 1, "passed": 2}
    judged = [finding for finding in findings if finding.get("verdict") in order]
    judged.sort(key=lambda finding: order[str(finding["verdict"])])
    bounds = given or {}
    return [
        {
            "finding": one,
            "verdict": one["verdict"],
            "bound": words.limit_of(str(one["code"]), bounds.get(str(one["code"]))),
        }
        for one in judged
    ]


def confident_misses(cases: Iterable[Mapping[str, Any]], most: int = 10) -> list[Mapping[str, Any]]:
    """Return the critical errors the model was surest of."""
    missed = [case for case in cases if case.get("critical")]
    missed.sort(key=lambda case: (-float(case.get("confidence") or 0.0), str(case.get("id"))))
    return missed[:most]
