"""Confidence read from true logits, whose level means something; log-probabilities have lost it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp

from primum.core import check
from primum.core.arrays import Floats


def max_logit(logits: ArrayLike) -> Floats:
    """(N,) largest of logits (N, K) (Hendrycks et al., ICML 2022).

    >>> max_logit([[1.0, 3.0]]).tolist()
    [3.0]
    """
    return np.asarray(np.max(check.array(logits), axis=1), dtype=np.float64)


def energy(logits: ArrayLike) -> Floats:
    """(N,) ``log Σ exp z`` of logits (N, K), the negated free energy (Liu et al., NeurIPS 2020)."""
    return np.asarray(logsumexp(check.array(logits).astype(np.float64), axis=1), dtype=np.float64)
