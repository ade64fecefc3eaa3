"""Scores of probabilities and logits by hand, and against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import entropy

from primum.judge import confidence

PROBS = np.array([[0.7, 0.2, 0.1], [0.4, 0.4, 0.2], [1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]])


def test_by_hand() -> None:
    np.testing.assert_allclose(confidence.msr(PROBS), [0.7, 0.4, 1, 1 / 3])
    np.testing.assert_allclose(confidence.margin(PROBS), [0.5, 0, 1, 0], atol=1e-15)
    np.testing.assert_allclose(confidence.gini(PROBS), [0.54, 0.36, 1, 1 / 3])
    np.testing.assert_allclose(confidence.pe(PROBS), -entropy(PROBS, axis=1))


@pytest.mark.parametrize("name", confidence.PROBABILITIES)
def test_surest_and_least_sure(name: str) -> None:
    found = confidence.SCORES[name].compute(confidence.Evidence(PROBS))
    assert found.argmax() == 2
    assert found.argmin() in (1, 3) if name == "margin" else found.argmin() == 3
    assert found.dtype == np.float64


def test_logits_by_hand() -> None:
    logits = np.array([[1.0, 2.0, 3.0], [1000.0, 0.0, 0.0]], dtype=np.float32)
    np.testing.assert_allclose(confidence.max_logit(logits), [3, 1000])
    np.testing.assert_allclose(confidence.energy(logits), [np.log(np.exp([1, 2, 3]).sum()), 1000])


def test_energy_sees_what_probabilities_do_not() -> None:
    logits = np.array([[1.0, 2.0], [6.0, 7.0]])
    assert np.ptp(confidence.energy(logits)) == pytest.approx(5)
    assert np.ptp(confidence.msr(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))) < 1e-12
