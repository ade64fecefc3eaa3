"""Undo exactly what a risk-aware loss did to the probabilities of its minimiser; nothing is fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import softmax

from primum.core.arrays import Floats
from primum.judge.recalibration.recalibrators import bounded

CONDITION = 1e6  # of a gain matrix that is still called invertible
CELLS = 4_000_000  # numbers held at once by the systems of an inversion
MOST_INVERTED = 200  # classes; beyond, a K × K system for every case takes minutes


@dataclass(frozen=True, eq=False)
class Inversion:
    """Exact inverse of the ``expected`` risk-calibrated loss at its minimiser (docs/methods.md#inversion).

    The minimiser of ``CE + λ Σ_j M[y, j] p_j`` is ``p_j = q_j / (μ + λ r_j)``, so the true posterior is
    ``q ∝ (I − λ diag(p) Mᵀ)⁻¹ p``. Nothing is fitted. Where p is no minimiser for any q (some entry comes out
    negative) that entry is set to 0.

    Attributes:
        cost: (K, K) severity divided by its largest entry, as inside the loss.
        strength: λ.
    """

    cost: Floats
    strength: float

    def __call__(self, logits: ArrayLike) -> Floats:
        probs = softmax(bounded(logits), axis=1)
        parts = max(1, probs.size * probs.shape[1] // CELLS)
        return np.concatenate([self._invert(part) for part in np.array_split(probs, min(parts, len(probs)))])

    def _invert(self, probs: Floats) -> Floats:
        k = probs.shape[1]
        system = np.eye(k) - self.strength * probs[:, :, None] * self.cost.T
        try:
            raw = np.linalg.solve(system, probs[:, :, None])[:, :, 0]
        except np.linalg.LinAlgError:
            raw = (np.linalg.pinv(system) @ probs[:, :, None])[:, :, 0]
        return _share(raw * np.sign(raw.sum(axis=1, keepdims=True)), probs)


@dataclass(frozen=True, eq=False)
class GainInversion:
    """Exact inverse of the logit-adjusted loss at its minimiser, ``p ∝ Gᵀ q``: ``q ∝ (Gᵀ)⁻¹ p``.

    Nothing is fitted. Where p is no minimiser for any q (some entry comes out negative) that entry is set to
    0. Source: Narasimhan and Menon, NeurIPS 2021.

    Attributes:
        gain: (K, K) G, the largest cost minus the cost, rows true; invertible.
    """

    gain: Floats

    def __call__(self, logits: ArrayLike) -> Floats:
        probs = softmax(bounded(logits), axis=1)
        return _share(np.linalg.solve(self.gain.T, probs.T).T, probs)


def _share(raw: Floats, instead: Floats) -> Floats:
    """Rows (N, K) without what is negative, divided by their sum; ``instead`` where nothing is left."""
    raw = np.maximum(raw, 0)
    total = raw.sum(axis=1, keepdims=True)
    return np.asarray(np.where(total > 0, raw / np.where(total > 0, total, 1), instead))


def inversion_for(source: Mapping[str, object], classes: Sequence[str]) -> Inversion | GainInversion | None:
    """The exact inversion of the loss ``source`` names, for logits in the order of ``classes``.

    There is one for the ``expected`` risk-calibrated loss over cross-entropy without per-case risk, and for
    the logit-adjusted loss where its gain matrix is invertible; None for every other loss, whose networks are
    recalibrated empirically, and for the risk-calibrated loss of more than 200 classes.
    """
    loss = source.get("loss")
    if not isinstance(loss, Mapping):
        return None
    severity = loss.get("severity") or {}
    if sorted(severity.get("classes", ())) != sorted(classes):
        return None
    at = [severity["classes"].index(name) for name in classes]
    cost = np.asarray(severity["cost"], dtype=np.float64)[np.ix_(at, at)]
    if not cost.any():
        return None
    if loss.get("name") == "risk_calibrated" and loss.get("form") == "expected":
        plain = loss.get("base", "cross_entropy") == "cross_entropy" and loss.get("risk") is None
        invertible = len(classes) <= MOST_INVERTED
        return Inversion(cost / cost.max(), float(loss["strength"])) if plain and invertible else None
    if loss.get("name") == "logit_adjusted":
        gain = 1 - cost / cost.max()
        return GainInversion(gain) if np.linalg.cond(gain) < CONDITION else None
    return None
