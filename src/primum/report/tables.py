"""Tables of the page: findings picked and laid out in rows and columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from markupsafe import Markup

from primum.judge.finding import Finding
from primum.judge.metrics.table import METRICS
from primum.report import drawings, words
from primum.report.content import Case

CRITICAL_CODES = {metric.code for metric in METRICS.values() if metric.critical}
Limits = Mapping[str, Mapping[str, float]]
Rule = tuple[str, str]  # the decision, and the state of the probabilities it used


class Decided(Protocol):
    """What belongs to one decision rule."""

    @property
    def decision(self) -> str | None: ...
    @property
    def calibrated(self) -> str | None: ...


@dataclass(frozen=True)
class Cell:
    """What the macro ``value`` reads: a value, its interval written and drawn, n, and its verdict."""

    value: str
    span: str | Markup
    n: str | None
    bar: Markup
    verdict: str = ""
    verdict_text: str = ""
    critical: bool = False


@dataclass(frozen=True)
class Column:
    """Head of a column and the ends of the scale its intervals are drawn on."""

    name: str
    scale: str
    code: str = ""


@dataclass(frozen=True)
class Row:
    """One row; a cell is None where nothing was looked at."""

    name: str
    cells: Sequence[Cell | None]


@dataclass(frozen=True)
class Table:
    """What the macros ``cells`` and ``numbers`` read. missing: one line for each reason."""

    columns: Sequence[Column] = ()
    rows: Sequence[Row] = ()
    missing: Sequence[str] = ()


def pick(findings: Iterable[Finding], code: str) -> Finding | None:
    """Return the first finding with this code."""
    return next((finding for finding in findings if finding.code == code), None)


def rule(decided: Decided) -> Rule:
    """Return how an answer was decided."""
    return decided.decision or "", decided.calibrated or "none"


def rule_name(rule: Rule) -> str:
    """Name a decision rule in plain words, saying when the probabilities were recalibrated first.

    >>> rule_name(("bayes", "vector"))
    'least expected cost (Bayes), recalibrated (vector)'
    """
    state = "" if rule[1] == "none" else words.calibrated(rule[1])
    return ", ".join(part for part in (words.decision(rule[0] or None), state) if part)


def short_name(rule: Rule) -> str:
    """Name a decision rule where space is short.

    >>> short_name(("bayes", "vector"))
    'Bayes · vector'
    """
    decision = "Bayes" if rule[0] == "bayes" else words.decision(rule[0] or None)
    return " · ".join(part for part in (decision, "" if rule[1] == "none" else rule[1]) if part)


def rules(findings: Iterable[Finding]) -> list[Rule]:
    """Return the rules that were judged: the supplied decision first, then argmax, Bayes and others."""
    order = list(words.DECISIONS)

    def place(rule: Rule) -> tuple[int, str, bool, str]:
        rank = order.index(rule[0]) if rule[0] in order else len(order)
        return rank, rule[0], rule[1] != "none", rule[1]

    return sorted({rule(finding) for finding in findings if finding.decision is not None}, key=place)


def present(findings: Iterable[Finding], codes: Sequence[str]) -> list[str]:
    """Return those of ``codes`` that were looked at, in their order."""
    judged = {finding.code for finding in findings}
    return [code for code in codes if code in judged]


def cell(
    finding: Finding | None,
    tone: str = "plain",
    ends: tuple[float, float] = (0.0, 1.0),
    limits: Limits | None = None,
) -> Cell | None:
    """Spell one finding out for a table: value, interval, n, and the interval drawn between ``ends``."""
    if finding is None:
        return None
    mark = _mark(limits, finding.code)
    return Cell(
        words.number(finding.value, finding.code),
        words.interval(finding),
        n=words.number(finding.n, "n"),
        bar=drawings.interval(finding.value, finding.low, finding.high, *ends, tone, mark),
        verdict=finding.verdict,
        verdict_text=words.VERDICTS.get(finding.verdict, ""),
        critical=tone == "critical",
    )


def tabulate(
    findings: Iterable[Finding],
    name: Callable[[Finding], str],
    codes: Sequence[str],
    limits: Limits | None = None,
    *,
    zoom: bool = True,
) -> Table:
    """Lay findings out, one row per ``name`` and one column per code; the first finding of a cell wins.

    Args:
        findings: what to lay out; rows keep their order.
        name: the row a finding belongs to.
        codes: the columns; those without a single value are left out, their reasons are not.
        limits: the user's limits, drawn as a mark.
        zoom: scale the drawn intervals of a column to its largest value instead of 0 to 1.
    """
    listed = [finding for finding in findings if finding.code in codes]
    columns = present([finding for finding in listed if finding.value is not None], codes)
    rows: dict[str, dict[str, Finding]] = {}
    for finding in listed:
        rows.setdefault(name(finding), {}).setdefault(finding.code, finding)
    ends = {code: _ends(listed, code, zoom, _mark(limits, code)) for code in columns}
    tones = {code: "critical" if code in CRITICAL_CODES else "plain" for code in columns}
    return Table(
        [Column(words.SHORT.get(code, code), words.scale(*ends[code], code), code) for code in columns],
        [
            Row(row, [cell(entries.get(code), tones[code], ends[code], limits) for code in columns])
            for row, entries in rows.items()
            if columns
        ],
        _missing(listed),
    )


def _ends(findings: Sequence[Finding], code: str, zoom: bool, mark: float | None) -> tuple[float, float]:
    """Choose round ends of a scale that holds zero, the limit, and every value and interval of a column."""
    if code in words.RATES and not zoom:
        return 0.0, 1.0
    values = [0.0, mark or 0.0]
    for finding in findings:
        if finding.code == code:
            values += [finding.low or 0.0, finding.value or 0.0, finding.high or 0.0]
    start, end = 0.0 - _round_up(-min(values)), _round_up(max(values))
    return start, 1.0 if code in words.RATES and end > 0.5 else end


def _mark(limits: Limits | None, code: str) -> float | None:
    return next(iter((limits or {}).get(code, {}).values()), None)


def _round_up(value: float) -> float:
    if value <= 0:
        return 0.0
    steps = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
    return next((step for step in steps if value <= step), float(value))


def _missing(findings: Iterable[Finding]) -> list[str]:
    """Say once for each reason what was not computed."""
    reasons: dict[str, dict[str, None]] = {}
    for finding in findings:
        if finding.verdict == "not_applicable":
            reasons.setdefault(finding.why or "no reason given", {})[words.label(finding)] = None
    return [f"{', '.join(names)}: {why}" for why, names in reasons.items()]


def groups(findings: Sequence[Finding], columns: Sequence[str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return, per metadata column, its groups as (value on the page, group as written in the findings)."""
    names = list(dict.fromkeys(finding.group for finding in findings))
    by_column = [
        (column, [(name.removeprefix(f"{column}="), name) for name in names if name.startswith(f"{column}=")])
        for column in columns
    ]
    return [(column, values) for column, values in by_column if values]


def at_coverages(
    coverage: Sequence[float], risk: Sequence[float], shares: Sequence[float]
) -> list[tuple[float, float]]:
    """Read a curve at its points nearest to some coverages, as (coverage, risk).

    >>> at_coverages([0.1, 0.5, 1.0], [0.0, 0.1, 0.2], [0.9])
    [(1.0, 0.2)]
    """
    if not len(coverage):
        return []
    nearest = [min(range(len(coverage)), key=lambda at: abs(coverage[at] - share)) for share in shares]
    return [(coverage[at], risk[at]) for at in nearest]


def limited(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that were judged against a limit, those that failed first."""
    order = {"failed": 0, "inconclusive": 1, "passed": 2}
    judged = [finding for finding in findings if finding.verdict in order]
    return sorted(judged, key=lambda finding: order[finding.verdict])


def confident_misses(cases: Iterable[Case], limit: int = 10) -> list[Case]:
    """Return the critical errors the model was surest of."""
    missed = [case for case in cases if case.get("critical")]
    missed.sort(key=lambda case: (-float(case.get("confidence") or 0.0), str(case.get("id"))))
    return missed[:limit]
