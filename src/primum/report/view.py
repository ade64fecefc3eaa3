"""Turn one audit into what the template shows: sentences, table rows, pictures; no statistics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from primum.judge.finding import Finding
from primum.judge.metrics.table import codes
from primum.report import drawings, settings, tables, thumbnails, words
from primum.report.content import Case, Content, Settings
from primum.report.sections import checklist, deferral, explanation, failures, members, overview, reliability
from primum.report.tables import Table

KEY_CODES = codes("key")
PLAIN_KEY_CODES = codes("key_without_severity")
MATCHED_CODES = codes("matched")
GROUP_CODES = codes("groups")
MOST_PAIRS = 4
BETTER = {"higher": "higher is better", "lower": "lower is better"}


@dataclass(frozen=True)
class GroupTable:
    """Groups of one metadata column under one decision rule."""

    column: str
    rule: str
    table: Table


def of(
    content: Content, images: Path | None = None, prefix: str = "", maps: Path | None = None
) -> dict[str, object]:
    """Build everything the template needs for one audit; ``prefix`` keeps the ids of two audits apart."""
    chosen, findings, overall = content.settings, content.findings, content.overall
    return {
        "prefix": prefix,
        "title": words.file_name(chosen.name or "predictions"),
        "facts": settings.facts(chosen),
        "level": words.level(chosen.level),
        "headline": headline(chosen, overall),
        "key": key_table(chosen, overall),
        "matched": matched_table(chosen, overall),
        "warnings": [described(finding) for finding in findings if finding.verdict == "warning"],
        "limits": [
            {
                "text": described(finding),
                "verdict": finding.verdict,
                "bound": words.limit_of(finding.code, chosen.limits.get(finding.code)),
            }
            for finding in tables.limited(findings)
        ],
        **overview.of(content, prefix),
        "reliability": reliability.of(content, prefix),
        **sections(content, prefix, images, maps),
        "groups": group_tables(chosen, findings),
        "gallery": gallery(content.cases, images),
        "has_severity": chosen.has_severity,
        "findings": [described(finding) for finding in findings],
        "not_supplied": chosen.not_supplied,
        "settings": settings.rows(chosen),
        "severity": settings.severity(chosen),
    }


def sections(content: Content, prefix: str, images: Path | None, maps: Path | None) -> dict[str, object]:
    """Build the sections an audit may lack; None for those it does."""
    parts = content.sections
    return {
        "explanation": parts.explanation and explanation.of(parts.explanation, prefix, images, maps),
        "policies": parts.deferral and deferral.of(parts.deferral, prefix, images),
        "members": parts.members and members.of(parts.members, prefix),
        "failures": parts.failures and failures.of(parts.failures, prefix, images),
        "checklist": checklist.of(parts.checklist, content.settings.partitions, prefix)
        if parts.checklist
        else None,
    }


def headline(settings: Settings, overall: Sequence[Finding]) -> dict[str, object]:
    """Say the first sentence, and draw one grid of dots per decision rule."""
    share = words.level(settings.level)
    pictures, lead, why = [], "", ""
    for rule in tables.rules(overall):
        judged = [finding for finding in overall if tables.rule(finding) == rule]
        errors, rate = tables.pick(judged, "critical_errors"), tables.pick(judged, "cer")
        sentence = words.headline(errors, rate, settings.critical, share)
        why = why or next((finding.why for finding in (rate, errors) if finding and finding.why), "")
        if not sentence or errors is None or errors.value is None or rate is None:
            continue
        lead = lead or sentence
        missed, total = int(errors.value), errors.n
        svg, per = drawings.dots(missed, total)
        pictures.append(
            {
                "name": tables.rule_name(rule),
                "missed": words.number(missed, "n"),
                "total": words.number(total, "n"),
                "svg": svg,
                "per": per,
                "rate": tables.cell(rate, tone="critical"),
            }
        )
    if lead:
        return {"lead": lead, "pictures": pictures, "defined": defined(settings.critical), "why": ""}
    lead = words.accuracy_headline(tables.pick(overall, "accuracy"), share)
    return {"lead": lead, "pictures": [], "defined": "", "why": why or "no severity was given"}


def defined(critical: Sequence[tuple[str, str]]) -> str:
    """Say which answers count as critical errors.

    >>> defined([("ill", "well")])
    'Critical error: ill called well.'
    """
    if not critical:
        return ""
    if len(critical) > MOST_PAIRS:
        trues = dict.fromkeys(true for true, _ in critical)
        classes = ", ".join(trues) if len(trues) <= 2 * MOST_PAIRS else f"{len(trues)} classes"
        return f"Critical classes: {classes}. The {len(critical)} critical cells are marked under Confusion."
    return "Critical error: " + "; ".join(f"{true} called {called}" for true, called in critical) + "."


def key_table(settings: Settings, overall: Sequence[Finding]) -> Table:
    """Set the critical error rate beside what it must never be read without, one row per decision rule."""
    judged = [finding for finding in overall if finding.decision is not None]
    columns = KEY_CODES if settings.has_severity else PLAIN_KEY_CODES
    if not judged:
        judged, columns = [*overall], PLAIN_KEY_CODES

    def row(finding: Finding) -> str:
        return words.opening(tables.rule_name(tables.rule(finding)))

    return tables.tabulate(judged, row, columns, settings.limits, zoom=False)


def matched_table(settings: Settings, overall: Sequence[Finding]) -> Table:
    """Lay out the critical error rate at the same specificities, read on these rows and as deployed."""
    judged = [
        finding
        for finding in overall
        if settings.critical and finding.code in MATCHED_CODES and finding.calibrated in settings.states
    ]

    def row(finding: Finding) -> str:
        threshold = "threshold read on these rows"
        if finding.decision is not None:
            threshold = tables.rule_name(("operating", "none"))
        return words.opening(f"{threshold}, {words.calibrated(finding.calibrated or 'none')}")

    return tables.tabulate(judged, row, MATCHED_CODES, settings.limits, zoom=False)


def group_tables(settings: Settings, findings: Sequence[Finding]) -> list[GroupTable]:
    """Lay out, per metadata column, one row for everybody and one per group, under the main decision."""
    main = next(iter(tables.rules(findings)), None)
    # Group calibration is shown for the probabilities as supplied.
    judged = [
        finding
        for finding in findings
        if (finding.decision is None and finding.calibrated in (None, "none"))
        or (finding.decision is not None and tables.rule(finding) == main)
    ]
    laid_out = []
    for column, values in tables.groups(findings, settings.by):
        names = {"all": "All cases", **{group: value for value, group in values}}
        listed = [finding for finding in judged if finding.group in names]
        listed.sort(key=lambda finding: finding.group != "all")

        def row(finding: Finding, names: Mapping[str, str] = names) -> str:
            return names[finding.group]

        table = tables.tabulate(listed, row, GROUP_CODES, settings.limits)
        laid_out.append(GroupTable(column, tables.rule_name(main) if main else "", table))
    return laid_out


def gallery(cases: Iterable[Case], images: Path | None) -> list[dict[str, object]]:
    """Describe the most confident critical errors, with their pictures where they may be shown."""
    return [
        {
            **{key: case.get(key) for key in ("id", "label", "predicted", "bayes", "silent", "patient")},
            "picture": thumbnails.embed(case.get("path"), images),
            "confidence": words.number(case.get("confidence"), "accuracy"),
            "cost": f"{case['cost']:g}" if case.get("cost") is not None else "",
        }
        for case in tables.confident_misses(cases)
    ]


def described(finding: Finding) -> dict[str, str]:
    """Spell one finding out for the table of all findings."""
    decided = finding.decision is not None and finding.calibrated == "none"
    return {
        "name": words.label(finding),
        "code": finding.code,
        "value": words.number(finding.value, finding.code),
        "span": words.interval(finding) or words.NOTHING,
        "n": words.number(finding.n, "n"),
        "group": "all cases" if finding.group == "all" else finding.group,
        "decision": words.decision(finding.decision),
        "score": finding.score or "",
        "calibrated": "" if decided else words.calibrated(finding.calibrated),
        "policy": finding.policy or "",
        "better": BETTER.get(finding.better or "", ""),
        "verdict": words.VERDICTS.get(finding.verdict, finding.verdict),
        "why": finding.why,
    }
