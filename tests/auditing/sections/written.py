"""Sections as they stand in ``audit.json``, computed from arrays."""

from __future__ import annotations

from typing import Any

from primum.auditing.checklist import fill
from primum.auditing.sections import deferral as deferrals
from primum.auditing.sections import explanation as explanations
from primum.auditing.sections import failures as kinds
from primum.auditing.sections import members as several
from primum.auditing.sections import reliability as diagrams
from primum.judge.finding import Finding
from primum.judge.sections.content import Sections

NOTHING = {"name": "", "value": None, "low": None, "high": None, "n": 0}


def deferral(*arguments: Any, **options: Any) -> Any:
    section = deferrals.failure_costs(*arguments, **options)
    return Sections(deferral=section).to_dict()["deferral"]


def members(*arguments: Any, **options: Any) -> Any:
    section = several.compare_members(*arguments, **options)
    return Sections(members=section).to_dict()["members"]


def failures(*arguments: Any, **options: Any) -> Any:
    section = kinds.list_failures(*arguments, **options)
    return Sections(failures=section).to_dict()["failures"]


def explanation(view: Any, ids: Any, classes: Any, metadata: Any, source: Any, findings: Any = ()) -> Any:
    section = explanations.summarize_maps(
        view, ids, classes, metadata=metadata, source=source, findings=findings
    )
    return Sections(explanation=section).to_dict().get("explanation")


def reliability(*arguments: Any, **options: Any) -> Any:
    section = diagrams.diagrams(*arguments, **options)
    return Sections(reliability=section).to_dict()["reliability"]


def entries(settings: Any, findings: Any, about: Any = None) -> Any:
    judged = [one if isinstance(one, Finding) else Finding.from_dict(NOTHING | one) for one in findings]
    return Sections(checklist=fill(settings, judged, about)).to_dict()["checklist"]
