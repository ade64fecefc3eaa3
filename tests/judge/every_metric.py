"""Every metric as one function of (labels, probs), for the property tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from primum.judge import confidence, decision
from primum.judge.metrics import (
    accuracy,
    calibration,
    cuts,
    debiased,
    excess,
    harm,
    kernel,
    operating,
    selective,
)

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
    return lambda labels, probs: metric(labels, decision.argmax(probs), probs.shape[1])


def _harm(metric: Callable[..., float], matrix: Callable[[int], Any]) -> Callable[..., float]:
    def on(labels: Any, probs: Any, order: Any = None) -> float:
        k = probs.shape[1]
        order = np.arange(k) if order is None else order
        return metric(labels, decision.argmax(probs), matrix(k)[np.ix_(order, order)])

    return on


def _area(metric: Callable[..., float]) -> Callable[[Any, Any], float]:
    return lambda labels, probs: metric(confidence.msr(probs), labels != decision.argmax(probs))


def _matched(specificity: float) -> Callable[..., float]:
    def on(labels: Any, probs: Any, order: Any = None) -> float:
        k = probs.shape[1]
        order = np.arange(k) if order is None else order
        return operating.cer_at_specificity(labels, probs, critical(k)[np.ix_(order, order)], specificity)

    return on


METRICS: dict[str, Callable[..., float]] = {
    "accuracy": _decided(accuracy.accuracy),
    "balanced_accuracy": _decided(accuracy.balanced_accuracy),
    "macro_f1": _decided(accuracy.macro_f1),
    "auroc": accuracy.auroc,
    "ece": calibration.ece,
    "ece_equal_mass": calibration.ece_equal_mass,
    "classwise_ece": calibration.classwise_ece,
    "debiased_calibration_error": debiased.debiased_error,
    "skce": kernel.skce,
    "brier": calibration.brier,
    "root_brier": calibration.root_brier,
    "nll": calibration.nll,
    "aurc": _area(selective.aurc),
    "augrc": _area(selective.augrc),
    "e_aurc": _area(excess.e_aurc),
    "e_augrc": _area(excess.e_augrc),
    "risk_at_80_coverage": _area(cuts.risk_at_coverage),
}
HARM: dict[str, Callable[..., float]] = {
    "cer": _harm(harm.critical_error_rate, critical),
    "critical_errors": _harm(harm.critical_errors, critical),
    "specificity": _harm(harm.specificity, critical),
    "cer_at_specificity_70": _matched(0.7),
    "cer_at_specificity_90": _matched(0.9),
    "expected_cost": _harm(harm.expected_cost, cost),
    "normalized_expected_cost": _harm(harm.normalized_expected_cost, cost),
}
