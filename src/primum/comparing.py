"""Two models on the same cases: ``primum.compare`` and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from primum import __version__, check, tables
from primum.auditing import Audit, audit_prepared
from primum.check import InputError
from primum.finding import Finding, found, not_applicable
from primum.judge import interval
from primum.judge.answers import View
from primum.judge.groups import groups
from primum.judge.interval import Estimate, Floats
from primum.judge.measure import Measured, measure
from primum.options import Options, options
from primum.preparing import Prepared, prepare
from primum.saving import WORST, Saved
from primum.severity import SeverityMatrix

SCHEMA = "primum.comparison/1"


@dataclass(frozen=True, eq=False)
class Comparison(Saved):
    """Paired differences, second minus first, with the audit of each side.

    Attributes:
        settings: what was compared and how. findings: the differences.
        first, second: the audits. cases: one row per shared case with both answers.
    """

    settings: Mapping[str, Any]
    findings: list[Finding]
    first: Audit
    second: Audit
    cases: pl.DataFrame = field(default_factory=pl.DataFrame)

    def to_dict(self) -> dict[str, Any]:
        """The content of ``audit.json`` of a comparison, schema ``primum.comparison/1``."""
        return {
            "schema": SCHEMA,
            "settings": dict(self.settings),
            "findings": [finding.to_dict() for finding in self.findings],
            "first": self.first.to_dict(),
            "second": self.second.to_dict(),
            "cases": self.cases.head(WORST).to_dicts(),
        }


def compare(
    first: Any,
    second: Any,
    severity: SeverityMatrix | str | Path | None = None,
    fit: tuple[Any, Any] | None = None,
    by: Sequence[str] = (),
    columns: Mapping[str, str] | None = None,
    critical: Sequence[str | Sequence[str]] = (),
    prior: Mapping[str, float] | None = None,
    limits: str | Path | Mapping[str, Any] | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
    progress: Callable[[Finding], object] | None = None,
) -> Comparison:
    """Compare two models on the same cases, pairing them by id.

    Args:
        first, second: tables as for :func:`primum.audit`; both must hold the same judged ids and labels.
        fit: fit tables of the first and the second, or None for the ``split=cal`` rows of each.
        limits: judge each side, as in an audit; differences have none.

    The other arguments are those of :func:`primum.audit`. Probabilities recalibrated by the best of each side
    are compared under the name ``best``.

    Raises:
        InputError: also when ids, classes or labels differ between the two.
    """
    tables_read = [tables.read(side, columns) for side in (first, second)]
    if tables_read[0].name == tables_read[1].name:
        names = ("first", "second") if not isinstance(first, str | Path) else _apart(first, second)
        tables_read = [replace(table, name=name) for table, name in zip(tables_read, names, strict=True)]
    fits = [None, None] if fit is None else [tables.read(side, columns) for side in fit]
    check.same_classes(
        tables_read[1].classes, tables_read[0].classes, tables_read[1].name, tables_read[0].name
    )
    prepared = []
    for table, fitted in zip(tables_read, fits, strict=True):
        opts = options(table.classes, table.name, severity, critical, prior, limits, by, bootstrap, seed)
        prepared.append(prepare(_by_id(table), fitted, opts))
    left, right = prepared
    _same_cases(left, right)
    opts = options(left.test.classes, left.test.name, severity, critical, prior, None, by, bootstrap, seed)
    findings = []
    for finding in differences(left, right, opts):
        findings.append(finding)
        if progress is not None:
            progress(finding)
    cases = left.test.metadata.select([c for c in left.test.metadata.columns if c not in ("label",)])
    both = pl.DataFrame({"id": left.test.ids, "label": _names(left, left.test.labels)}).with_columns(
        *(
            pl.Series(f"{side}_{rule}", _names(part, part.view.answers[rule].decisions))
            for side, part in (("first", left), ("second", right))
            for rule in part.view.answers
        ),
        pl.Series("first_confidence", left.view.answers["argmax"].confidence["msr"]),
        pl.Series("second_confidence", right.view.answers["argmax"].confidence["msr"]),
        *(cases[column] for column in cases.columns if column != "id"),
    )
    side_options = [
        options(part.test.classes, part.test.name, severity, critical, prior, limits, by, bootstrap, seed)
        for part in prepared
    ]
    audits = [audit_prepared(part, o, progress) for part, o in zip(prepared, side_options, strict=True)]
    info = {
        "first": left.test.name,
        "second": right.test.name,
        "n": len(left.test),
        "by": list(opts.by),
        "bootstrap": bootstrap,
        "seed": seed,
        "level": interval.LEVEL,
        "version": __version__,
    }
    differ = (both["first_argmax"] != both["second_argmax"]).to_numpy()
    return Comparison(info, findings, audits[0], audits[1], both[np.argsort(~differ, kind="stable")])


def _apart(first: str | Path, second: str | Path) -> tuple[str, str]:
    """Names of two files that are called the same, from the last folders where their paths differ."""
    left, right = Path(first).resolve().parts, Path(second).resolve().parts
    start = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), 0)
    names = "/".join(left[start:]), "/".join(right[start:])
    return names if names[0] != names[1] else ("first", "second")


def _names(prepared: Prepared, index: Any) -> pl.Series:
    return pl.Series("name", list(prepared.test.classes)).gather(index)


def _by_id(table: Any) -> Any:
    return table.take(table.ids.arg_sort().to_numpy())


def _same_cases(left: Prepared, right: Prepared) -> None:
    a, b = left.test, right.test
    only = len(set(a.ids) ^ set(b.ids))
    if only:
        raise InputError(
            f"{a.name} and {b.name}: a paired comparison needs the same judged ids on both sides, "
            f"{only} stand on one side only; compare on the cases both have"
        )
    labels = np.array(b.classes)[b.labels] != np.array(a.classes)[a.labels]
    if labels.any():
        raise InputError(
            f"{a.name} and {b.name}: the labels of {int(labels.sum())} cases differ; use one reference"
        )


def differences(left: Prepared, right: Prepared, opts: Options) -> Iterator[Finding]:
    """Every metric as second minus first, overall and by group."""
    views = {"all": (left.view, right.view)}
    for name, rows in groups(left.test.metadata, opts.by):
        views[name] = (left.view.take(rows), right.view.take(rows))
    for group, (a, b) in views.items():
        others = {_key(m, right): m for m in measure(b)}
        for measured in measure(a):
            key = _key(measured, left)
            if key in others and not (
                measured.calibrated not in (None, "none", best(left)) and not measured.decision
            ):
                yield difference(measured, others[key], a, b, group, key)


def best(prepared: Prepared) -> str:
    """Name of the recalibrator used, ``none`` without fit rows."""
    return "none" if prepared.chosen is None else prepared.chosen.best


def _key(measured: Measured, prepared: Prepared) -> tuple[str | None, ...]:
    calibrated = measured.calibrated
    if measured.decision == "bayes":
        calibrated = "best"
    elif calibrated not in (None, "none"):
        calibrated = "best" if calibrated == best(prepared) else calibrated
    return measured.code, measured.decision, measured.score, calibrated


def difference(
    a: Measured, b: Measured, view_a: View, view_b: View, group: str, key: tuple[str | None, ...]
) -> Finding:
    """Second minus first of one metric, with its paired interval."""
    where: dict[str, Any] = {"group": group, "decision": key[1], "score": key[2], "calibrated": key[3]}
    for side, measured in (("first", a), ("second", b)):
        if measured.why_not:
            return not_applicable(a.code, f"{side}: {measured.why_not}", a.n, **where)
    finding = found(a.code, _paired(a, b, view_a, view_b), **where)
    return replace(finding, name=f"{finding.name}, second − first")


def _paired(a: Measured, b: Measured, view_a: View, view_b: View) -> Estimate:
    value = b.value - a.value
    span = a.bounds[1] - a.bounds[0]
    if a.influence is not None and b.influence is not None:
        error = interval.influence_error(b.influence - a.influence, view_a.clusters)
        if error > 1e-12:
            return interval.normal(value, error, a.n)
        return interval.unmoved(value, a.weakest, (value - span / 2, value + span / 2))
    draws = _replicates(b, view_b) - _replicates(a, view_a)
    if np.ptp(draws) > 1e-12:
        return interval.from_replicates(value, draws, a.n, a.kind)
    if a.hits is not None:
        span = float(a.n) if a.count else 1.0
    half = span if np.isfinite(span) else 1.0
    return interval.unmoved(
        value, a.n if a.hits is not None else a.weakest, (value - half / 2, value + half / 2)
    )


def _replicates(measured: Measured, view: View) -> Floats:
    if measured.replicates is not None:
        return measured.replicates
    assert measured.hits is not None
    assert measured.among is not None
    bins = np.zeros(len(measured.hits), dtype=np.int64)
    hits = view.resampler.sums(bins, 1, (measured.hits & measured.among).astype(np.float64))[:, 0]
    cases = view.resampler.sums(bins, 1, measured.among.astype(np.float64))[:, 0]
    share = hits / np.maximum(cases, 1)
    return share * measured.n if measured.count else share
