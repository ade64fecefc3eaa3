"""How the audit was made, in rows a reader can check: rows, seeds, versions, fingerprints, costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from primum.core.check import shorten
from primum.report import words

MOST_CLASSES = 25


def facts(given: Mapping[str, Any]) -> list[str]:
    """Say in a few words what was audited, for the line under the title."""
    said = [words.counted(given.get("n"))]
    if given.get("patients"):
        said.append(words.counted(given["patients"], "patient", "patients"))
    classes = given.get("classes") or []
    if classes:
        said.append(words.counted(len(classes), "class", "classes"))
    if given.get("fit"):
        said.append(f"recalibrated on {words.file_name(given['fit'])}")
    return said


def rows(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """List every setting that was used, as (name, value)."""
    severity = given.get("severity") or {}
    others = given.get("other_rows") or {}
    prior = given.get("prior") or {}
    found: list[tuple[str, Any]] = [
        ("Cases judged", given.get("n")),
        ("Cases without a label", given.get("unlabelled") or None),
        ("Rows of other splits, not judged", ", ".join(f"{name} {count}" for name, count in others.items())),
        ("Patients", given.get("patients")),
        ("Recalibrated on", words.file_name(given["fit"]) if given.get("fit") else None),
        ("Recalibrator", given.get("recalibrator")),
        ("Recalibrators compared", _recalibration(given.get("recalibration") or {})),
        ("Severity", severity.get("name")),
        ("Unit of cost", severity.get("unit")),
        ("Cost of deferring", severity.get("defer")),
        ("Source of the severity", severity.get("source")),
        ("Class shares assumed", ", ".join(f"{k} {words.number(v, 'ppv')}" for k, v in prior.items())),
        ("Groups", ", ".join(str(name) for name in given.get("by") or [])),
        ("Operating coverage", words.number(given.get("operating_coverage"), "accuracy")),
        ("Thresholds on the critical mass", _thresholds(given.get("specificity_thresholds") or {})),
        ("Interval level", words.level(given)),
        ("Bootstrap replicates", given.get("bootstrap")),
        ("Seed", given.get("seed")),
        ("primum version", given.get("version")),
        *((f"Source: {name}", _said(value)) for name, value in (given.get("source") or {}).items()),
        *((f"Fingerprint, {name}", mark) for name, mark in (given.get("fingerprints") or {}).items()),
    ]
    return [(name, str(value)) for name, value in found if value not in (None, "", words.NOTHING)]


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        if "cost" in value:  # a severity matrix, perhaps of a thousand classes
            return _said(value.get("name") or "without a name")
        return ", ".join(f"{name} {_said(part)}" for name, part in value.items() if part is not None)
    if isinstance(value, list | tuple):
        return shorten([_said(part) for part in value], MOST_CLASSES)
    return words.file_name(value)


def _recalibration(compared: Mapping[str, Any]) -> str:
    """Say the cross-validated negative log-likelihood of each recalibrator."""
    said = []
    for name, result in compared.items():
        loss = result.get("cv_nll") if isinstance(result, Mapping) else None
        why = result.get("why_not") if isinstance(result, Mapping) else None
        told = f"left out: {why}" if why else f"cross-validated NLL {words.number(loss)}"
        said.append(name if loss is None and not why else f"{name} ({told})")
    return ", ".join(said)


def _thresholds(fitted: Mapping[str, Any]) -> str:
    """Say the threshold that was fitted to each specificity."""
    return ", ".join(
        f"{words.number(value)} for {words.number(float(wanted), 'specificity')} specificity"
        for wanted, value in fitted.items()
    )


def severity(given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Lay out the severity matrix, rows true and columns decided; None when absent or too wide to read."""
    known = given.get("severity") or {}
    classes, cost = known.get("classes") or [], known.get("cost")
    if not cost or len(classes) > MOST_CLASSES:
        return None
    critical = {
        (str(true), str(called)) for true, called in known.get("critical") or given.get("critical") or []
    }
    return {
        "classes": classes,
        "rows": [
            {
                "name": true,
                "cells": [
                    {"cost": f"{value:g}", "critical": (true, called) in critical}
                    for called, value in zip(classes, line, strict=True)
                ],
            }
            for true, line in zip(classes, cost, strict=True)
        ],
    }
