"""ConfidNet: a small network beside the classifier that tells the probability given to the true class."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

HIDDEN = 400
LAYERS = 5


class ConfidNet(nn.Module):
    """Features (B, D) → (B,) estimated probability of the true class, 0 to 1: a confidence.

    Five linear layers with rectifiers between them and a sigmoid at the end.

    Args:
        width: D.
        trunk: fine-tuned copy of the classifier's trunk, whose features it then reads; None where it reads
            the classifier's own.

    Source: Corbière et al., "Addressing Failure Prediction by Learning Model Confidence", NeurIPS 2019.
    """

    def __init__(self, width: int, trunk: nn.Module | None = None) -> None:
        super().__init__()
        self.trunk = trunk
        sizes = [width, *[HIDDEN] * (LAYERS - 1)]
        hidden = [part for sides in pairwise(sizes) for part in (nn.Linear(*sides), nn.ReLU())]
        self.layers = nn.Sequential(*hidden, nn.Linear(HIDDEN, 1))

    def forward(self, features: Tensor) -> Tensor:
        confidence: Tensor = self.layers(features)[:, 0].sigmoid()
        return confidence


def true_class(logits: Tensor, labels: Tensor) -> Tensor:
    """(B,) softmax probability of the true class, from logits (B, K) and labels (B,): what is regressed.

    >>> import torch
    >>> true_class(torch.log(torch.tensor([[0.8, 0.2]])), torch.tensor([1])).tolist()
    [0.20000000298023224]
    """
    return logits.softmax(dim=1).gather(1, labels[:, None])[:, 0]
