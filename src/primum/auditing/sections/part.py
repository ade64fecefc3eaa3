"""What one file of this folder gives back, and all of them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from primum.judge.finding import Finding
from primum.judge.sections.content import Sections

Content = TypeVar("Content")


@dataclass(frozen=True, eq=False)
class Part(Generic[Content]):
    """A section and what it adds elsewhere in the audit.

    Attributes:
        content: of the section, or None. findings: numbers of the section, none judged against a limit yet.
        settings: sentences on what was done, for the checklist.
        columns: of the table of cases, in the order of rows.
    """

    content: Content | None = None
    findings: Sequence[Finding] = ()
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    columns: Mapping[str, list[object]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Assembly:
    """All sections that are computed before limits are judged; fields as of :class:`Part`."""

    sections: Sections
    findings: list[Finding]
    settings: dict[str, Mapping[str, str]]
    columns: dict[str, list[object]]
