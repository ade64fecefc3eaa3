"""Cost-matrix logit adjustment: the most probable class becomes the one of least expected cost."""

from __future__ import annotations

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from primum.core.check import InputError
from primum.model.losses import checks
from primum.severity import SeverityMatrix


class LogitAdjustedLoss(nn.Module):
    """``mean_i −Σ_k M[y_i, k] log softmax(s_i − log diag D)_k``, logits s, for the gain ``G = M D``.

    G is the largest cost minus the cost, and D its diagonal. The minimiser is ``softmax(s) ∝ Gᵀ q`` for a
    posterior q, so the most probable class is the Bayes decision, ``argmin_k Σ_y q_y cost[y, k]``. A severity
    has a zero diagonal, so D is the largest cost times the identity: ``log diag D`` shifts all logits alike
    and drops out, and ``M = 1 − cost / largest``.

    >>> loss = LogitAdjustedLoss([[0.0, 1.0], [10.0, 0.0]])
    >>> loss.gain.tolist()
    [[10.0, 9.0], [0.0, 10.0]]

    Args:
        severity: a SeverityMatrix with classes in the order of the logits, or a (K, K) array or tensor of
            costs, rows true, columns predicted, zero diagonal.

    Shapes: ``loss(logits (B, K), labels (B,)) -> ()``, in nats.

    Raises:
        InputError: for a matrix that is not a severity matrix or costs nothing, other shapes, labels out of
            range, or a per-case risk.

    Source: Narasimhan and Menon, "Training Over-parameterized Models with Non-decomposable Objectives",
    NeurIPS 2021, the loss for a general gain matrix with D = diag(G).
    """

    gain: Tensor

    def __init__(self, severity: SeverityMatrix | ArrayLike | Tensor) -> None:
        super().__init__()
        cost = checks.costs(severity)
        self.largest = float(cost.max())
        if self.largest == 0:
            raise InputError(
                "a logit-adjusted loss needs a severity matrix in which some mistake costs something"
            )
        self.register_buffer("gain", torch.from_numpy(self.largest - cost).float(), persistent=False)

    def per_case(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(B,) loss of each case."""
        values = checks.precise(logits, labels, len(self.gain), "a severity matrix")
        gains = self.gain.to(values.dtype)[labels]
        return -(gains * values.log_softmax(dim=1)).sum(dim=1) / self.largest

    def forward(self, logits: Tensor, labels: Tensor, risk: Tensor | None = None) -> Tensor:
        checks.no_risk(risk, "the logit-adjusted loss")
        return self.per_case(logits, labels).mean()

    def extra_repr(self) -> str:
        return f"classes={len(self.gain)}"
