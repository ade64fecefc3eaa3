"""What a report draws, read once from the dictionary of an audit: settings, findings, sections, cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from primum.core.check import InputError
from primum.judge.finding import Finding
from primum.judge.sections.content import Sections, validated

Case = Mapping[str, Any]  # columns of the user's own stand beside ours


@dataclass(frozen=True, kw_only=True)
class Severity:
    """Costs as in a severity file. cost: (K, K), rows true. critical: pairs (true, decided)."""

    name: str | None = None
    classes: Sequence[str] = ()
    cost: Sequence[Sequence[float]] = ()
    critical: Sequence[tuple[str, str]] | None = None
    defer: float | None = None
    unit: str | None = None
    source: str | None = None


@dataclass(frozen=True, kw_only=True)
class Recalibration:
    """A recalibrator that was compared: its cross-validated NLL, or why it was left out."""

    cv_nll: float | None = None
    why_not: str | None = None


@dataclass(frozen=True, kw_only=True)
class Characteristic:
    """A column of people or places: quartiles of a number, or cases of each value; missing cases."""

    column: str
    kind: str = ""
    missing: int = 0
    median: float | None = None
    low: float | None = None
    high: float | None = None
    values: Mapping[str, int] = field(default_factory=dict)
    others: int = 0


@dataclass(frozen=True, kw_only=True)
class Partition:
    """Who is in a set of rows: cases, patients, cases of each class, characteristics."""

    n: int
    patients: int | None = None
    classes: Mapping[str, int] = field(default_factory=dict)
    characteristics: Sequence[Characteristic] = ()


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The fields of ``settings`` that a page shows; ``first`` and ``second`` are those of a comparison."""

    name: str | None = None
    first: str | None = None
    second: str | None = None
    fit: str | None = None
    n: int | None = None
    unlabelled: int | None = None
    other_rows: Mapping[str, int] = field(default_factory=dict)
    classes: Sequence[str] = ()
    severity: Severity | None = None
    critical: Sequence[tuple[str, str]] = ()
    by: Sequence[str] = ()
    prior: Mapping[str, float] = field(default_factory=dict)
    limits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    bootstrap: int | None = None
    seed: int | None = None
    level: float = 0.95
    patients: int | None = None
    operating_coverage: float | None = None
    specificity_thresholds: Mapping[str, float] = field(default_factory=dict)
    recalibrator: str | None = None
    recalibration: Mapping[str, Recalibration] = field(default_factory=dict)
    source: Mapping[str, object] = field(default_factory=dict)
    partitions: Mapping[str, Partition | None] = field(default_factory=dict)
    not_supplied: Sequence[str] = ()
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    version: str | None = None

    @property
    def states(self) -> set[str]:
        """Names of the probabilities in use: as supplied, and as the best recalibrator made them."""
        return {"none", self.recalibrator or "none"}

    @property
    def has_severity(self) -> bool:
        """Whether any error is called critical or costs more than another."""
        return self.severity is not None or bool(self.critical)


@dataclass(frozen=True, eq=False)
class Content:
    """An audit as a report reads it. cases: the worst first, as many as the dictionary holds."""

    settings: Settings
    findings: Sequence[Finding]
    sections: Sections
    cases: Sequence[Case] = ()

    @property
    def overall(self) -> list[Finding]:
        """The findings on all cases."""
        return [finding for finding in self.findings if finding.group == "all"]


def read(audit: Mapping[str, Any]) -> Content:
    """Read the dictionary of an audit or, without its two audits, of a comparison; all of it may be missing.

    >>> read({"settings": {"n": 8}}).settings.n
    8

    Raises InputError naming the first field that is off.
    """
    # null and absent mean the same in every version of the file
    settings = {name: value for name, value in (audit.get("settings") or {}).items() if value is not None}
    try:
        findings = [Finding.from_dict(entry) for entry in audit.get("findings") or []]
    except TypeError as error:
        raise InputError(f"findings of an audit were expected, one is off: {error}") from None
    return Content(
        validated(_settings(), settings, "settings"),
        findings,
        Sections.from_dict(audit.get("curves") or {}),
        audit.get("cases") or [],
    )


@cache
def _settings() -> TypeAdapter[Settings]:
    return TypeAdapter(Settings)
