"""A sentence the checklist may say, and what it may be drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Fact(NamedTuple):
    """A sentence, and the section of the report (or the file) it comes from."""

    said: str
    where: str


class Facts(NamedTuple):
    """Settings and findings of an audit, as in ``audit.json``."""

    settings: Mapping[str, Any]
    findings: Sequence[Mapping[str, Any]]

    def source(self, key: str) -> Any:
        """What the table says of its origin under ``key``."""
        return (self.settings.get("source") or {}).get(key)

    def partition(self, name: str) -> Mapping[str, Any]:
        """Who is in the judged (``test``) or the ``fit`` rows; empty where not known."""
        return (self.settings.get("partitions") or {}).get(name) or {}

    def codes(self) -> set[str]:
        """Codes of the warnings."""
        return {str(one.get("code")) for one in self.findings if one.get("verdict") == "warning"}


def section(facts: Facts, name: str, key: str, where: str) -> Fact | None:
    """The sentence that a part of the audit says of itself, where that part was made."""
    part = facts.settings.get(name)
    said = part.get(key) if isinstance(part, Mapping) else None
    return Fact(str(said), where) if said else None
