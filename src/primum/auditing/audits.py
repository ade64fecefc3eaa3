"""Judge one table of predictions: ``primum.audit`` and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from primum import tables
from primum.auditing.curves import curves
from primum.auditing.options import OPERATING_COVERAGE, Options, options
from primum.auditing.output import WORST, Saved
from primum.auditing.policy.document import Policy
from primum.auditing.preparation import Prepared, fingerprint, prepare
from primum.auditing.sections import checklist, sections
from primum.auditing.study import Study
from primum.auditing.supplements import Supplements, supplements
from primum.core import documents, ties
from primum.core.check import InputError
from primum.core.version import __version__
from primum.judge.answers import View
from primum.judge.finding import Finding, found, judge, not_applicable
from primum.judge.metrics.measure import measure
from primum.judge.metrics.measured import Measured
from primum.judge.statistics.groups import groups
from primum.judge.statistics.interval import LEVEL
from primum.judge.statistics.partitions import partition
from primum.severity import SeverityMatrix, pairs
from primum.tables import Columns
from primum.tables.selection import select
from primum.tables.truth import with_labels

SCHEMA = "primum.audit/1"


@dataclass(frozen=True, eq=False)
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

    def finding(self, code: str, group: str = "all", **where: Any) -> Finding:
        """The finding of that code, group and any other fields; KeyError if none."""
        for finding in self.findings:
            asked = {"code": code, "group": group, **where}
            if all(getattr(finding, name) == value for name, value in asked.items()):
                return finding
        raise KeyError(f"no finding {code} for group {group} and {where}")

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
    def from_json(cls, path: str | Path) -> Audit:
        """Read an audit back; its cases are the 1,000 worst that the JSON holds."""
        file, content = Path(path), documents.read_json(path, "an audit (JSON)")
        if not isinstance(content, dict) or content.get("schema") != SCHEMA:
            raise InputError(
                f"{file.name}: an audit of schema {SCHEMA} was expected; write it with primum audit"
            )
        try:
            findings = [Finding.from_dict(entry) for entry in content["findings"]]
            cases = pl.DataFrame(content["cases"], infer_schema_length=None)
            return cls(content["settings"], findings, content["curves"], cases)
        except (KeyError, TypeError, pl.exceptions.PolarsError) as error:
            raise InputError(
                f"{file.name}: an audit as primum writes it was expected, one field is off ({error})"
            ) from None


def audit(
    table: Any,
    severity: SeverityMatrix | str | Path | None = None,
    fit: Any = None,
    by: Sequence[str] = (),
    columns: Columns = None,
    critical: Sequence[str | Sequence[str]] = (),
    prior: Mapping[str, float] | None = None,
    limits: str | Path | Mapping[str, Any] | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
    progress: Callable[[Finding], object] | None = None,
    policies: Sequence[Policy | str | Path] = (),
    members: Sequence[Any] = (),
    train: Any = None,
    about: Study | str | Path | None = None,
    classes: Sequence[str] | None = None,
    labels: Any = None,
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
    opts = options(read.classes, read.name, severity, critical, prior, limits, by, bootstrap, seed)
    fitted = None if fit is None else tables.read(fit, second, classes=read.classes)
    rows = select(read, fitted)
    given = supplements(table, rows, policies, members, train, about, first)
    prepared = prepare(rows, opts, given.train)
    views = views_of(prepared, by)
    measured = {group: measure(view) for group, view in views.items()}
    return audit_measured(prepared, opts, views, measured, progress, given)


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
    given: Supplements | None = None,
) -> Audit:
    """Audit rows that are prepared and measured: group → its view, and group → its metrics."""
    given = given or Supplements()
    findings = []
    for group, view in views.items():
        for metric in measured[group]:
            findings.append(as_finding(metric, view, group))
            if progress is not None:
                progress(findings[-1])
    beside = sections(prepared, opts, given, findings)
    judged = judge(findings + beside.findings, opts.limits) + prepared.warnings
    made = settings(prepared, opts, given) | beside.settings
    shown = curves(views, judged, prepared.best, prepared.test.classes)
    drawn = shown | beside.curves | {"checklist": checklist(made, judged, given)}
    return Audit(made, judged, drawn, case_table(prepared, opts, beside.columns))


def as_finding(measured: Measured, view: View, group: str) -> Finding:
    """A measured metric with its interval, or with the reason why there is none."""
    where = {
        "group": group,
        "decision": measured.decision,
        "score": measured.score,
        "calibrated": measured.calibrated,
    }
    if measured.why_not:
        return not_applicable(measured.code, measured.why_not, measured.n, **where)
    return found(measured.code, measured.estimated(view), measured.why, **where)


def settings(prepared: Prepared, opts: Options, given: Supplements) -> dict[str, Any]:
    """What was judged and how, JSON-ready."""
    test, chosen = prepared.test, prepared.chosen
    fingerprints = {"test": fingerprint(test)}
    if prepared.rows.fit is not None:
        fingerprints["fit"] = fingerprint(prepared.rows.fit)
    return {
        "name": test.name,
        "fit": prepared.rows.fit_name,
        "n": len(test),
        **prepared.rows.counts,
        "classes": list(test.classes),
        "severity": None if opts.severity is None else opts.severity.to_dict(),
        "critical": pairs(test.classes, opts.critical),
        "by": list(opts.by),
        "prior": None if opts.priors is None else dict(zip(test.classes, opts.priors.tolist(), strict=True)),
        "limits": {code: dict(limit) for code, limit in opts.limits.items()} or None,
        "bootstrap": opts.replicates,
        "seed": opts.seed,
        "level": LEVEL,
        "patients": None if test.patients is None else int(test.patients.n_unique()),
        "operating_coverage": OPERATING_COVERAGE,
        "thresholds": {rule: dict(answers.threshold) for rule, answers in prepared.view.answers.items()},
        "specificity_thresholds": None
        if prepared.view.operating is None
        else {f"{s:g}": t for s, t in prepared.view.operating.threshold.items()},
        "recalibrator": prepared.best,
        "recalibration": None
        if chosen is None
        else {name: {"cv_nll": v} for name, v in chosen.cv_nll.items()}
        | {name: {"why_not": reason} for name, reason in chosen.left_out.items()},
        "source": dict(test.source),
        "partitions": {
            name: partition(part.labels, part.classes, part.metadata, part.patients)
            for name, part in (("test", test), ("fit", prepared.rows.fit))
            if part is not None
        },
        "about": None if given.study is None else given.study.said(),
        "not_supplied": prepared.not_supplied,
        "fingerprints": fingerprints,
        "version": __version__,
    }


def case_table(prepared: Prepared, opts: Options, further: Mapping[str, Any]) -> pl.DataFrame:
    """One row per judged case: critical errors first, then by cost, the most confident first."""
    test, view = prepared.test, prepared.view
    answers = view.answers["argmax"]
    rows = np.arange(len(test))
    names = pl.Series("name", list(test.classes))
    wrong = answers.decisions != test.labels
    critical = (
        np.zeros(len(test), bool) if opts.critical is None else opts.critical[test.labels, answers.decisions]
    )
    cost = wrong.astype(float) if opts.cost is None else opts.cost[test.labels, answers.decisions]
    confidence = answers.confidence["msr"]
    columns: dict[str, Any] = {
        "id": test.ids,
        "label": names[test.labels],
        "predicted": names[answers.decisions],
        "bayes": names[view.answers["bayes"].decisions] if "bayes" in view.answers else None,
        "given": names[view.answers["given"].decisions] if "given" in view.answers else None,
        "confidence": confidence,
        "probability_of_label": view.probs["none"][rows, test.labels],
        "cost": cost if opts.cost is not None else None,
        "critical": critical,
        "correct": ~wrong,
        "silent": critical & ties.at_least(confidence, answers.threshold["msr"]),
    }
    columns |= {f"score_{name}": score for name, score in answers.confidence.items() if name != "msr"}
    columns |= further
    frame = pl.DataFrame(columns).with_columns(
        [
            test.metadata[column].alias(f"table_{column}" if column in columns else column)
            for column in test.metadata.columns
        ]
    )
    if "path" not in frame.columns:
        frame = frame.with_columns(pl.lit(None, pl.String).alias("path"))
    order = np.lexsort((view.units, -confidence, -np.where(critical, 0.0, cost), ~critical))
    return frame[order]
