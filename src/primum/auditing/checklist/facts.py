"""A sentence the checklist may say, and what it may be drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from primum.judge.finding import Finding


class Fact(NamedTuple):
    """A sentence, and the section of the report (or the file) it comes from."""

    sentence: str
    place: str


class Facts(NamedTuple):
    """Settings of an audit, as in ``audit.json``, and its findings."""

    settings: Mapping[str, Any]
    findings: Sequence[Finding]

    def source(self, key: str) -> Any:
        """What the table says of its origin under ``key``."""
        return (self.settings.get("source") or {}).get(key)

    def partition(self, name: str) -> Mapping[str, Any]:
        """Who is in the judged (``test``) or the ``fit`` rows; empty where not known."""
        return (self.settings.get("partitions") or {}).get(name) or {}

    def codes(self) -> set[str]:
        """Codes of the warnings."""
        return {finding.code for finding in self.findings if finding.verdict == "warning"}


def section(facts: Facts, name: str, key: str, place: str) -> Fact | None:
    """The sentence that a part of the audit says of itself, where that part was computed."""
    part = facts.settings.get(name)
    sentence = part.get(key) if isinstance(part, Mapping) else None
    return Fact(str(sentence), place) if sentence else None
