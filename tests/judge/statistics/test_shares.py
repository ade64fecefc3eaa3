"""One-sided bounds of a share."""

from __future__ import annotations

import pytest
from scipy.stats import binom, binomtest

from primum.judge.statistics.shares import at_most


@pytest.mark.parametrize(("hits", "n"), [(0, 1), (0, 60), (3, 60), (59, 60)])
def test_at_the_bound_so_few_hits_are_as_rare_as_it_is_sure(hits: int, n: int) -> None:
    bound = at_most(hits, n)
    assert binom.cdf(hits, n, bound) == pytest.approx(0.05)
    exact = binomtest(hits, n, alternative="less").proportion_ci(0.95, "exact")
    assert bound == pytest.approx(exact.high)


def test_only_hits_bound_nothing() -> None:
    assert at_most(60, 60) == 1
