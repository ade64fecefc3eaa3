"""Focal loss: cases that are already right count less."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from primum.model.losses import checks


def focal(logits: Tensor, labels: Tensor, gamma: float) -> Tensor:
    """(B,) ``−(1 − p[y])^γ log p[y]`` of each case; logits (B, K) float32 or better, labels (B,) int64.

    >>> logits, labels = torch.tensor([[0.0, 0.0], [9.0, 0.0]]), torch.tensor([0, 0])
    >>> [round(value, 4) for value in focal(logits, labels, gamma=2.0).tolist()]  # ln 2 / 4, and nothing
    [0.1733, 0.0]
    """
    log_p = logits.log_softmax(dim=1).gather(1, labels[:, None])[:, 0]
    # 1 − p without cancellation; above 0, since the slope of x^γ at 0 is infinite for γ < 1
    wrong = (-torch.expm1(log_p)).clamp(min=torch.finfo(log_p.dtype).tiny)
    return -(wrong**gamma) * log_p


class FocalLoss(nn.Module):
    """``mean_i −(1 − p_i[y_i])^γ log p_i[y_i]``, p the softmax of the logits, without class weights.

    Args:
        gamma: γ ≥ 0; 0 is cross-entropy.

    Shapes: ``loss(logits (B, K), labels (B,)) -> ()``.

    Raises:
        InputError: for γ < 0, other shapes, labels out of range, or a per-case risk.

    Source: Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, equation 4, with the softmax in
    place of the sigmoid. Not a proper score: its minimiser is less confident than the posterior.
    """

    def __init__(self, gamma: float = 2.0) -> None:
        super().__init__()
        self.gamma = checks.number(gamma, "gamma of a focal loss")

    def per_case(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(B,) loss of each case."""
        return focal(checks.precise(logits, labels), labels, self.gamma)

    def forward(self, logits: Tensor, labels: Tensor, risk: Tensor | None = None) -> Tensor:
        checks.no_risk(risk, "the focal loss")
        return self.per_case(logits, labels).mean()

    def extra_repr(self) -> str:
        return f"gamma={self.gamma:g}"
