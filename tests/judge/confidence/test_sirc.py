"""SIRC by hand, in whole numbers of higher precision, and where probabilities round to 1."""

from __future__ import annotations

from decimal import Decimal, localcontext
from statistics import mean, pstdev

import numpy as np
import pytest

from primum.judge.confidence.sirc import LEAST, Sirc, doubt, fit_sirc


def test_by_hand() -> None:
    known = np.array([1.0, 3.0])  # mean 2, deviation 1
    assert fit_sirc(known) == Sirc(-1.0, 1.0)
    score = Sirc(-1.0, 1.0)([0.2, 0.2, 1e-10], [-1.0, 50.0, -1000.0])
    assert score.tolist() == pytest.approx([np.log(5) - np.log(2), np.log(5), 10 * np.log(10) - 999])


def test_it_is_the_formula_in_fifty_digits() -> None:
    rng = np.random.default_rng(0)
    first, known, second = rng.uniform(0, 1, 30), rng.normal(4, 2, 40), rng.normal(0, 5, 30)
    with localcontext() as context:
        context.prec = 50
        sigma = Decimal(pstdev(known.tolist()))
        a, b = Decimal(mean(known.tolist())) - 3 * sigma, 1 / sigma
        expected = [
            -(1 - Decimal(s1)).ln() - (1 + (-b * (Decimal(s2) - a)).exp()).ln()
            for s1, s2 in zip(first.tolist(), second.tolist(), strict=True)
        ]
    np.testing.assert_allclose(
        fit_sirc(known)(1 - first, second), [float(value) for value in expected], rtol=1e-12
    )


def test_familiar_cases_keep_the_order_of_the_highest_probability() -> None:
    probs = np.random.default_rng(1).dirichlet(np.ones(4), 200)
    score = Sirc(a=-3.0, b=1.0)(doubt(probs), np.full(200, 60.0))
    np.testing.assert_array_equal(np.argsort(score), np.argsort(probs.max(axis=1)))


def test_what_rounds_to_one_does_not_outvote_the_second_score() -> None:
    probs = [[1.0, 0.0], [1.0, 0.0], [0.9, 0.1]]
    sure_and_foreign, sure_and_known, unsure_and_known = Sirc(-3.0, 1.0)(doubt(probs), [-60.0, 0.0, 0.0])
    assert sure_and_foreign < unsure_and_known < sure_and_known
    assert np.isfinite(Sirc(0.0, 1.0)([0.0, 1.0], [-1e9, 1e9])).all()
    assert np.nextafter(1.0, 0.0) == 1.0 - LEAST
    assert 1.0 - LEAST / 2 == 1.0


def test_doubt_is_the_sum_of_the_others() -> None:
    assert doubt([[0.7, 0.2, 0.1], [1.0, 0.0, 1e-25]]).tolist() == pytest.approx([0.3, 1e-25])
    assert doubt([[0.5, 0.5]]).tolist() == [0.5]
    rows = np.array([[0.9, 0.1], [0.2, 0.8]])
    doubt(rows)
    assert rows.tolist() == [[0.9, 0.1], [0.2, 0.8]]


def test_a_second_score_without_spread_counts_as_one_of_spread_1() -> None:
    assert fit_sirc([2.0, 2.0, 2.0]) == Sirc(-1.0, 1.0)
    assert fit_sirc([0.3, 0.1 + 0.2]).b == 1.0
    assert fit_sirc([0.0, 0.0]) == Sirc(-3.0, 1.0)
    assert fit_sirc([-1e-12, -3e-12]).b == pytest.approx(1e12)
