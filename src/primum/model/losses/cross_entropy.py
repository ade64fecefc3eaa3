"""Cross-entropy: the loss every other one is held against."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from primum.model.losses import checks


class CrossEntropyLoss(nn.Module):
    """``mean_i −log p_i[y_i]``, p the softmax of the logits; bit for bit what torch makes of it.

    >>> import torch
    >>> round(float(CrossEntropyLoss()(torch.zeros(1, 2), torch.tensor([1]))), 4)  # ln 2
    0.6931

    Shapes: ``loss(logits (B, K), labels (B,)) -> ()``, in nats. Half-precision logits are taken to float32.

    Raises:
        InputError: for other shapes, labels that are no class indices, or a per-case risk.
    """

    def per_case(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(B,) loss of each case."""
        return functional.cross_entropy(checks.precise(logits, labels), labels, reduction="none")

    def forward(self, logits: Tensor, labels: Tensor, risk: Tensor | None = None) -> Tensor:
        checks.no_risk(risk, "cross-entropy")
        return functional.cross_entropy(checks.precise(logits, labels), labels)
