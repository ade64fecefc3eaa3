"""A smooth curve through a few knots that is straight beyond them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from primum.core import check
from primum.core.arrays import Floats

QUANTILES = {3: (0.1, 0.5, 0.9), 4: (0.05, 0.35, 0.65, 0.95), 5: (0.05, 0.275, 0.5, 0.725, 0.95)}


def knots(values: ArrayLike, count: int = 5) -> Floats:
    """(3 to 5,) distinct quantiles of values (N,) to put knots at; fewer, or none, where values tie.

    Source: Harrell, *Regression Modeling Strategies*, 2nd edition, table 2.3.

    Args:
        values: (N,) finite. count: 3, 4 or 5.

    >>> knots(np.arange(101), 3).tolist()
    [10.0, 50.0, 90.0]
    """
    finite = check.array(values).astype(np.float64)
    distinct = len(np.unique(finite))
    for size in range(min(count, distinct), 2, -1):
        at = np.quantile(finite, QUANTILES[size])
        if (np.diff(at) > 1e-9 * np.ptp(finite)).all():
            return np.asarray(at)
    return np.empty(0)


def natural(values: ArrayLike, at: Floats) -> Floats:
    """Columns (N, max(1, k − 1)) of the natural cubic spline of values (N,) with k knots, no constant.

    The first column is the values themselves; the j-th of the others is ``d_j − d_{k−1}`` with
    ``d_j = ((x − t_j)₊³ − (x − t_k)₊³) / (t_k − t_j)``, in units of the squared distance of the outer knots:
    cubic between knots, with two continuous derivatives, a straight line beyond the outer ones. Without knots
    the values alone. Source: Hastie, Tibshirani and Friedman, *Elements of Statistical Learning*, eq. 5.4.
    """
    x = check.array(values).astype(np.float64)
    if not len(at):
        return x[:, None]
    past = np.maximum(x[:, None] - at, 0) ** 3
    steps = (past[:, :-1] - past[:, -1:]) / (at[-1] - at[:-1])
    bends = (steps[:, :-1] - steps[:, -1:]) / (at[-1] - at[0]) ** 2
    return np.column_stack([x, bends])
