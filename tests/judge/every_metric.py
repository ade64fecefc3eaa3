"""Every metric as one function of (labels, probs), for the property tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from primum.judge import confidence, decision
from primum.judge.metrics import functions

SEVERITY = {"fine": 1.0, "false_alarm": 2.0, "critical": 10.0}


def cost(classes: int) -> Any:
    """Upper half of the classes critical, as in the presets."""
    fatal = np.arange(classes) >= classes // 2
    matrix = np.where(fatal[:, None] == fatal, 1.0, np.where(fatal[:, None], 10.0, 2.0))
    return matrix * (1 - np.eye(classes))


def critical(classes: int) -> Any:
    fatal = np.arange(classes) >= classes // 2
    return fatal[:, None] & ~fatal


def _decided(metric: Callable[..., float]) -> Callable[[Any, Any], float]:
    return lambda labels, probs: metric(labels, decision.argmax(probs))


def _harm(metric: Callable[..., float], matrix: Callable[[int], Any]) -> Callable[..., float]:
    def on(labels: Any, probs: Any, order: Any = None) -> float:
        k = probs.shape[1]
        order = np.arange(k) if order is None else order
        return metric(labels, decision.argmax(probs), matrix(k)[np.ix_(order, order)])

    return on


def _area(metric: Callable[..., float]) -> Callable[[Any, Any], float]:
    return lambda labels, probs: metric(labels, decision.argmax(probs), confidence.msr(probs))


def _matched(specificity: float) -> Callable[..., float]:
    def on(labels: Any, probs: Any, order: Any = None) -> float:
        k = probs.shape[1]
        order = np.arange(k) if order is None else order
        return functions.cer_at_specificity(labels, probs, critical(k)[np.ix_(order, order)], specificity)

    return on


METRICS: dict[str, Callable[..., float]] = {
    "accuracy": _decided(functions.accuracy),
    "balanced_accuracy": _decided(functions.balanced_accuracy),
    "macro_f1": _decided(functions.macro_f1),
    "auroc": functions.auroc,
    "ece": functions.ece,
    "ece_equal_mass": functions.ece_equal_mass,
    "classwise_ece": functions.classwise_ece,
    "debiased_calibration_error": functions.debiased_calibration_error,
    "skce": functions.skce,
    "brier": functions.brier,
    "root_brier": functions.root_brier,
    "nll": functions.nll,
    "aurc": _area(functions.aurc),
    "augrc": _area(functions.augrc),
    "e_aurc": _area(functions.e_aurc),
    "e_augrc": _area(functions.e_augrc),
    "risk_at_80_coverage": _area(functions.risk_at_coverage),
}
HARM: dict[str, Callable[..., float]] = {
    "cer": _harm(functions.critical_error_rate, critical),
    "critical_errors": _harm(functions.critical_errors, critical),
    "specificity": _harm(functions.specificity, critical),
    "cer_at_specificity_70": _matched(0.7),
    "cer_at_specificity_90": _matched(0.9),
    "expected_cost": _harm(functions.expected_cost, cost),
    "normalized_expected_cost": _harm(functions.normalized_expected_cost, cost),
}
