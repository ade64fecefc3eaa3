"""Every section of an audit: those that add findings first, those that read judged findings last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from primum.auditing.options import Options
from primum.auditing.preparation import Prepared
from primum.auditing.sections import (
    checklist,
    deferral,
    explanation,
    failures,
    members,
    overview,
    reliability,
)
from primum.auditing.sections.part import Assembly
from primum.auditing.supplements import Supplements
from primum.judge.answers import View
from primum.judge.finding import Finding
from primum.judge.sections.content import Sections


def assemble(
    prepared: Prepared, opts: Options, supplements: Supplements, findings: Sequence[Finding]
) -> Assembly:
    """What the judged rows, their findings and what was supplied beside them say beyond the metrics."""
    silent = deferral.section(prepared, opts, supplements)
    several = members.section(prepared, opts, supplements)
    wrong = failures.section(prepared, opts, supplements)
    mapped = explanation.section(prepared, findings)
    parts = (silent, several, wrong, mapped)
    return Assembly(
        Sections(
            deferral=silent.content,
            members=several.content,
            failures=wrong.content,
            explanation=mapped.content,
        ),
        [finding for part in parts for finding in part.findings],
        {name: sentences for part in parts for name, sentences in part.settings.items()},
        {name: column for part in parts for name, column in part.columns.items()},
    )


def complete(
    sections: Sections,
    views: Mapping[str, View],
    findings: Sequence[Finding],
    settings: Mapping[str, Any],
    supplements: Supplements,
) -> Sections:
    """Add what needs the judged findings and the settings of the whole audit.

    Args:
        sections: of :func:`assemble`. views: ``"all"`` and ``"column=value"`` → rows.
        findings: of all of them, judged. settings: of the audit, with those of the sections.
    """
    view = views["all"]
    return replace(
        sections,
        confusion=overview.confusions(views),
        reliability=reliability.diagrams(views, settings["recalibrator"], settings["classes"]),
        risk_coverage=overview.risk_coverages(view),
        cost=overview.rule_costs(findings),
        checklist=checklist.section(settings, findings, supplements),
    )
