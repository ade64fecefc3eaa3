"""Turn one audit into what the template shows: sentences, table rows, pictures; no statistics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from primum.judge.metrics.table import codes
from primum.report import drawings, panels, settings, tables, thumbnails, words
from primum.report.sections import checklist, deferral, explanation, failures, members, reliability
from primum.report.words import Finding

KEY_CODES = codes("key")
PLAIN_KEY_CODES = codes("key_without_severity")
MATCHED_CODES = codes("matched")
GROUP_CODES = codes("groups")
MOST_PAIRS = 4


def of(
    audit: Mapping[str, Any], images: Path | None = None, prefix: str = "", maps: Path | None = None
) -> dict[str, Any]:
    """Build everything the template needs for one audit; ``prefix`` keeps the ids of two audits apart."""
    given = audit.get("settings") or {}
    findings: list[Finding] = list(audit.get("findings") or [])
    overall = [finding for finding in findings if (finding.get("group") or "all") == "all"]
    return {
        "prefix": prefix,
        "title": words.file_name(given.get("name") or "predictions"),
        "facts": settings.facts(given),
        "level": words.level(given),
        "headline": headline(given, overall),
        "key": key_table(given, overall),
        "matched": matched_table(given, overall),
        "warnings": [described(one) for one in findings if one.get("verdict") == "warning"],
        "limits": [
            {**one, "said": described(one["finding"])} for one in tables.limits(findings, given.get("limits"))
        ],
        **panels.of(audit, overall, prefix),
        "reliability": reliability.of(audit, prefix),
        **sections(audit.get("curves") or {}, given, prefix, images, maps),
        "groups": group_tables(given, findings),
        "gallery": gallery(audit.get("cases") or [], images),
        "has_severity": bool(given.get("severity")) or bool(given.get("critical")),
        "findings": [described(finding) for finding in findings],
        "not_supplied": [str(line) for line in given.get("not_supplied") or []],
        "settings": settings.rows(given),
        "severity": settings.severity(given),
    }


def sections(
    curves: Mapping[str, Any], given: Mapping[str, Any], prefix: str, images: Path | None, maps: Path | None
) -> dict[str, Any]:
    """Build the sections an audit may lack; None for those it does."""
    answered = {"checklist": curves.get("checklist"), "partitions": given.get("partitions")}
    explained = curves.get("explanation")
    return {
        "explanation": explanation.of(explained, prefix, images, maps) if explained else None,
        "policies": deferral.of(curves["deferral"], prefix) if curves.get("deferral") else None,
        "members": members.of(curves["members"], prefix) if curves.get("members") else None,
        "failures": failures.of(curves["failures"], prefix, images) if curves.get("failures") else None,
        "checklist": checklist.of(answered, prefix) if curves.get("checklist") else None,
    }


def headline(given: Mapping[str, Any], overall: Sequence[Finding]) -> dict[str, Any]:
    """Say the first sentence, and draw one grid of dots per decision rule."""
    share = words.level(given)
    critical = given.get("critical") or []
    pictures, lead, why = [], "", ""
    for rule in tables.rules(overall):
        mine = [finding for finding in overall if tables.rule(finding) == rule]
        errors, rate = tables.pick(mine, "critical_errors"), tables.pick(mine, "cer")
        said = words.headline(errors, rate, critical, share)
        why = why or next((str(one.get("why")) for one in (rate, errors) if one and one.get("why")), "")
        if not said or errors is None or rate is None:
            continue
        lead = lead or said
        missed, total = int(errors["value"]), int(errors.get("n") or 0)
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
        return {"lead": lead, "pictures": pictures, "defined": defined(critical), "why": ""}
    lead = words.accuracy_headline(tables.pick(overall, "accuracy"), share)
    return {"lead": lead, "pictures": [], "defined": "", "why": why or "no severity was given"}


def defined(critical: Sequence[Sequence[str]]) -> str:
    """Say which answers count as critical errors."""
    if not critical:
        return ""
    if len(critical) > MOST_PAIRS:
        trues = dict.fromkeys(str(true) for true, _ in critical)
        classes = ", ".join(trues) if len(trues) <= 2 * MOST_PAIRS else f"{len(trues)} classes"
        return f"Critical classes: {classes}. The {len(critical)} critical cells are marked under Confusion."
    return "Critical error: " + "; ".join(f"{true} called {called}" for true, called in critical) + "."


def key_table(given: Mapping[str, Any], overall: Sequence[Finding]) -> dict[str, Any]:
    """Set the critical error rate beside what it must never be read without, one row per decision rule."""
    judged = [finding for finding in overall if finding.get("decision") is not None]
    wanted = KEY_CODES if given.get("critical") or given.get("severity") else PLAIN_KEY_CODES
    if not judged:
        judged, wanted = [*overall], PLAIN_KEY_CODES
    limits = given.get("limits")

    def row(one: Finding) -> str:
        return words.opening(tables.rule_name(tables.rule(one)))

    return tables.laid_out(judged, row, wanted, limits, zoom=False)


def matched_table(given: Mapping[str, Any], overall: Sequence[Finding]) -> dict[str, Any]:
    """Lay out the critical error rate at the same specificities, read on these rows and as deployed."""
    chosen = {"none", given.get("recalibrator") or "none"}
    mine = [one for one in overall if one.get("code") in MATCHED_CODES and one.get("calibrated") in chosen]
    if not given.get("critical"):
        mine = []

    def row(one: Finding) -> str:
        read = (
            "threshold read on these rows"
            if one.get("decision") is None
            else tables.rule_name(("operating", "none"))
        )
        return words.opening(f"{read}, {words.calibrated(one.get('calibrated') or 'none')}")

    return tables.laid_out(mine, row, MATCHED_CODES, given.get("limits"), zoom=False)


def group_tables(given: Mapping[str, Any], findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Lay out, per metadata column, one row for everybody and one per group, under the main decision."""
    chosen = tables.rules(findings)
    main = chosen[0] if chosen else None
    mine = [one for one in findings if one.get("decision") is None or tables.rule(one) == main]
    # Group calibration is shown for the probabilities as supplied.
    mine = [one for one in mine if one.get("decision") is not None or one.get("calibrated") in (None, "none")]
    made = []
    for column, values in tables.groups(findings, given.get("by") or []):
        names = {"all": "All cases", **{group: value for value, group in values}}
        here = [one for one in mine if (one.get("group") or "all") in names]
        here.sort(key=lambda one: (one.get("group") or "all") != "all")

        def row(one: Finding, names: Mapping[str, str] = names) -> str:
            return names[str(one.get("group") or "all")]

        table = tables.laid_out(here, row, GROUP_CODES, given.get("limits"))
        made.append({"column": column, "rule": tables.rule_name(main) if main else "", **table})
    return made


def gallery(cases: Iterable[Mapping[str, Any]], images: Path | None) -> list[dict[str, Any]]:
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


def described(finding: Finding) -> dict[str, Any]:
    """Spell one finding out for the table of all findings."""
    code = str(finding.get("code", ""))
    decided = finding.get("decision") is not None and finding.get("calibrated") == "none"
    state = "" if decided else words.calibrated(finding.get("calibrated"))
    return {
        "name": words.label(finding),
        "code": code,
        "value": words.number(finding.get("value"), code),
        "span": words.interval(finding) or words.NOTHING,
        "n": words.number(finding.get("n"), "n"),
        "group": "all cases" if (finding.get("group") or "all") == "all" else finding["group"],
        "decision": words.decision(finding.get("decision")),
        "score": finding.get("score") or "",
        "calibrated": state,
        "policy": finding.get("policy") or "",
        "better": {"higher": "higher is better", "lower": "lower is better"}.get(
            str(finding.get("better")), ""
        ),
        "verdict": words.VERDICTS.get(str(finding.get("verdict")), str(finding.get("verdict"))),
        "why": finding.get("why") or "",
    }
