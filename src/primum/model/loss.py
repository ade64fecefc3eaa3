"""The risk-calibrated loss, for any PyTorch training loop."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn import functional

from primum import check
from primum.check import InputError
from primum.severity import SeverityMatrix


def risk_calibrated_loss(logits: Tensor, labels: Tensor, cost: Tensor, strength: float) -> Tensor:
    """Cross-entropy plus λ times the expected severity, mean over the batch.

    ``mean_i [ CE(y_i, p_i) + λ Σ_j M[y_i, j] p_ij ]`` with p the softmax of the logits.

    Args:
        logits: (B, K) float.
        labels: (B,) int64, classes 0 … K−1.
        cost: (K, K) float M, rows true, columns predicted, taken as it is (the module below divides a
            severity matrix by its largest entry).
        strength: λ ≥ 0; 0 gives ``torch.nn.functional.cross_entropy`` bit for bit.

    Returns:
        () scalar, in nats plus λ times the unit of ``cost``.

    Source: a *reconstruction* of risk-calibrated learning (arXiv 2604.12693), whose exact formula is not
    public to us; the added term is the cost-sensitive regularisation of Galdran et al., MICCAI 2020.
    The minimiser is deliberately miscalibrated: ``p_j = q_j / (μ + λ Σ_k q_k M[k, j])`` for a posterior q.
    """
    base = functional.cross_entropy(logits, labels)
    if strength == 0:
        return base
    precise = torch.promote_types(logits.dtype, torch.float32)
    expected = (cost.to(precise)[labels] * logits.softmax(dim=1, dtype=precise)).sum(dim=1)
    return base + strength * expected.mean()


class RiskCalibratedLoss(nn.Module):
    """:func:`risk_calibrated_loss` with the matrix kept on the module's device.

    >>> loss = RiskCalibratedLoss([[0.0, 1.0], [10.0, 0.0]], strength=10.0)
    >>> float(loss(torch.zeros(1, 2), torch.tensor([1])))  # ln 2 + 10 · 1 · ½
    5.693147...

    Args:
        severity: a SeverityMatrix with classes in the order of the logits (``severity.ordered(classes, …)``
            puts them so), or a (K, K) array or tensor of costs, rows true, columns predicted, zero diagonal.
            Divided by its largest entry.
        strength: λ ≥ 0.

    Shapes: ``loss(logits (B, K), labels (B,)) -> ()``, the mean over the batch.

    Raises:
        InputError: for a matrix that is not a severity matrix, a negative λ, or logits of another width.
    """

    cost: Tensor

    def __init__(self, severity: SeverityMatrix | ArrayLike | Tensor, strength: float = 10.0) -> None:
        super().__init__()
        if not 0 <= strength < float("inf"):
            raise InputError(f"the strength of a risk-calibrated loss must be 0 or more, {strength} arrived")
        self.strength = float(strength)
        matrix = severity.cost if isinstance(severity, SeverityMatrix) else severity
        matrix = matrix.detach().cpu().numpy() if isinstance(matrix, Tensor) else matrix
        cost = np.array(matrix, dtype=np.float64)
        check.severity_matrix(cost, [str(i) for i in range(len(cost))], "severity")
        self.largest = float(cost.max()) or 1.0
        # The raw matrix, exact in float32 where costs are small integers; scaled through λ. It belongs to the
        # training, not to the network, so it stays out of state_dict().
        self.register_buffer("cost", torch.from_numpy(cost).float(), persistent=False)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        if logits.ndim != 2 or logits.shape[1] != len(self.cost):
            raise InputError(
                f"a severity matrix of {len(self.cost)} classes needs logits of shape B × {len(self.cost)}, "
                f"{' × '.join(map(str, logits.shape))} arrived"
            )
        return risk_calibrated_loss(logits, labels, self.cost, self.strength / self.largest)

    def extra_repr(self) -> str:
        return f"classes={len(self.cost)}, strength={self.strength:g}"
