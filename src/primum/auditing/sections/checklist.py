"""The reporting checklist, filled once settings and findings are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from primum.auditing.checklist import fill
from primum.auditing.supplements import Supplements
from primum.judge.finding import Finding
from primum.judge.sections.checklist import Entry


def section(
    settings: Mapping[str, Any], findings: Sequence[Finding], supplements: Supplements
) -> list[Entry]:
    """Every item, in the order of the lists."""
    return fill(settings, findings, supplements.study)
