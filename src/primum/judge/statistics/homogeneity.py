"""Whether two samples have the same shares of categories: chi-squared, redrawn where counts are small."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2_contingency, random_table

from primum.core import check

ENOUGH = 5.0  # of the smallest expected count, from which on the chi-squared distribution is near enough
DRAWS = 9_999
ROUNDING = 1e-9


def p_value(counts: ArrayLike) -> float:
    """p-value of "both rows have the same shares" from counts (2, C) of independent units; 1 where C < 2.

    Pearson's chi-squared, with Yates's correction for two categories. Where an expected count is below 5 its
    distribution is that of 9,999 tables of the same margins, drawn with a fixed seed: p is then at least
    1/10,000, exact but for the draw, and above chance no more often than it says however few the units are.
    Columns are ordered by their counts first, so that p is the same whatever their order.

    Args:
        counts: (2, C) whole numbers, 0 or more; columns without a count are left out.

    >>> p_value([[10, 10], [10, 10]])
    1.0
    """
    table = check.array(counts).astype(np.int64)
    table = table[:, table.sum(axis=0) > 0]
    # the draw below depends on the order of the columns, which must not matter
    table = table[:, np.lexsort(table)]
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    if len(columns) < 2 or (rows == 0).any():
        return 1.0
    expected = np.outer(rows, columns) / table.sum()
    if expected.min() >= ENOUGH:
        return float(chi2_contingency(table).pvalue)
    redrawn = random_table(rows, columns).rvs(DRAWS, random_state=0)
    statistic = ((table - expected) ** 2 / expected).sum()
    statistics = ((redrawn - expected) ** 2 / expected).sum(axis=(1, 2))
    return float((1 + (statistics >= statistic * (1 - ROUNDING)).sum()) / (1 + DRAWS))
