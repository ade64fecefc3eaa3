"""Counts of (true, decided) pairs, once or in many bootstrap replicates at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from primum.core import check
from primum.core.arrays import Array, Bools, Floats, Integers
from primum.core.check import InputError
from primum.judge.statistics.interval import Resampler


@dataclass(frozen=True, eq=False)
class Confusion:
    """Only the C pairs that occur are stored, so that 1,139 classes cost no more than their cases.

    Attributes:
        true, decided: (C,) class index of each pair; rows are the true class, columns the decided one.
        counts: (..., C) cases of each pair; leading axes are replicates.
        classes: K.
    """

    true: Integers
    decided: Integers
    counts: Floats
    classes: int

    def by(self, index: Integers, keep: Bools | None = None) -> Floats:
        """(..., K) counts summed over the pairs of each value of ``index``, of the pairs to ``keep``."""
        weight = np.ones(len(index)) if keep is None else keep.astype(np.float64)
        gather = sparse.csr_matrix((weight, (np.arange(len(index)), index)), shape=(len(index), self.classes))
        return np.asarray(self.counts @ gather)

    @cached_property
    def totals(self) -> Floats:
        """(..., K) cases of each true class."""
        return self.by(self.true)

    @cached_property
    def answers(self) -> Floats:
        """(..., K) cases given each answer."""
        return self.by(self.decided)

    @cached_property
    def hits(self) -> Floats:
        """(..., K) cases of each true class that were answered with it."""
        return self.by(self.true, self.true == self.decided)

    def matrix(self) -> Integers:
        """(K, K) counts; for one set of counts, not for replicates."""
        full = np.zeros((self.classes, self.classes), dtype=np.int64)
        full[self.true, self.decided] = self.counts
        return full


def count_pairs(
    labels: ArrayLike, decisions: ArrayLike, classes: int, resampler: Resampler | None = None
) -> Confusion:
    """Count the pairs of labels and decisions, both (N,) class indices in [0, K).

    With a ``resampler`` the counts are its B replicates. Raises InputError for indices outside the classes.
    """
    true, decided = check.array(labels).astype(np.int64), check.array(decisions).astype(np.int64)
    if true.shape != decided.shape or true.ndim != 1:
        raise InputError(
            f"labels and decisions must have one shape (N,), {true.shape} and {decided.shape} arrived"
        )
    if len(true) == 0:
        raise InputError("labels: at least one case is needed, none arrived")
    if min(true.min(), decided.min()) < 0 or max(true.max(), decided.max()) >= classes:
        raise InputError(
            f"labels and decisions must be class indices from 0 to {classes - 1}; leave unknown labels out"
        )
    pairs, index, counts = np.unique(true * classes + decided, return_inverse=True, return_counts=True)
    cases: Floats = counts.astype(np.float64) if resampler is None else resampler.sums(index, len(pairs))
    return Confusion(pairs // classes, pairs % classes, cases, classes)


def ratio(numerator: Array | float, denominator: Array | float) -> Floats:
    """Numerator / denominator, 0 where the denominator is 0.

    >>> ratio(np.array([1.0, 2.0]), np.array([4.0, 0.0]))
    array([0.25, 0.  ])
    """
    return np.divide(
        numerator,
        denominator,
        out=np.zeros_like(numerator, dtype=np.float64),
        where=np.asarray(denominator) > 0,
    )
