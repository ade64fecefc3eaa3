"""Equal shares in two samples: by hand where counts are small, SciPy's chi-squared where they are not."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from primum.judge.statistics.homogeneity import p_value


def by_dealing(counts: list[list[int]]) -> float:
    """p by dealing all units anew in every possible way."""
    table = np.array(counts)
    units, first, columns = (
        np.repeat(np.arange(table.shape[1]), table.sum(axis=0)),
        table[0].sum(),
        len(counts[0]),
    )
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()

    def apart(one: np.ndarray) -> float:
        both = np.stack([one, table.sum(axis=0) - one])
        return float(((both - expected) ** 2 / expected).sum())

    dealt = [
        apart(np.bincount(units[list(chosen)], minlength=columns))
        for chosen in combinations(range(len(units)), first)
    ]
    return float(np.mean(np.array(dealt) >= apart(table[0]) - 1e-9))


@pytest.mark.parametrize(
    "counts", [[[4, 0], [0, 4]], [[3, 1], [1, 3]], [[2, 1, 0], [0, 1, 5]], [[4, 0, 0], [1, 6, 5]]]
)
def test_few_units_are_dealt_anew(counts: list[list[int]]) -> None:
    """Four against four apart: 2 of 70 ways of dealing are as far apart."""
    p = by_dealing(counts)
    assert p_value(counts) == pytest.approx(p, abs=4 * np.sqrt(p / 10_000))
    if counts == [[4, 0], [0, 4]]:
        assert p == pytest.approx(2 / 70)


def test_many_units_follow_chi_squared() -> None:
    counts = np.array([[30, 40, 12], [50, 31, 24]])
    assert p_value(counts) == pytest.approx(chi2_contingency(counts).pvalue)


def test_the_order_of_categories_does_not_matter() -> None:
    counts = np.array([[6, 1, 0, 3], [40, 2, 9, 1]])
    assert len({p_value(counts[:, order]) for order in map(list, permutations(range(4)))}) == 1
    assert p_value(np.c_[counts, [0, 0]]) == p_value(counts)


def test_one_category_or_one_sample_is_no_difference() -> None:
    assert p_value([[5], [9]]) == p_value([[0, 0], [3, 4]]) == p_value([[0, 0], [0, 0]]) == 1
