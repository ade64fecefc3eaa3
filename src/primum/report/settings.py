"""How the audit was made, in rows a reader can check: rows, seeds, versions, fingerprints, costs."""

from __future__ import annotations

from collections.abc import Mapping

from primum.core.check import shorten
from primum.report import words
from primum.report.content import Recalibration, Settings

MOST_CLASSES = 25


def facts(settings: Settings) -> list[str]:
    """Say in a few words what was audited, for the line under the title.

    >>> facts(Settings(n=8, classes=["ill", "well"]))
    ['8\\xa0cases', '2\\xa0classes']
    """
    counts = [words.counted(settings.n)]
    if settings.patients:
        counts.append(words.counted(settings.patients, "patient", "patients"))
    if settings.classes:
        counts.append(words.counted(len(settings.classes), "class", "classes"))
    if settings.fit:
        counts.append(f"recalibrated on {words.file_name(settings.fit)}")
    return counts


def rows(settings: Settings) -> list[tuple[str, str]]:
    """List every setting that was used, as (name, value)."""
    severity, fit = settings.severity, settings.fit
    marked, prior = settings.other_rows, settings.prior
    entries: list[tuple[str, object]] = [
        ("Cases judged", settings.n),
        ("Cases without a label", settings.unlabelled or None),
        ("Rows of other splits, not judged", ", ".join(f"{name} {count}" for name, count in marked.items())),
        ("Patients", settings.patients),
        ("Recalibrated on", words.file_name(fit) if fit else None),
        ("Recalibrator", settings.recalibrator),
        ("Recalibrators compared", _recalibration(settings.recalibration)),
        ("Severity", severity and severity.name),
        ("Unit of cost", severity and severity.unit),
        ("Cost of deferring", severity and severity.defer),
        ("Source of the severity", severity and severity.source),
        ("Class shares assumed", ", ".join(f"{k} {words.number(v, 'ppv')}" for k, v in prior.items())),
        ("Groups", ", ".join(settings.by)),
        ("Operating coverage", words.number(settings.operating_coverage, "accuracy")),
        ("Thresholds on the critical mass", _thresholds(settings.specificity_thresholds)),
        ("Interval level", words.level(settings.level)),
        ("Bootstrap replicates", settings.bootstrap),
        ("Seed", settings.seed),
        ("primum version", settings.version),
        *((f"Source: {name}", _in_words(value)) for name, value in settings.source.items()),
        *((f"Fingerprint, {name}", mark) for name, mark in settings.fingerprints.items()),
    ]
    return [(name, str(value)) for name, value in entries if value not in (None, "", words.NOTHING)]


def _in_words(value: object) -> str:
    if isinstance(value, Mapping):
        if "cost" in value:  # a severity matrix, perhaps of a thousand classes
            return _in_words(value.get("name") or "without a name")
        return ", ".join(f"{name} {_in_words(part)}" for name, part in value.items() if part is not None)
    if isinstance(value, list | tuple):
        return shorten([_in_words(part) for part in value], MOST_CLASSES)
    return words.file_name(value)


def _recalibration(compared: Mapping[str, Recalibration]) -> str:
    """Say the cross-validated negative log-likelihood of each recalibrator."""
    entries = []
    for name, result in compared.items():
        note = f"cross-validated NLL {words.number(result.cv_nll)}"
        if result.why_not:
            note = f"left out: {result.why_not}"
        entries.append(f"{name} ({note})" if result.why_not or result.cv_nll is not None else name)
    return ", ".join(entries)


def _thresholds(fitted: Mapping[str, float]) -> str:
    """Say the threshold that was fitted to each specificity."""
    return ", ".join(
        f"{words.number(threshold)} for {words.number(float(specificity), 'specificity')} specificity"
        for specificity, threshold in fitted.items()
    )


def severity(settings: Settings) -> dict[str, object] | None:
    """Lay out the severity matrix, rows true and columns decided; None when absent or too wide to read."""
    matrix = settings.severity
    if matrix is None or not matrix.cost or len(matrix.classes) > MOST_CLASSES:
        return None
    critical = set(matrix.critical or settings.critical)
    return {
        "classes": matrix.classes,
        "rows": [
            {
                "name": true,
                "cells": [
                    {"cost": f"{value:g}", "critical": (true, called) in critical}
                    for called, value in zip(matrix.classes, line, strict=True)
                ],
            }
            for true, line in zip(matrix.classes, matrix.cost, strict=True)
        ],
    }
