"""Judge one table of predictions: ``primum.audit`` and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from primum import tables
from primum.auditing.cases import case_table
from primum.auditing.options import Options, options
from primum.auditing.output import WORST, Saved, read_json, table_of
from primum.auditing.policy.document import Policy
from primum.auditing.preparation import Prepared, prepare
from primum.auditing.sections.assembly import assemble, complete
from primum.auditing.settings import settings
from primum.auditing.study import Study
from primum.auditing.supplements import Supplements, supplements
from primum.judge.answers import View
from primum.judge.finding import Finding, judge
from primum.judge.metrics.measure_view import measure
from primum.judge.metrics.measured import Measured
from primum.judge.statistics.groups import groups
from primum.severity import SeverityMatrix
from primum.tables import Columns
from primum.tables.selection import select
from primum.tables.truth import with_labels

SCHEMA = "primum.audit/1"


@dataclass(frozen=True, eq=False, repr=False)
class Audit(Saved):
    """Everything found out about one model on one table.

    Attributes:
        settings: what was judged and how. findings: every number. curves: the data of every picture.
        cases: one row per judged case, the worst first.
    """

    settings: Mapping[str, Any]
    findings: list[Finding]
    curves: Mapping[str, Any]
    cases: pl.DataFrame = field(default_factory=pl.DataFrame)

    @property
    def title(self) -> str:
        """What was judged, in a line."""
        return f"Audit of {self.settings['name']}: {self.settings['n']} cases"

    def to_dict(self) -> dict[str, Any]:
        """The content of ``audit.json``: the 1,000 worst cases inside, schema ``primum.audit/1``."""
        return {
            "schema": SCHEMA,
            "settings": dict(self.settings),
            "findings": [finding.to_dict() for finding in self.findings],
            "curves": dict(self.curves),
            "cases": self.cases.head(WORST).to_dicts(),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Audit:
        """An audit from the content of ``audit.json``; KeyError or TypeError where a field is off."""
        findings = [Finding.from_dict(entry) for entry in content["findings"]]
        return cls(content["settings"], findings, content["curves"], table_of(content["cases"]))

    @classmethod
    def from_json(cls, path: str | Path) -> Audit:
        """Read an audit back; its cases are the 1,000 worst that the JSON holds."""
        return read_json(path, "an audit", SCHEMA, cls.from_dict)


def audit(
    table: object,
    severity: SeverityMatrix | str | Path | None = None,
    fit: object = None,
    by: Sequence[str] = (),
    columns: Columns = None,
    critical: Sequence[str | Sequence[str]] = (),
    prior: Mapping[str, float] | None = None,
    limits: str | Path | Mapping[str, object] | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
    progress: Callable[[Finding], object] | None = None,
    policies: Sequence[Policy | str | Path] = (),
    members: Sequence[object] = (),
    train: object = None,
    about: Study | str | Path | None = None,
    classes: Sequence[str] | None = None,
    labels: object = None,
    on: str | None = None,
) -> Audit:
    """Audit predictions: how often the model is wrong, how badly, and whether its confidence says so.

    Args:
        table: path (Parquet, CSV, NPZ), polars or pandas DataFrame, mapping of arrays, or Predictions.
        severity: matrix, preset name or file; without it no costs.
        fit: like ``table``, rows to recalibrate on; default the ``split=cal`` rows of ``table``, if any.
        by: columns whose groups are judged too.
        columns: our column name → the table's own; or one such mapping for ``table`` and one for ``fit``.
        critical: ``"TRUE:PREDICTED"`` or pairs; replaces the critical cells of ``severity``.
        prior: class → share at deployment.
        limits: code → {max, min}, or a YAML file of that.
        bootstrap: replicates. seed: of everything drawn.
        progress: called with every finding as it is made.
        policies: deferral policies or their files, none fitted on judged rows.
        members: tables of other models on the same cases; with one, it and ``table`` are the members.
        train: a table of training rows with embeddings, for what the model may never have seen and for the
            confidence scores that measure how far a case lies from them.
        about: what the table cannot know of its study (``about.yaml``), for the reporting checklist.
        classes: the class names where one probability stands alone and no label tells the other class.
        labels: a table of the true classes, joined by id, or by its column ``on``.

    Raises:
        InputError: one sentence on what was expected, what arrived, where, and what to do.
    """
    first, second = tables.each(columns)
    read = tables.read(table, first, classes=classes)
    if labels is not None:
        read = with_labels(read, labels, on)
    opts = options(
        read.classes, read.name, severity,
        critical=critical, prior=prior, limits=limits, by=by, bootstrap=bootstrap, seed=seed,
    )  # fmt: skip
    fitted = None if fit is None else tables.read(fit, second, classes=read.classes)
    rows = select(read, fitted)
    supplied = supplements(
        table, rows, policies=policies, members=members, train=train, about=about, columns=first
    )
    prepared = prepare(rows, opts, supplied.train)
    views = views_of(prepared, by)
    # generators: a metric is computed when its finding is asked for, so that progress moves with the work
    measured = {group: measure(view) for group, view in views.items()}
    return audit_measured(
        prepared, opts, views=views, measured=measured, progress=progress, supplied=supplied
    )


def views_of(prepared: Prepared, by: Sequence[str]) -> dict[str, View]:
    """``"all"`` and every ``"column=value"`` → its rows, ready to be measured."""
    views = {"all": prepared.view}
    views |= {name: prepared.view.take(rows) for name, rows in groups(prepared.test.metadata, by)}
    return views


def audit_measured(
    prepared: Prepared,
    opts: Options,
    views: Mapping[str, View],
    measured: Mapping[str, Iterable[Measured]],
    progress: Callable[[Finding], object] | None = None,
    supplied: Supplements | None = None,
) -> Audit:
    """Audit rows that are prepared and measured: group → its view, and group → its metrics."""
    supplied = supplied or Supplements()
    findings = []
    for group, view in views.items():
        for metric in measured[group]:
            findings.append(metric.finding(view, group))
            if progress is not None:
                progress(findings[-1])
    parts = assemble(prepared, opts, supplied, findings)
    judged = judge(findings + parts.findings, opts.limits) + prepared.warnings
    described = settings(prepared, opts, supplied) | parts.settings
    pictures = complete(parts.sections, views, judged, described, supplied).to_dict()
    # tails are functions, of use only until limits are judged: an audit without them can be pickled
    plain = [replace(finding, tails=None) for finding in judged]
    return Audit(described, plain, pictures, case_table(prepared, opts, parts.columns))
