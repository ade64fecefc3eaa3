"""Cross-entropy in which rare classes count as much as common ones."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn import functional

from primum.core import check
from primum.core.arrays import Floats
from primum.core.check import InputError
from primum.model.losses import checks


def balanced_weights(counts: ArrayLike) -> Floats:
    """(K,) weights ``N / (K n_k)`` of classes with n_k training cases; their mean over the cases is 1.

    >>> balanced_weights([90, 10]).round(3).tolist()
    [0.556, 5.0]

    Raises InputError for a class without a case.
    """
    cases = check.numbers(counts, "counts", "cases of each class").astype(np.float64)
    if cases.ndim != 1 or len(cases) < 2 or not (np.isfinite(cases) & (cases > 0)).all():
        raise InputError(
            f"class weights need at least one training case of each of two classes or more, "
            f"the counts {cases.tolist()} arrived"
        )
    return np.asarray(cases.sum() / (len(cases) * cases))


class ClassWeightedLoss(nn.Module):
    """``mean_i −w[y_i] log p_i[y_i]`` with ``w_k = N / (K n_k)``.

    The sum is divided by B, not by the sum of the weights in the batch as in
    ``torch.nn.functional.cross_entropy(weight=…)``: so a batch of rare cases stays a heavy one, and the
    weights average to 1 over the training set. The minimiser is ``p_k ∝ w_k q_k`` for a posterior q.

    Args:
        counts: (K,) training cases of each class, in the order of the logits.

    Shapes: ``loss(logits (B, K), labels (B,)) -> ()``.

    Raises:
        InputError: for a class without a case, other shapes, labels out of range, or a per-case risk.

    Source: the "balanced" heuristic of King and Zeng, Political Analysis 2001.
    """

    weights: Tensor

    def __init__(self, counts: ArrayLike) -> None:
        super().__init__()
        self.register_buffer("weights", torch.from_numpy(balanced_weights(counts)).float(), persistent=False)

    def per_case(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(B,) loss of each case."""
        values = checks.precise(logits, labels, len(self.weights), "a class-weighted loss")
        return functional.cross_entropy(
            values, labels, weight=self.weights.to(values.dtype), reduction="none"
        )

    def forward(self, logits: Tensor, labels: Tensor, risk: Tensor | None = None) -> Tensor:
        checks.no_risk(risk, "the class-weighted loss")
        return self.per_case(logits, labels).mean()

    def extra_repr(self) -> str:
        return "weights=[" + ", ".join(f"{weight:.3g}" for weight in self.weights.tolist()) + "]"
