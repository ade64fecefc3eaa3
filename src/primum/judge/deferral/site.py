"""Is the veto at home at another site? An exact alarm, and exact bounds, from images without labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binom

from primum.core import check
from primum.core.arrays import Array, Bools, Floats

LEVEL = 0.01
CHANGE = 0.2  # share vetoed that an alarm is to notice
POWER = 0.8  # how surely
MOST_UNITS = 2**17


def p_value(vetoed: ArrayLike, units: ArrayLike, bound: float) -> Floats:
    """p-value of "no more than ``bound`` of the units are vetoed here": P(Binomial(m, q) ≥ f), exact.

    At or below :data:`LEVEL` the veto is not at home here, and nothing that was promised behind it holds
    (docs/methods.md#site-alarm).

    Args:
        vetoed: (...) f of them. units: (...) m, independent. bound: q, share of known-like units vetoed, at
            most; above 0 and below 1.

    >>> p_value([2, 6], 20, 0.072).round(4).tolist()
    [0.4275, 0.0022]
    """
    return np.asarray(binom.sf(check.array(vetoed) - 1, check.array(units), bound), dtype=np.float64)


def power(units: ArrayLike, rate: float, bound: float) -> Floats:
    """(...) chance of the alarm among m units of which a share ``rate`` is vetoed on average, exact.

    >>> power([20, 50], 0.4, 0.072).round(2).tolist()
    [0.87, 1.0]
    """
    size = check.array(units)
    # the alarm needs one more than the largest count that is no rarer than its level
    most = binom.isf(LEVEL, size, bound)
    return np.asarray(binom.sf(most, size, rate), dtype=np.float64)


def fewest(bound: float, rate: float = CHANGE) -> int | None:
    """Smallest m from which on the alarm notices a veto of ``rate`` with a power of at least 80 %.

    Counts are whole, so the power over m is a sawtooth: it passes 80 %, falls below again, and stays above
    for good some units later. The later number is the one to plan with, since each larger sample keeps it.
    None where ``rate`` is not above ``bound``, or so little above that tens of thousands do not show it.

    >>> fewest(0.072), fewest(0.072, 0.4), fewest(0.25)
    (72, 16, None)
    """
    if rate <= bound:
        return None
    most = 256
    while most <= MOST_UNITS:
        weak = np.flatnonzero(power(np.arange(1, most + 1), rate, bound) < POWER)
        last = int(weak[-1]) + 1 if len(weak) else 0
        if 2 * last < most:
            return last + 1
        most *= 2
    return None


def any_of(flags: ArrayLike, clusters: Array | None) -> Bools:
    """(U,) whether a flag (N,) stands at any case of each unit; the flags where ``clusters`` is None.

    >>> any_of([True, False, False], np.array([7, 7, 8])).tolist()
    [True, False]
    """
    flagged = check.array(flags).astype(np.bool_)
    if clusters is None:
        return flagged
    names, unit = np.unique(clusters, return_inverse=True)
    return np.asarray(np.bincount(unit[flagged], minlength=len(names)) > 0, dtype=np.bool_)
