"""Confidence read from the probabilities alone: higher = more trustworthy."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy

from primum.core import check
from primum.core.arrays import Floats


def msr(probs: ArrayLike) -> Floats:
    """(N,) maximum softmax response of probabilities (N, K), 1/K to 1 (Hendrycks & Gimpel, ICLR 2017).

    >>> msr([[0.75, 0.25], [0.5, 0.5]]).tolist()
    [0.75, 0.5]
    """
    return np.asarray(np.max(check.array(probs), axis=1), dtype=np.float64)


def margin(probs: ArrayLike) -> Floats:
    """(N,) largest minus second largest of probabilities (N, K), 0 to 1.

    >>> margin([[0.75, 0.25], [0.5, 0.5]]).tolist()
    [0.5, 0.0]
    """
    top = np.partition(check.array(probs), -2, axis=1)[:, -2:]
    return np.asarray(top[:, 1] - top[:, 0], dtype=np.float64)


def pe(probs: ArrayLike) -> Floats:
    """(N,) negated predictive entropy ``Σ p log p`` of probabilities (N, K), -log K to 0; 0·log 0 = 0."""
    p = check.array(probs)
    return np.asarray(xlogy(p, p).sum(axis=1), dtype=np.float64)


def gini(probs: ArrayLike) -> Floats:
    """(N,) ``Σ p²`` of probabilities (N, K), 1/K to 1: one minus the Gini impurity.

    >>> gini([[1.0, 0.0], [0.5, 0.5]]).tolist()
    [1.0, 0.5]
    """
    p = check.array(probs)
    return np.asarray(np.einsum("ij,ij->i", p, p), dtype=np.float64)
