"""Hierarchical cross-entropy: first benign or malignant, then which."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from primum.core.check import InputError
from primum.model.losses import checks
from primum.severity import SeverityMatrix


def hierarchical(logits: Tensor, labels: Tensor, same: Tensor, fine: float) -> Tensor:
    """(B,) ``−[log p(G) + fine · log p(y | G)]`` of each case, G the super-class of the true class y.

    >>> logits = torch.log(torch.tensor([[0.3, 0.3, 0.4]]))
    >>> same = torch.tensor([[True, True, False], [True, True, False], [False, False, True]])
    >>> round(float(hierarchical(logits, torch.tensor([0]), same, fine=0.0)), 4)  # −ln 0.6
    0.5108

    Args:
        logits: (B, K) float32 or better.
        labels: (B,) int64.
        same: (K, K) bool, whether two classes are of one super-class.
        fine: weight of the finer decision, e^−α.
    """
    log_p = logits.log_softmax(dim=1)
    # p(y | G) as a difference of logarithms, which stays finite where p(G) underflows
    true = log_p.gather(1, labels[:, None])[:, 0]
    group = log_p.masked_fill(~same[labels], -torch.inf).logsumexp(dim=1)
    return -(group + fine * (true - group))


class HierarchicalLoss(nn.Module):
    """``mean_i −[log p_i(G_i) + e^−α log p_i(y_i | G_i)]``, two levels: G is the super-class of y.

    The super-classes are the severity's critical classes and its negatives; ``p(G)`` is the sum of the
    softmax over them. The larger α, the less the class inside its super-class counts; α = 0 is cross-entropy.
    Proper: the minimiser is the posterior, for every finite α.

    Args:
        severity: with classes in the order of the logits.
        strength: α ≥ 0.

    Shapes: ``loss(logits (B, K), labels (B,)) -> ()``, in nats.

    Raises:
        InputError: for a severity without critical cells or without negatives, α < 0, other shapes, labels
            out of range, or a per-case risk.

    Source: Bertinetto et al., "Making Better Mistakes", CVPR 2020, whose weight of an edge is e^−α for each
    step it lies from the root; here divided by the weight of the first step, which scales the loss by e^α.
    """

    same: Tensor

    def __init__(self, severity: SeverityMatrix, strength: float = 0.5) -> None:
        super().__init__()
        self.strength = checks.number(strength, "the strength of a hierarchical loss")
        side = severity.critical_classes
        if side.all() or not side.any():
            raise InputError(
                f"{severity.name}: a hierarchical loss needs critical classes and negatives, "
                f"{side.sum()} of {len(side)} classes are critical; name the critical cells of this severity"
            )
        self.register_buffer("same", torch.from_numpy(side[:, None] == side[None, :]), persistent=False)

    def per_case(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(B,) loss of each case."""
        values = checks.precise(logits, labels, len(self.same), "a severity matrix")
        return hierarchical(values, labels, self.same, math.exp(-self.strength))

    def forward(self, logits: Tensor, labels: Tensor, risk: Tensor | None = None) -> Tensor:
        checks.no_risk(risk, "the hierarchical loss")
        if self.strength == 0:
            values = checks.precise(logits, labels, len(self.same), "a severity matrix")
            return functional.cross_entropy(values, labels)
        return self.per_case(logits, labels).mean()

    def extra_repr(self) -> str:
        return f"classes={len(self.same)}, strength={self.strength:g}"
