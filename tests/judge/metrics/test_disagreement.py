"""Who is right when members differ: a case worked by hand, and SciPy's exact tests."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from primum.judge.answers import View
from primum.judge.metrics import disagreement

# Ten cases of three classes; A and B answer.
LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2])
A = np.array([0, 0, 0, 1, 1, 2, 0, 2, 2, 0])
B = np.array([0, 1, 0, 0, 1, 1, 2, 0, 1, 0])
# They differ in 1 (A right), 3 (B right), 5 (B right), 6 (neither), 7 (A right), 8 (A right).
# Both are wrong in 6 and 9.


def test_worked_by_hand():
    given = disagreement.members(LABELS, [A, B])
    assert np.flatnonzero(given.differ).tolist() == [1, 3, 5, 6, 7, 8]
    assert np.flatnonzero(~given.any_right).tolist() == [6, 9]
    assert [np.flatnonzero(alone).tolist() for alone in given.only] == [[1, 7, 8], [3, 5]]
    (pair,) = disagreement.pairs(given)
    assert (pair.differ, pair.first_right, pair.second_right, pair.neither_right) == (6, 3, 2, 1)
    assert pair.share.value == 0.6
    assert pair.share.n == 5
    assert pair.p == 1.0


@pytest.mark.parametrize(("only_first", "only_second"), [(3, 2), (5, 5), (9, 1), (0, 6), (1, 0), (40, 17)])
def test_mcnemar_is_the_exact_binomial_test(only_first, only_second):
    right = np.zeros((2, 100), dtype=bool)
    right[0, :only_first] = True
    right[1, only_first : only_first + only_second] = True
    right[:, -20:] = True
    labels = np.zeros(100, dtype=int)
    (pair,) = disagreement.pairs(disagreement.members(labels, np.where(right, 0, 1)))
    n = only_first + only_second
    exact = binomtest(only_first, n)
    assert pair.p == pytest.approx(exact.pvalue)
    interval = exact.proportion_ci(0.95, "exact")
    assert (pair.share.low, pair.share.high) == pytest.approx((interval.low, interval.high))
    assert pair.differ == n, "where both are wrong they gave the same answer"
    assert pair.neither_right == 0


def test_copies_of_a_patient_add_no_evidence():
    once = disagreement.members(LABELS, [A, B], np.arange(10))
    four = disagreement.members(np.tile(LABELS, 4), np.tile([A, B], 4), np.tile(np.arange(10), 4))
    loose = disagreement.members(np.tile(LABELS, 4), np.tile([A, B], 4))
    for given in (four, loose):
        assert given.share(given.differ).value == once.share(once.differ).value
    width = {name: one.share(one.differ) for name, one in (("once", once), ("four", four), ("loose", loose))}
    gap = {name: share.high - share.low for name, share in width.items()}
    assert gap["loose"] < 0.7 * gap["once"]
    assert gap["four"] > 0.9 * gap["once"]
    strong = np.where(np.arange(16) < 13, 0, 1)
    other = np.where(np.arange(16) < 13, 1, 0)
    plain = disagreement.members(np.zeros(64, int), np.tile([strong, other], 4))
    clustered = disagreement.members(
        np.zeros(64, int), np.tile([strong, other], 4), np.tile(np.arange(16), 4)
    )
    assert next(disagreement.pairs(plain)).p < 1e-5
    assert next(disagreement.pairs(clustered)).p > 0.005


def test_members_that_never_differ():
    given = disagreement.members(LABELS, [A, A, A])
    assert not given.differ.any()
    for pair in disagreement.pairs(given):
        assert pair.share is None
        assert pair.p == 1.0
    assert [(pair.first, pair.second) for pair in disagreement.pairs(given)] == [(0, 1), (0, 2), (1, 2)]


def test_three_members():
    third = np.array([2, 2, 2, 2, 2, 2, 2, 2, 2, 2])
    given = disagreement.members(LABELS, [A, B, third])
    assert np.flatnonzero(given.only[2]).tolist() == [9]
    assert np.flatnonzero(~given.any_right).tolist() == [6]
    part = given.take(LABELS == 2)
    assert part.right.sum(axis=1).tolist() == [2, 0, 3]


def test_measured_on_a_view():
    view = View(LABELS, {"none": np.eye(3)[A]}, {}, None, np.arange(10), None, None, None, 100, 0)
    found = {metric.code: metric for metric in disagreement.measure_members(view, np.stack([A, B]))}
    assert {code: metric.value for code, metric in found.items()} == {
        "members_all_wrong": 0.2, "oracle_accuracy": 0.8,
    }  # fmt: skip
    estimate = found["oracle_accuracy"].estimate(view)
    interval = binomtest(8, 10).proportion_ci(0.95, "exact")
    assert (estimate.low, estimate.high) == pytest.approx((interval.low, interval.high))


def test_other_shapes_are_refused(refused):
    refused(lambda: disagreement.members(LABELS, [A]), "at least 2 models to 10 cases", "1 × 10 arrived")
    refused(lambda: disagreement.members(LABELS, [A[:4], B[:4]]), "2 × 4 arrived")
