"""What the plain functions give is what an audit reports: the tests of one hold the other."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from primum.core.check import InputError
from primum.judge import confidence, decision
from primum.judge.answers import Answers, View
from primum.judge.metrics import functions
from primum.judge.metrics.measure_view import measure
from primum.judge.metrics.table import METRICS
from tests.judge.every_metric import cost, critical

K = 4
RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, K, 300)
LOGITS = RNG.normal(size=(300, K))
LOGITS[np.arange(300), LABELS] += 1.5
PROBS = softmax(LOGITS, axis=1)
ANSWERS, MSR = decision.argmax(PROBS), confidence.msr(PROBS)
ON_PROBS = (
    "auroc", "ece", "ece_equal_mass", "classwise_ece", "debiased_calibration_error", "skce", "brier",
    "root_brier", "nll",
)  # fmt: skip
EXPECTED = {name: getattr(functions, name)(LABELS, PROBS) for name in ON_PROBS}
EXPECTED |= {
    name: getattr(functions, name)(LABELS, ANSWERS) for name in ("accuracy", "balanced_accuracy", "macro_f1")
}
EXPECTED |= {
    name: getattr(functions, name)(LABELS, ANSWERS, MSR)
    for name in ("aurc", "augrc", "e_aurc", "e_augrc", "failure_auroc")
}
EXPECTED |= {
    "cer": functions.critical_error_rate(LABELS, ANSWERS, critical(K)),
    "critical_errors": functions.critical_errors(LABELS, ANSWERS, critical(K)),
    "specificity": functions.specificity(LABELS, ANSWERS, critical(K)),
    "expected_cost": functions.expected_cost(LABELS, ANSWERS, cost(K)),
    "normalized_expected_cost": functions.normalized_expected_cost(LABELS, ANSWERS, cost(K)),
    "cost_aurc": functions.cost_aurc(LABELS, ANSWERS, MSR, cost(K)),
    "cost_augrc": functions.cost_augrc(LABELS, ANSWERS, MSR, cost(K)),
    "fpr_at_95_tpr": functions.fpr_at_tpr(LABELS, ANSWERS, MSR),
    "risk_at_80_coverage": functions.risk_at_coverage(LABELS, ANSWERS, MSR),
    "silent_critical_rate": functions.silent_critical_rate(LABELS, ANSWERS, MSR, critical(K), 0.6),
    "cer_at_specificity_80": functions.cer_at_specificity(LABELS, PROBS, critical(K), 0.8),
}


@pytest.fixture(scope="module")
def reported() -> dict[str, float]:
    answers = Answers("argmax", ANSWERS, "none", {"msr": MSR}, {"msr": 0.6})
    rows = np.arange(300)
    view = View(LABELS, {"none": PROBS}, {"argmax": answers}, None, rows, cost(K), critical(K), None, 100, 0)
    return {metric.code: metric.value for metric in measure(view) if not metric.why_not}


@pytest.mark.parametrize("code", EXPECTED)
def test_a_function_gives_what_the_audit_reports(code: str, reported: dict[str, float]) -> None:
    assert code in METRICS
    assert reported[code] == pytest.approx(EXPECTED[code], rel=1e-12, abs=1e-15)


def test_every_metric_of_a_table_has_its_function(reported: dict[str, float]) -> None:
    fixed = {"cer_at_specificity_70", "cer_at_specificity_90"}  # of the same function
    assert set(reported) - fixed == set(EXPECTED)


def test_answers_of_another_length_are_refused() -> None:
    with pytest.raises(InputError, match="one shape"):
        functions.accuracy([0, 1], [0, 1, 1])
    with pytest.raises(InputError, match="critical class, none arrived"):
        functions.critical_error_rate([0, 0], [0, 1], critical(2))
