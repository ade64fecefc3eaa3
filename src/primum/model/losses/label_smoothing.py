"""Cross-entropy against labels that are never quite certain."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from primum.core.check import InputError
from primum.model.losses import checks


class LabelSmoothingLoss(nn.Module):
    """``mean_i −Σ_k t_i[k] log p_i[k]`` with the target ``t = (1 − ε) onehot(y) + ε / K``.

    The minimiser is ``(1 − ε) q + ε / K`` for a posterior q.

    >>> import torch
    >>> logits, labels = torch.log(torch.tensor([[0.95, 0.05]])), torch.tensor([0])
    >>> round(float(LabelSmoothingLoss(0.1)(logits, labels)), 4)  # the least it can be, the entropy of t
    0.1985

    Args:
        smoothing: ε, 0 or more and less than 1; 0 is cross-entropy.

    Shapes: ``loss(logits (B, K), labels (B,)) -> ()``, in nats.

    Raises:
        InputError: for another ε, other shapes, labels out of range, or a per-case risk.

    Source: Szegedy et al., "Rethinking the Inception Architecture", CVPR 2016, section 7.
    """

    def __init__(self, smoothing: float = 0.1) -> None:
        super().__init__()
        if not 0 <= smoothing < 1:
            raise InputError(
                f"the smoothing of labels must be 0 or more and less than 1, {smoothing} arrived"
            )
        self.smoothing = float(smoothing)

    def per_case(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(B,) loss of each case."""
        values = checks.precise(logits, labels)
        return functional.cross_entropy(values, labels, reduction="none", label_smoothing=self.smoothing)

    def forward(self, logits: Tensor, labels: Tensor, risk: Tensor | None = None) -> Tensor:
        checks.no_risk(risk, "label smoothing")
        return self.per_case(logits, labels).mean()

    def extra_repr(self) -> str:
        return f"smoothing={self.smoothing:g}"
