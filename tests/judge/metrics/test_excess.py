"""The least AURC and AUGRC there can be, against sorting for them."""

from __future__ import annotations

import numpy as np
import pytest

from primum.judge.metrics import excess, selective


@pytest.mark.parametrize(("n", "wrong"), [(1, 0), (1, 1), (8, 1), (8, 4), (8, 7), (8, 8), (500, 37)])
def test_the_least_areas_are_those_of_the_best_ranking(n: int, wrong: int) -> None:
    error = np.arange(n) >= n - wrong
    best = -np.arange(n)
    assert excess.least_aurc(n, wrong) == pytest.approx(
        selective.risk_coverage(error, selective.rank(best)).aurc
    )
    assert excess.least_augrc(n, wrong) == pytest.approx(
        selective.risk_coverage(error, selective.rank(best)).augrc
    )
    assert excess.excesses(
        selective.risk_coverage(error, selective.rank(best)), len(error), int(error.sum())
    )[0] == pytest.approx(0, abs=1e-12)


def test_no_ranking_without_ties_is_better() -> None:
    rng = np.random.default_rng(0)
    error = rng.random(60) < 0.3
    for _ in range(50):
        score = rng.permutation(60)
        assert (
            excess.excesses(
                selective.risk_coverage(error, selective.rank(score)), len(error), int(error.sum())
            )[0]
            > 0
        )
        assert (
            excess.excesses(
                selective.risk_coverage(error, selective.rank(score)), len(error), int(error.sum())
            )[1]
            > 0
        )


def test_many_cases_come_to_the_limit() -> None:
    rate = 0.1
    limit = rate + (1 - rate) * np.log(1 - rate)
    assert excess.least_aurc(1_000_000, 100_000) == pytest.approx(limit, abs=1e-6)
