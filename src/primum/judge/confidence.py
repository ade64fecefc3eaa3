"""How sure the model says it is of each answer: higher = more trustworthy (METHODS §4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import xlogy

from primum import check
from primum.judge.interval import Floats


def msr(probs: Any) -> Floats:
    """(N,) maximum softmax response of probabilities (N, K), 1/K to 1."""
    return np.asarray(np.max(check.array(probs), axis=1), dtype=np.float64)


def pe(probs: Any) -> Floats:
    """(N,) negated predictive entropy ``Σ p log p`` of probabilities (N, K), -log K to 0; 0·log 0 = 0."""
    p = check.array(probs)
    return np.asarray(xlogy(p, p).sum(axis=1), dtype=np.float64)


SCORES: dict[str, Callable[[Any], Floats]] = {"msr": msr, "pe": pe}
