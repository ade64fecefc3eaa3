"""Metrics as plain functions on arrays, by the code that an audit runs; ``primum.metrics`` offers them.

Arguments come in one order: labels, then answers or probabilities, then confidence, then severity. Labels and
answers are class indices (N,), probabilities (N, K), confidence (N,) with higher = more trustworthy. Critical
cells and costs are (K, K), rows true, columns answered. An interval of a number, with patients kept together,
comes from :func:`primum.audit`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from primum.core import check
from primum.core.arrays import Array, Bools
from primum.core.check import InputError
from primum.judge.decision import critical_mass
from primum.judge.metrics import accuracy as rightness
from primum.judge.metrics import calibration, cuts, debiased, excess, harm, kernel, operating
from primum.judge.metrics.calibration import classwise_ece, ece, ece_equal_mass
from primum.judge.metrics.confusion import Confusion, count_pairs
from primum.judge.metrics.harm import expected_cost, normalized_expected_cost
from primum.judge.metrics.selective import RiskCoverage, rank, risk_coverage

__all__ = [
    "accuracy", "augrc", "aurc", "auroc", "balanced_accuracy", "brier", "cer_at_specificity", "classwise_ece",
    "cost_augrc", "cost_aurc", "critical_error_rate", "critical_errors", "debiased_calibration_error",
    "e_augrc", "e_aurc", "ece", "ece_equal_mass", "expected_cost", "failure_auroc", "fpr_at_tpr", "macro_f1",
    "nll", "normalized_expected_cost", "risk_at_coverage", "root_brier", "silent_critical_rate", "skce",
    "specificity",
]  # fmt: skip


def accuracy(labels: ArrayLike, answers: ArrayLike) -> float:
    """Share of right answers, 0 to 1.

    >>> accuracy([0, 1, 1, 1], [0, 1, 1, 0])
    0.75
    """
    counts = _counts(labels, answers)
    return float(counts.hits.sum() / counts.totals.sum())


def balanced_accuracy(labels: ArrayLike, answers: ArrayLike) -> float:
    """Mean over the classes that occur of the share answered right, 0 to 1.

    >>> balanced_accuracy([0, 1, 1, 1, 1], [0, 1, 1, 0, 0])
    0.75
    """
    return float(rightness.balanced_accuracy_of(_counts(labels, answers)))


def macro_f1(labels: ArrayLike, answers: ArrayLike) -> float:
    """Mean F1 over the classes that occur as label or as answer, 0 to 1.

    >>> macro_f1([0, 0, 1, 1], [0, 0, 1, 1])
    1.0
    """
    return float(rightness.macro_f1_of(_counts(labels, answers)))


def auroc(labels: ArrayLike, probs: ArrayLike) -> float:
    """One-vs-rest AUROC, mean over the classes that occur and do not fill the table, 0 to 1; ties count half.

    Probabilities may be any scores, higher = more of that class. Raises InputError where all cases are of one
    class.

    >>> auroc([0, 0, 1, 1], [[0.9, 0.1], [0.4, 0.6], [0.7, 0.3], [0.2, 0.8]])
    0.75
    """
    return rightness.auroc_with_influence(labels, probs)[0]


def critical_error_rate(labels: ArrayLike, answers: ArrayLike, critical: ArrayLike) -> float:
    """CER: critical errors / cases of critical classes, 0 to 1; see ``docs/methods.md#severity``.

    The denominator is inferred from published counts (56/307 and 158/1478). Raises InputError when no case is
    of a critical class.

    >>> critical_error_rate([0, 0, 1, 1], [0, 1, 0, 1], [[False, False], [True, False]])
    0.5
    """
    pairs = harm.critical_misses(*_pair(labels, answers), _cells(critical))
    return _share(*pairs, "the critical error rate needs at least one case of a critical class")


def critical_errors(labels: ArrayLike, answers: ArrayLike, critical: ArrayLike) -> int:
    """Number of errors in critical cells.

    >>> critical_errors([0, 0, 1, 1], [0, 1, 0, 1], [[False, False], [True, False]])
    1
    """
    return int(harm.critical_misses(*_pair(labels, answers), _cells(critical))[0].sum())


def specificity(labels: ArrayLike, answers: ArrayLike, critical: ArrayLike) -> float:
    """Negatives (cases of classes without a critical cell) answered with any negative class / negatives.

    >>> specificity([0, 0, 0, 1], [0, 1, 0, 1], [[False, False], [True, False]])
    0.6666666666666666
    """
    pairs = harm.spared_negatives(*_pair(labels, answers), _cells(critical))
    return _share(*pairs, "specificity needs at least one case of a class that is not critical")


def cer_at_specificity(labels: ArrayLike, probs: ArrayLike, critical: ArrayLike, specificity: float) -> float:
    """Share of critical cases whose critical mass lies below the threshold of a specificity, 0 to 1.

    The threshold is read on these rows: a point of the ROC curve, see ``docs/methods.md#operating-points``.
    Raises InputError without a critical or without a negative case, or for a specificity outside (0, 1].
    """
    of_critical = harm.critical_classes(_cells(critical))[check.array(labels)]
    mass = critical_mass(probs, critical)
    return float(operating.missed_at_specificity(mass, of_critical, (specificity,))[0])


def debiased_calibration_error(labels: ArrayLike, probs: ArrayLike, clusters: Array | None = None) -> float:
    """Squared calibration error of the top label without the bias of chance; may be below 0, at most 1."""
    return debiased.debiased_with_influence(labels, probs, clusters)[0]


def skce(labels: ArrayLike, probs: ArrayLike, clusters: Array | None = None) -> float:
    """Squared kernel calibration error, unbiased; see :func:`kernel.kernel_error`."""
    return kernel.kernel_error(labels, probs, clusters, draws=0).value


def brier(labels: ArrayLike, probs: ArrayLike) -> float:
    """Mean over cases of ``Σ_k (p_k − y_k)²``, 0 to 2.

    >>> brier([0], [[0.5, 0.5]])
    0.5
    """
    return float(calibration.brier_losses(labels, probs).mean())


def root_brier(labels: ArrayLike, probs: ArrayLike) -> float:
    """Square root of the Brier score, 0 to √2 (Gruber & Buettner, NeurIPS 2022)."""
    return float(np.sqrt(brier(labels, probs)))


def nll(labels: ArrayLike, probs: ArrayLike) -> float:
    """Mean negative log-likelihood (natural logarithm), floored at p = 1e-12.

    >>> round(nll([0, 1], [[0.5, 0.5], [0.5, 0.5]]), 4)
    0.6931
    """
    return float(calibration.nll_losses(labels, probs)[0].mean())


def aurc(labels: ArrayLike, answers: ArrayLike, confidence: ArrayLike) -> float:
    """Area under the risk–coverage curve of the errors, 0 to 1; lower is better.

    >>> aurc([0, 0, 0, 0], [0, 0, 0, 1], [0.9, 0.8, 0.7, 0.6])
    0.03125
    """
    return _curve(labels, answers, confidence).aurc


def augrc(labels: ArrayLike, answers: ArrayLike, confidence: ArrayLike) -> float:
    """Area under the generalised risk–coverage curve of the errors, 0 to 0.5 (Traub et al., NeurIPS 2024).

    >>> augrc([0, 0, 0, 0], [0, 0, 0, 1], [0.9, 0.8, 0.7, 0.6])
    0.03125
    """
    return _curve(labels, answers, confidence).augrc


def e_aurc(labels: ArrayLike, answers: ArrayLike, confidence: ArrayLike) -> float:
    """AURC less the least it could be with so many errors (Geifman et al., ICLR 2019).

    0 for a score that ranks every right answer first, at a confidence of its own each; a score that ties the
    wrong ones comes out below 0 by a little, as the trapezoid cuts the corner of the curve there.
    """
    curve = _curve(labels, answers, confidence)
    return excess.excesses(curve, *_n_and_errors(labels, answers))[0]


def e_augrc(labels: ArrayLike, answers: ArrayLike, confidence: ArrayLike) -> float:
    """AUGRC less the least it could be with so many errors, 0 or more: ``(1 − failure AUROC) r (1 − r)``.

    >>> e_augrc([0, 0, 0, 0], [0, 0, 0, 1], [0.9, 0.8, 0.7, 0.6])
    0.0
    """
    curve = _curve(labels, answers, confidence)
    return excess.excesses(curve, *_n_and_errors(labels, answers))[1]


def cost_aurc(labels: ArrayLike, answers: ArrayLike, confidence: ArrayLike, cost: ArrayLike) -> float:
    """AURC of the costs of the answers, in their unit."""
    true, decided = _pair(labels, answers)
    return risk_coverage(check.array(cost)[true, decided], rank(confidence)).aurc


def cost_augrc(labels: ArrayLike, answers: ArrayLike, confidence: ArrayLike, cost: ArrayLike) -> float:
    """AUGRC of the costs of the answers, in their unit."""
    true, decided = _pair(labels, answers)
    return risk_coverage(check.array(cost)[true, decided], rank(confidence)).augrc


def failure_auroc(labels: ArrayLike, answers: ArrayLike, confidence: ArrayLike) -> float:
    """Probability that a right answer is more confident than a wrong one, ties counting half, 0 to 1.

    Raises InputError where all answers are right, or all are wrong.

    >>> failure_auroc([0, 0, 0, 0], [0, 0, 0, 1], [0.9, 0.8, 0.6, 0.7])
    0.6666666666666666
    """
    return rightness.auroc_of_ranking(~_wrong(labels, answers), rank(confidence))[0]


def fpr_at_tpr(labels: ArrayLike, answers: ArrayLike, confidence: ArrayLike, tpr: float = cuts.TPR) -> float:
    """Share of the wrong answers accepted at the highest threshold that accepts ``tpr`` of the right, 0 to 1.

    Cases of one confidence are accepted together. Raises InputError where all answers are right, or all are
    wrong.
    """
    return cuts.fpr_with_influence(_wrong(labels, answers), rank(confidence), tpr)[0]


def risk_at_coverage(
    labels: ArrayLike, answers: ArrayLike, confidence: ArrayLike, coverage: float = cuts.COVERAGE
) -> float:
    """Share wrong among the cases accepted at the highest threshold that accepts ``coverage`` of all, 0 to 1.

    Cases of one confidence are accepted together.

    >>> risk_at_coverage([0, 0, 0, 0], [0, 0, 0, 1], [0.9, 0.8, 0.6, 0.7], coverage=0.75)
    0.3333333333333333
    """
    return cuts.risk_with_influence(_wrong(labels, answers), rank(confidence), coverage)[0]


def silent_critical_rate(
    labels: ArrayLike, answers: ArrayLike, confidence: ArrayLike, critical: ArrayLike, threshold: float
) -> float:
    """Critical errors with confidence at or above the threshold / cases of critical classes, 0 to 1."""
    true, decided = _pair(labels, answers)
    pairs = harm.silent_misses(true, decided, check.array(confidence), _cells(critical), threshold)
    return _share(*pairs, "the silent critical rate needs at least one case of a critical class")


def _pair(labels: ArrayLike, answers: ArrayLike) -> tuple[Array, Array]:
    true, decided = check.array(labels), check.array(answers)
    if true.shape != decided.shape or true.ndim != 1 or not len(true):
        raise InputError(
            f"labels and answers must have one shape (N,), {true.shape} and {decided.shape} arrived"
        )
    return true, decided


def _counts(labels: ArrayLike, answers: ArrayLike) -> Confusion:
    true, decided = _pair(labels, answers)
    return count_pairs(true, decided, int(max(true.max(), decided.max())) + 1)


def _wrong(labels: ArrayLike, answers: ArrayLike) -> Bools:
    true, decided = _pair(labels, answers)
    return np.asarray(true != decided)


def _n_and_errors(labels: ArrayLike, answers: ArrayLike) -> tuple[int, int]:
    wrong = _wrong(labels, answers)
    return len(wrong), int(wrong.sum())


def _curve(labels: ArrayLike, answers: ArrayLike, confidence: ArrayLike) -> RiskCoverage:
    return risk_coverage(_wrong(labels, answers).astype(np.float64), rank(confidence))


def _cells(critical: ArrayLike) -> Bools:
    return check.array(critical).astype(np.bool_)


def _share(hits: Bools, among: Bools, need: str) -> float:
    if not among.any():
        raise InputError(f"{need}, none arrived")
    return float(hits[among].mean())
