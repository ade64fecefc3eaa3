"""Do two samples hold the same things more often than chance explains?"""

from __future__ import annotations

import numpy as np
from scipy.stats import binom, hypergeom

from primum.core.arrays import Array


def spanning(first: Array, second: Array) -> float:
    """P-value, in [0, 1], of as many values or more standing in both samples as do; 1 where none does.

    Args:
        first: (a,) hashable values such as hashes of rows. second: (b,) the same of the other sample.

    Coarse values coincide by chance, inside each sample as well as between the two. Were the a + b = N
    members dealt to the samples at random, a value that m of them have would stand in both with probability
    1 − [C(a, m) + C(b, m)] / C(N, m). The p-value is the binomial tail of the number of values that do, at
    the mean of these probabilities: an upper bound where they differ (Hoeffding 1956, Annals of Mathematical
    Statistics 27). Copies dealt at random look like chance too; this finds one sample made from the other.

    >>> spanning(np.array([1, 2, 3]), np.array([4, 5]))
    1.0
    """
    values, sizes = np.unique(np.concatenate([first, second]), return_counts=True)
    # a value that one member has cannot stand in both
    several = sizes > 1
    common = np.isin(values[several], first) & np.isin(values[several], second)
    if not common.any():
        return 1.0
    sizes, total = sizes[several], len(first) + len(second)
    # all m members in one sample, or all in the other
    one_sided = sum(hypergeom.pmf(sizes, total, len(side), sizes) for side in (first, second))
    return float(binom.sf(common.sum() - 1, len(common), 1 - np.mean(one_sided)))
