"""The wrong answers by kind, with the evidence behind each name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How many failures are of one kind.

    Attributes:
        category: one of the four, or ``undetermined``. name, advice: for people. n: failures.
        critical: critical errors among them. share, low, high: of all failures, None without any.
    """

    category: str
    name: str
    advice: str = ""
    n: int
    critical: int = 0
    share: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Source:
    """One source of evidence. used: whether its needs were met. why_not: what it lacked, or empty."""

    name: str
    category: str
    used: bool
    why_not: str = ""


@dataclass(frozen=True, kw_only=True)
class ColumnPull:
    """A value of a metadata column that draws answers towards a class.

    Attributes:
        column, value: of the metadata. towards: the class. rows: cases that carry the value.
        excess: answers of the class beyond expectation, per such case. p: Holm-adjusted.
    """

    column: str
    value: str
    towards: str
    rows: int
    excess: float
    p: float


@dataclass(frozen=True, kw_only=True)
class UntestedColumn:
    """A column that was not tested, and why."""

    column: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One wrong answer.

    Attributes:
        id: of the case. label, predicted: class names. confidence: of the answer.
        critical: None without critical cells. category: its kind. evidence: category → 0 to 1.
        sentence, advice: for people. path: of the image, or None.
    """

    id: str
    label: str
    predicted: str
    confidence: float
    critical: bool | None = None
    category: str
    evidence: Mapping[str, float]
    sentence: str
    advice: str = ""
    path: str | None = None


@dataclass(frozen=True, kw_only=True)
class FailuresSection:
    """Counts by kind, the evidence there was, and up to 200 failures: critical ones first, then the surest.

    Attributes:
        n: judged cases. failures: wrong answers among them. categories: every kind, ``undetermined`` last.
        evidence: every source. pulls: of metadata columns. columns_left_out: columns that were not tested.
        rows: the first three failures of every kind are always among them.
    """

    n: int = 0
    failures: int = 0
    categories: Sequence[Kind] = ()
    evidence: Sequence[Source] = ()
    pulls: Sequence[ColumnPull] = ()
    columns_left_out: Sequence[UntestedColumn] = ()
    rows: Sequence[Failure] = ()
