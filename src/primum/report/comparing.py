"""Turn a comparison of two audits into what the template shows: two headlines, paired differences, panels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from primum.judge.finding import Finding
from primum.judge.metrics.table import codes
from primum.report import content, figures, tables, view, words
from primum.report.pictures import Picture, pack

DIRECTIONS = {
    "lower": "left of the line, the second model is better",
    "higher": "right of the line, the second model is better",
}
MAIN_CODES = codes("comparison")


def of(comparison: Mapping[str, Any], images: Path | None = None) -> dict[str, object]:
    """Build everything the template needs for a comparison of two models on the same cases."""
    paired = content.read(comparison)
    settings, findings, overall = paired.settings, paired.findings, paired.overall
    level = words.level(settings.level)
    models, titles = [], []
    for place, name in (("first", settings.first), ("second", settings.second)):
        audit = content.read(comparison.get(place) or {})
        audit = replace(audit, settings=replace(audit.settings, name=name or audit.settings.name))
        model = view.of(audit, images, f"{place}-")
        titles.append(model["title"])
        models.append((place.capitalize(), model))
    leads = (_lead(overall, rule, level) for rule in tables.rules(overall))
    return {
        "title": " and ".join(map(str, titles)),
        "facts": [words.counted(settings.n), "the same cases, answered by two models"],
        "level": level,
        "leads": [lead for lead in leads if lead],
        "pictures": forests(overall),
        "warnings": [view.described(finding) for finding in findings if finding.verdict == "warning"],
        "differences": [difference(finding) for finding in findings],
        "models": models,
    }


def _lead(findings: Sequence[Finding], rule: tables.Rule, level: str) -> tuple[str, str] | None:
    """Name of a decision rule, and the sentence on its difference in critical errors."""
    judged = [finding for finding in findings if tables.rule(finding) == rule]
    sentence = words.difference(tables.pick(judged, "cer"), level)
    return (words.opening(words.decision(rule[0] or None)), sentence) if sentence else None


def forests(findings: Sequence[Finding]) -> list[Picture]:
    """Draw the main paired differences, one figure per direction and unit, each with one honest axis."""
    pictures = []
    score = next((finding.score for finding in findings if finding.score), None)
    main = [finding for finding in findings if finding.code in MAIN_CODES and finding.score in (None, score)]
    for better in ("lower", "higher"):
        for percent in (True, False):
            rows = [
                figures.Whisker(
                    _name(finding),
                    finding.value,
                    low=finding.low,
                    high=finding.high,
                    text=_text(finding),
                    critical=finding.code in tables.CRITICAL_CODES,
                )
                for finding in main
                if finding.better == better
                and finding.value is not None
                and (finding.code in words.RATES) == percent
            ]
            if rows:
                unit = "points" if percent else "units"
                figure = figures.dots_and_whiskers(rows, "second minus first", percent=percent, zero=True)
                alt = f"Differences, second minus first, where {better} is better; {DIRECTIONS[better]}"
                caption = f"{better.capitalize()} is better: {DIRECTIONS[better]}"
                pictures.append(pack(figure, f"difference-{better}-{unit}", alt, caption))
    return pictures


def _text(finding: Finding) -> str:
    span = words.interval(finding, signed=True)
    return words.number(finding.value, finding.code, signed=True) + (f" ({span})" if span else "")


def _name(finding: Finding) -> str:
    parts = (words.label(finding), tables.short_name(tables.rule(finding)), finding.score)
    return " · ".join(part for part in parts if part)


def difference(finding: Finding) -> dict[str, str]:
    """Spell one paired difference out, signed.

    >>> lower = Finding("cer", "Critical error rate", -0.05, -0.07, -0.03, 390, better="lower")
    >>> difference(lower)["favours"]
    'second'
    """
    value, low, high = finding.value, finding.low, finding.high
    favours = ""
    if value is not None and low is not None and high is not None and finding.better:
        better = "second" if (value > 0) == (finding.better == "higher") else "first"
        favours = better if low > 0 or high < 0 else "cannot tell"
    return {
        **view.described(finding),
        "value": words.number(value, finding.code, signed=True),
        "span": words.interval(finding, signed=True) or words.NOTHING,
        "favours": favours,
    }
