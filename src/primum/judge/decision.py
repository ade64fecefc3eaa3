"""From probabilities to an answer (METHODS §1)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from primum import check
from primum.judge.interval import Floats


def argmax(probs: Any) -> NDArray[np.int64]:
    """(N,) most probable class of probabilities or logits (N, K); the first where several tie."""
    return np.asarray(np.argmax(check.array(probs), axis=1), dtype=np.int64)


def bayes(probs: Any, cost: Any) -> NDArray[np.int64]:
    """(N,) decision of least expected cost, ``argmin_d Σ_i p_i c[i, d]``; the first where several tie.

    Args:
        probs: (N, K) *calibrated* probabilities.
        cost: (K, D), rows true; a column beyond K is a further decision, such as deferring.
    """
    return np.asarray(np.argmin(check.array(probs) @ check.array(cost), axis=1), dtype=np.int64)


def reprior(probs: Any, priors: Any, new_priors: Any) -> Floats:
    """Probabilities (N, K) moved from one prevalence to another: ``p'_i ∝ p_i P'_i / P_i``.

    A class of old prior 0 keeps probability 0.
    """
    old, new = check.array(priors), check.array(new_priors)
    factor = np.divide(new, old, out=np.zeros(len(old)), where=old > 0)
    moved = check.array(probs) * factor
    return np.asarray(moved / np.maximum(moved.sum(axis=1, keepdims=True), 1e-300), dtype=np.float64)
