"""Isotonic calibration against scikit-learn, and the rows and classes it cannot speak of."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.isotonic import IsotonicRegression

from primum.judge.recalibration import isotonic


@pytest.mark.parametrize("digits", [1, 12])
def test_it_equals_scikit_learn_class_by_class(digits: int) -> None:
    rng = np.random.default_rng(0)
    logits = np.round(rng.normal(size=(400, 3)) * 2, digits)  # one digit: many ties
    labels = (logits * 0.4 + rng.gumbel(size=logits.shape)).argmax(axis=1)
    new = rng.normal(size=(100, 3)) * 3
    probs, other = softmax(logits, axis=1), softmax(new, axis=1)
    columns = []
    for k in range(3):
        theirs = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(probs[:, k], labels == k)
        columns.append(theirs.predict(other[:, k]))
    expected = np.stack(columns, axis=1)
    np.testing.assert_allclose(
        isotonic.fit_isotonic(logits, labels)(new), expected / expected.sum(axis=1, keepdims=True), atol=1e-9
    )


def test_some_rows_in_known_order_are_those_rows() -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(300, 4))
    labels, kept = rng.integers(0, 4, 300), rng.random(300) < 0.7
    told = isotonic.fit_isotonic(logits, labels, kept, isotonic.ranks(logits))
    np.testing.assert_array_equal(told(logits), isotonic.fit_isotonic(logits[kept], labels[kept])(logits))


def test_a_class_without_a_fit_row_keeps_its_probability() -> None:
    logits = np.log(np.array([[0.6, 0.3, 0.1], [0.3, 0.6, 0.1], [0.5, 0.4, 0.1], [0.2, 0.7, 0.1]]))
    found = isotonic.fit_isotonic(logits, np.array([0, 1, 0, 1]))
    assert found.steps[2] is None
    np.testing.assert_allclose(found(logits)[:, 2], 0.1 / 1.1)


def test_a_row_sent_to_zero_everywhere_keeps_all_its_probabilities() -> None:
    # each class is right only above one half, so that a row below it in both comes out as 0, 0, 0
    logits = np.log(np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.5, 0.3, 0.2]]))
    found = isotonic.fit_isotonic(logits, np.array([0, 1, 2, 0]))
    even = np.log([[0.34, 0.33, 0.33]])
    raised = [np.interp(np.exp(even[0, k]), *step) for k, step in enumerate(found.steps) if step is not None]
    assert raised[0] > 0
    only = isotonic.Isotonic(tuple((np.array([0.5, 0.6]), np.array([0.0, 1.0])) for _ in range(3)))
    np.testing.assert_allclose(only(even), [[0.34, 0.33, 0.33]])
    np.testing.assert_allclose(only(np.log([[0.55, 0.4, 0.05]])), [[1, 0, 0]])
