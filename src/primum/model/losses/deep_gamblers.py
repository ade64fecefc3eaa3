"""Deep Gamblers: an extra output on which a network may put what it would rather not bet on a class."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from primum.core.check import InputError
from primum.model.losses import checks


def deep_gamblers(outputs: Tensor, labels: Tensor, reward: float) -> Tensor:
    """(B,) ``−log(p[y] + p_res / o)``; outputs (B, K + 1) float32 or better, the reservation last.

    >>> outputs = torch.tensor([[0.0, 0.0, 20.0]])  # all is reserved
    >>> round(float(deep_gamblers(outputs, torch.tensor([0]), reward=2.0)), 4)  # ln o
    0.6931
    """
    # Sums of logarithms: a bet and a reservation that both underflow would leave the logarithm of 0.
    bet = outputs.gather(1, labels[:, None])[:, 0]
    reserved = outputs[:, -1] - math.log(reward)
    return outputs.logsumexp(dim=1) - torch.logaddexp(bet, reserved)


class DeepGamblersLoss(nn.Module):
    """``mean_i −log(p_i[y_i] + p_i[res] / o)``, p the softmax over K classes and, last, a reservation.

    A bet on a class pays 1 for each part of it when the class is right, a reservation 1/o whatever is right.
    For a posterior q the minimiser reserves everything where no ``q_k`` exceeds 1/o, and nothing where o > K:
    spreading 1/K over the classes then pays more than reserving, so that 1 − p_res tells nothing of the case.
    At o = K the two pay the same and the loss leaves p_res open. For o < 2 it is, with q the largest ``q_k``,

    ``p_res = min(1, (1 − q) / (1 − 1/o))``,

    so that 1 − p_res orders cases as the posterior does. A reward above K is let through, since studies use
    one and training ends before the minimiser; :attr:`note` then says so. The softmax over the classes is no
    posterior (a class gets ``q_k − p_res / o`` where that is positive) and wants recalibration.

    Args:
        classes: K.
        reward: o > 1.
        pretraining: epochs of cross-entropy over the K classes first, which leave the reservation as it was:
            a network that knows nothing would reserve everything and learn nothing. ``begin(epoch)`` says
            which epoch it is; without it the loss gambles where ``pretraining`` is 0 and else does not yet.

    Shapes: ``loss(outputs (B, K + 1), labels (B,)) -> ()``.

    Raises:
        InputError: for a reward of 1 or less, other shapes, labels out of range, or a per-case risk.

    Source: Liu et al., "Deep Gamblers: Learning to Abstain with Portfolio Theory", NeurIPS 2019;
    cross-entropy over the classes first as in ``docs/methods.md#confidence-scores``.
    The closed form of the minimiser is ours.
    """

    def __init__(self, classes: int, reward: float = 1.8, pretraining: int = 0) -> None:
        super().__init__()
        if not 1 < reward < math.inf:
            raise InputError(
                f"reward of deep_gamblers must be above 1 (at 1 reserving is never worse), {reward} arrived"
            )
        self.classes, self.reward, self.pretraining = classes, float(reward), pretraining
        self.gambles = pretraining == 0

    def begin(self, epoch: int) -> None:
        """Take the loss of this epoch, counted from 0: cross-entropy in the first ``pretraining`` ones."""
        self.gambles = epoch >= self.pretraining

    @property
    def note(self) -> str:
        """What must be known of a reward above the number of classes; or ""."""
        if self.reward <= self.classes:
            return ""
        return (
            f"deep_gamblers was trained with reward {self.reward:g} for {self.classes} classes: above the "
            "number of classes spreading the bet pays more than reserving, so the score dg is what an "
            f"unfinished training left; 1 < reward < {self.classes} makes reserving pay"
        )

    def per_case(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(B,) loss of each case, of outputs (B, K + 1)."""
        if logits.ndim == 2 and logits.shape[1] != self.classes + 1:
            raise InputError(
                f"deep_gamblers of {self.classes} classes needs outputs of shape B × {self.classes + 1}, the "
                f"reservation last, {len(logits)} × {logits.shape[1]} arrived"
            )
        checks.precise(logits[:, :-1] if logits.ndim == 2 else logits, labels)
        values = logits.to(torch.promote_types(logits.dtype, torch.float32))
        if not self.gambles:
            return functional.cross_entropy(values[:, :-1], labels, reduction="none")
        return deep_gamblers(values, labels, self.reward)

    def forward(self, logits: Tensor, labels: Tensor, risk: Tensor | None = None) -> Tensor:
        checks.no_risk(risk, "deep_gamblers")
        return self.per_case(logits, labels).mean()

    def extra_repr(self) -> str:
        return f"classes={self.classes}, reward={self.reward:g}, pretraining={self.pretraining}"
