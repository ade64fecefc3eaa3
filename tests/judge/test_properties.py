"""What must hold of every metric, whatever the numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import softmax

from primum.core.check import InputError
from tests.judge.every_metric import HARM, METRICS

ALL = METRICS | HARM
UNBIASED = ("debiased_calibration_error", "skce")  # means over pairs of cases: no case is its own pair


def cases(n: int, k: int, seed: int, spread: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.r_[np.arange(k), rng.integers(0, k, n - k)]
    logits = rng.normal(size=(n, k)) * spread
    logits[np.arange(n), labels] += 1
    return labels, softmax(logits, axis=1)


@pytest.mark.parametrize("name", ALL)
@given(seed=st.integers(0, 10_000), k=st.integers(2, 6))
def test_row_order_does_not_matter(name: str, seed: int, k: int) -> None:
    labels, probs = cases(60, k, seed)
    probs = softmax(np.round(np.log(probs)), axis=1)  # many ties
    order = np.random.default_rng(seed + 1).permutation(len(labels))
    assert ALL[name](labels[order], probs[order]) == pytest.approx(ALL[name](labels, probs), abs=1e-12)


@pytest.mark.parametrize("name", METRICS)
@given(seed=st.integers(0, 10_000))
@example(745)  # where the kernel error moved by 1.2e-9, summed in single precision
def test_renamed_classes_do_not_matter(name: str, seed: int) -> None:
    labels, probs = cases(60, 4, seed)
    order = np.random.default_rng(seed).permutation(4)
    renamed = np.argsort(order)[labels]
    assert METRICS[name](renamed, probs[:, order]) == pytest.approx(METRICS[name](labels, probs), abs=1e-12)


@pytest.mark.parametrize("name", HARM)
def test_renamed_classes_do_not_matter_when_the_costs_move_with_them(name: str) -> None:
    labels, probs = cases(80, 4, 3)
    order = np.array([2, 0, 3, 1])
    moved = HARM[name](np.argsort(order)[labels], probs[:, order], order)
    assert moved == pytest.approx(HARM[name](labels, probs))


# for e_aurc the best ranking there can be moves a little with the number of cases
@pytest.mark.parametrize(
    "name", [name for name in ALL if name not in ("critical_errors", *UNBIASED, "e_aurc")]
)
def test_every_case_twice_changes_nothing(name: str) -> None:
    labels, probs = cases(90, 3, 5)
    twice = ALL[name](np.tile(labels, 2), np.tile(probs, (2, 1)))
    assert twice == pytest.approx(ALL[name](labels, probs), abs=1e-9)


@pytest.mark.parametrize("name", ALL)
def test_constant_probabilities_give_a_number(name: str) -> None:
    labels, probs = cases(40, 3, 1)
    assert math.isfinite(ALL[name](labels, np.full_like(probs, 1 / 3)))


@pytest.mark.parametrize("name", ALL)
def test_one_case_gives_a_number_or_a_sentence(name: str) -> None:
    case = np.array([2]), np.array([[0.2, 0.3, 0.5]])
    if name in ("auroc", "specificity", "cer_at_specificity_70", "cer_at_specificity_90", *UNBIASED):
        with pytest.raises(InputError, match="needs"):
            ALL[name](*case)
    else:
        assert math.isfinite(ALL[name](*case))


@pytest.mark.parametrize("name", ALL)
@given(logits=hnp.arrays(np.float64, (20, 3), elements=st.sampled_from([-1e4, -50.0, 0.0, 1.0, 50.0, 1e4])))
def test_extreme_logits_give_a_finite_number(name: str, logits: np.ndarray) -> None:
    labels = np.arange(20) % 3
    assert math.isfinite(ALL[name](labels, softmax(logits, axis=1)))


@pytest.mark.parametrize("name", ["accuracy", "balanced_accuracy", "macro_f1", "auroc", "specificity"])
def test_right_and_sure_is_best(name: str) -> None:
    labels = np.arange(30) % 3
    assert ALL[name](labels, np.eye(3)[labels]) == 1


@pytest.mark.parametrize(
    "name",
    [
        "ece",
        "ece_equal_mass",
        "classwise_ece",
        *UNBIASED,
        "brier",
        "root_brier",
        "nll",
        "aurc",
        "augrc",
        "e_aurc",
        "e_augrc",
        "risk_at_80_coverage",
        "cer",
        "expected_cost",
        "cer_at_specificity_70",
        "cer_at_specificity_90",
    ],
)
def test_right_and_sure_costs_nothing(name: str) -> None:
    labels = np.arange(30) % 3
    assert ALL[name](labels, np.eye(3)[labels]) == pytest.approx(0)
