"""Two models on the same cases: ``primum.compare`` and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from primum import tables
from primum.auditing.audits import Audit, audit_measured, views_of
from primum.auditing.cases import paired_cases
from primum.auditing.options import Options, options
from primum.auditing.output import WORST, Saved, read_json, table_of
from primum.auditing.policy.document import Policy
from primum.auditing.policy.rows import reader_of
from primum.auditing.preparation import Prepared, prepare
from primum.auditing.supplements import Supplements, supplements
from primum.core import check, files
from primum.core.version import __version__
from primum.judge.answers import View
from primum.judge.deferral.measure import deferral
from primum.judge.finding import Basis, Finding, from_estimate, not_applicable
from primum.judge.metrics import combination
from primum.judge.metrics.measure_view import measure
from primum.judge.metrics.measured import Measured
from primum.judge.statistics import interval
from primum.judge.statistics.groups import groups
from primum.predictions import Predictions
from primum.severity import SeverityMatrix
from primum.tables import Columns
from primum.tables.selection import same_cases, select
from primum.tables.truth import with_labels

SCHEMA = "primum.comparison/1"


@dataclass(frozen=True, eq=False, repr=False)
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

    @property
    def title(self) -> str:
        """What was compared, in a line."""
        settings = self.settings
        return f"Comparison, {settings['second']} − {settings['first']}: {settings['n']} cases"

    @classmethod
    def from_json(cls, path: str | Path) -> Comparison:
        """Read a comparison back; its cases are the first 1,000 that the JSON holds."""
        return read_json(path, "a comparison", SCHEMA, cls.from_dict)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Comparison:
        """A comparison from the content of its JSON; KeyError or TypeError where a field is off."""
        findings = [Finding.from_dict(entry) for entry in content["findings"]]
        first, second = (Audit.from_dict(content[side]) for side in ("first", "second"))
        return cls(content["settings"], findings, first, second, table_of(content["cases"]))

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
    first: object,
    second: object,
    severity: SeverityMatrix | str | Path | None = None,
    fit: tuple[object, object] | None = None,
    by: Sequence[str] = (),
    columns: Columns = None,
    critical: Sequence[str | Sequence[str]] = (),
    prior: Mapping[str, float] | None = None,
    limits: str | Path | Mapping[str, object] | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
    progress: Callable[[Finding], object] | None = None,
    policies: tuple[Policy | str | Path, Policy | str | Path] | None = None,
    classes: Sequence[str] | None = None,
    labels: object = None,
    on: str | None = None,
) -> Comparison:
    """Compare two models on the same cases, pairing them by id.

    Args:
        first, second: tables as for :func:`primum.audit`; both must hold the same judged ids and labels.
        fit: fit tables of the first and the second, or None for the ``split=cal`` rows of each.
        limits: judge each side, as in an audit; differences have none.
        policies: a deferral policy of the first and one of the second, each on its own model's answers: what
            they come to is compared too, paired by case.

    The other arguments are those of :func:`primum.audit`. Probabilities recalibrated by the best of each side
    are compared under the name ``best``.

    Raises:
        InputError: also when ids, classes or labels differ between the two.
    """
    each = tables.each(columns)
    sides = [
        tables.read(side, mapping, classes=classes)
        for side, mapping in zip((first, second), each, strict=True)
    ]
    if labels is not None:
        sides = [with_labels(side, labels, on) for side in sides]
    read = _named(sides, first, second)
    fits: list[Predictions | None] = [None, None]
    if fit is not None:
        fits = [
            tables.read(side, mapping, classes=read[0].classes)
            for side, mapping in zip(fit, each, strict=True)
        ]
    check.same_classes(read[1].classes, read[0].classes, read[1].name, read[0].name)
    # both sides in one order: the bootstrap then draws the same cases for either, which pairs the replicates
    rows = [select(_by_id(table), fitted) for table, fitted in zip(read, fits, strict=True)]
    rows = list(same_cases(rows[0], rows[1]))
    opts_of = [
        options(
            side.test.classes, side.test.name, severity,
            critical=critical, prior=prior, limits=limits, by=by, bootstrap=bootstrap, seed=seed,
        )
        for side in rows
    ]  # fmt: skip
    supplied = [
        supplements(side.test, side, policies=() if policies is None else (policies[at],))
        for at, side in enumerate(rows)
    ]
    left, right = (prepare(side, opts) for side, opts in zip(rows, opts_of, strict=True))
    views = [views_of(side, by) for side in (left, right)]
    measured = [{group: list(measure(view)) for group, view in side.items()} for side in views]
    audits = [
        audit_measured(side, opts, views=groups, measured=metrics, progress=progress, supplied=extra)
        for side, opts, groups, metrics, extra in zip(
            (left, right), opts_of, views, measured, supplied, strict=True
        )
    ]
    findings = []
    for group in views[0]:
        pair = [(side[group], metrics[group]) for side, metrics in zip(views, measured, strict=True)]
        for finding in differences(group, pair[0], pair[1], left.best, right.best):
            findings.append(finding)
            if progress is not None:
                progress(finding)
    findings += deferred((left, right), supplied, opts_of[0])
    info = {
        "first": left.test.name,
        "second": right.test.name,
        "n": len(left.test),
        "by": list(by),
        "bootstrap": bootstrap,
        "seed": seed,
        "level": interval.LEVEL,
        "version": __version__,
    }
    return Comparison(info, findings, audits[0], audits[1], paired_cases(left, right))


def _named(read: list[Predictions], first: object, second: object) -> list[Predictions]:
    """The two tables, called apart where they have one name."""
    if read[0].name != read[1].name:
        return read
    names = ("first", "second")
    if isinstance(first, str | Path) and isinstance(second, str | Path):
        names = _apart(first, second)
    return [replace(table, name=name) for table, name in zip(read, names, strict=True)]


def _apart(first: str | Path, second: str | Path) -> tuple[str, str]:
    """Names of two files that are called the same: the nearest folders above them that are not."""
    for left, right in zip(files.real(first).parents, files.real(second).parents, strict=False):
        if left.name != right.name:
            return left.name or "first", right.name or "second"
    return "first", "second"


def _by_id(table: Predictions) -> Predictions:
    return table.take(table.ids.arg_sort().to_numpy())


def differences(
    group: str,
    first: tuple[View, list[Measured]],
    second: tuple[View, list[Measured]],
    first_best: str,
    second_best: str,
) -> Iterator[Finding]:
    """Every metric of a group as second minus first, from what was measured on each side."""
    (view_a, metrics_a), (_, metrics_b) = first, second
    of_second = {key: metric for metric in metrics_b for key in _keys(metric, second_best)}
    for metric in metrics_a:
        for key in _keys(metric, first_best):
            if key in of_second:
                yield difference(metric, of_second[key], view_a, group, key)


def deferred(
    sides: tuple[Prepared, Prepared], supplied: Sequence[Supplements], opts: Options
) -> list[Finding]:
    """What the policies of the two sides come to, second minus first; nothing without policies.

    For all cases and for each group. A stated reader is counted where both policies name one, each its own;
    the share vetoed where both ask that question.
    """
    if not all(side.policies for side in supplied):
        return []
    applied = [side.policies[0] for side in supplied]
    readers = [reader_of(policy.policy.reader, opts.severity, policy.table.classes) for policy in applied]
    findings = []
    for group, rows in [("all", np.arange(len(sides[0].test))), *groups(sides[0].test.metadata, opts.by)]:
        views = [side.view.take(rows) for side in sides]
        first, second = (
            list(deferral(view, policy.decided.take(rows), reader))
            for view, policy, reader in zip(views, applied, readers, strict=True)
        )
        of_second = {metric.code: metric for metric in second}
        findings += [
            difference(metric, of_second[metric.code], views[0], group, (metric.code, None, None, None))
            for metric in first
            if metric.code in of_second
        ]
    described = f"first: {applied[0].policy.said}; second: {applied[1].policy.said}"
    return [replace(finding, why=finding.why or described) for finding in findings]


def _keys(measured: Measured, best: str) -> list[tuple[str | None, ...]]:
    """What a metric is paired by: probabilities as they came, and the best of each side under one name."""
    code, decision, score, calibrated = measured.key
    if decision in ("bayes", "operating"):
        return [(code, decision, score, "best")]
    if decision is not None or calibrated is None:
        return [(code, decision, score, calibrated)]
    names = [name for name, of in (("none", "none"), ("best", best)) if of == calibrated]
    return [(code, decision, score, name) for name in names]


def difference(a: Measured, b: Measured, view_a: View, group: str, key: tuple[str | None, ...]) -> Finding:
    """Second minus first of one metric, with its paired interval."""
    basis = Basis(*key[1:])
    for side, measured in (("first", a), ("second", b)):
        if measured.why_not:
            return not_applicable(a.code, f"{side}: {measured.why_not}", a.n, basis=basis, group=group)
    estimate = combination.difference([a], [b], view_a).estimate(view_a)
    finding = from_estimate(a.code, estimate, basis=basis, group=group)
    return replace(finding, name=f"{finding.name}, second − first", tails=None)
