"""Turn a comparison of two audits into what the template shows: two headlines, paired differences, panels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from primum.judge.metrics.table import codes
from primum.report import figures, tables, view, words
from primum.report.pictures import Picture, pack
from primum.report.words import Finding

DIRECTIONS = {
    "lower": "left of the line, the second model is better",
    "higher": "right of the line, the second model is better",
}
DRAWN = codes("comparison")


def of(comparison: Mapping[str, Any], images: Path | None = None) -> dict[str, Any]:
    """Build everything the template needs for a comparison of two models on the same cases."""
    given = comparison.get("settings") or {}
    findings: list[Finding] = list(comparison.get("findings") or [])
    overall = [one for one in findings if (one.get("group") or "all") == "all"]
    chosen = tables.rules(overall)
    first = view.of(comparison.get("first") or {}, images, "first-")
    second = view.of(comparison.get("second") or {}, images, "second-")
    first["title"] = words.file_name(given.get("first") or first["title"])
    second["title"] = words.file_name(given.get("second") or second["title"])
    return {
        "title": f"{first['title']} and {second['title']}",
        "facts": [words.counted(given.get("n")), "the same cases, answered by two models"],
        "level": words.level(given),
        "leads": [lead for rule in chosen if (lead := _lead(overall, rule, words.level(given)))],
        "pictures": forests(overall),
        "warnings": [view.described(one) for one in findings if one.get("verdict") == "warning"],
        "differences": [difference(one) for one in findings],
        "models": [("First", first), ("Second", second)],
    }


def _lead(findings: Sequence[Finding], rule: tables.Rule, share: str) -> tuple[str, str] | None:
    """Name of a decision rule, and the sentence on its difference in critical errors."""
    mine = [one for one in findings if tables.rule(one) == rule]
    said = words.difference(tables.pick(mine, "cer"), share)
    name = words.decision(rule[0] or None)
    return (name[:1].upper() + name[1:], said) if said else None


def forests(findings: Sequence[Finding]) -> list[Picture]:
    """Draw the main paired differences, one figure per direction and unit, each with one honest axis."""
    made = []
    score = next((one["score"] for one in findings if one.get("score")), None)
    drawn = [one for one in findings if one.get("code") in DRAWN and one.get("score") in (None, score)]
    for better in ("lower", "higher"):
        for percent in (True, False):
            rows = [
                figures.Whisker(
                    _name(one),
                    one["value"],
                    one.get("low"),
                    one.get("high"),
                    _said(one),
                    one.get("code") in tables.CRITICAL_CODES,
                )
                for one in drawn
                if one.get("better") == better
                and one.get("value") is not None
                and (one.get("code") in words.RATES) == percent
            ]
            if rows:
                unit = "points" if percent else "units"
                figure = figures.dots_and_whiskers(rows, "second minus first", percent=percent, zero=True)
                spoken = f"Differences, second minus first, where {better} is better; {DIRECTIONS[better]}"
                caption = f"{better.capitalize()} is better: {DIRECTIONS[better]}"
                made.append(pack(figure, f"difference-{better}-{unit}", spoken, caption))
    return made


def _said(finding: Finding) -> str:
    within = words.interval(finding, signed=True)
    value = words.number(finding["value"], str(finding.get("code", "")), signed=True)
    return value + (f" ({within})" if within else "")


def _name(finding: Finding) -> str:
    parts = (words.label(finding), tables.short_name(tables.rule(finding)), finding.get("score"))
    return " · ".join(str(part) for part in parts if part)


def difference(finding: Finding) -> dict[str, Any]:
    """Spell one paired difference out, signed."""
    said = view.described(finding)
    code = str(finding.get("code", ""))
    said["value"] = words.number(finding.get("value"), code, signed=True)
    said["span"] = words.interval(finding, signed=True) or words.NOTHING
    value, low, high = finding.get("value"), finding.get("low"), finding.get("high")
    said["favours"] = ""
    if value is not None and low is not None and high is not None and finding.get("better"):
        apart = low > 0 or high < 0
        good = (value > 0) == (finding["better"] == "higher")
        said["favours"] = ("second" if good else "first") if apart else "cannot tell"
    return said
