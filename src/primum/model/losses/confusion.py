"""What a network confuses, and the severity that follows it."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from primum.core import check
from primum.core.arrays import Singles
from primum.core.check import InputError
from primum.model.losses import checks
from primum.severity import SeverityMatrix

Half = Literal["both", "critical", "fine"]
EARLIER_SHARE = 0.5  # share of the earlier average that an observation leaves standing


def soft_confusion(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Where the probability goes that the true class does not get.

    >>> shares = torch.tensor([[0.5, 0.4, 0.1], [0.2, 0.7, 0.1]])
    >>> confused, present = soft_confusion(shares.log(), torch.tensor([0, 1]))
    >>> confused.double().numpy().round(2).tolist()
    [[0.0, 0.8, 0.2], [0.67, 0.0, 0.33], [0.0, 0.0, 0.0]]
    >>> present.tolist()
    [True, True, False]

    Returns:
        (K, K) C, rows true: the mean softmax of the cases of a class, its diagonal set to 0 and each row
        divided by its sum; and (K,) bool, the classes that have cases (the other rows are 0).
    """
    probs = checks.precise(logits, labels).softmax(dim=1)
    member = functional.one_hot(labels, probs.shape[1]).to(probs.dtype)
    # Autocast would multiply in half precision, and rare confusions would be rounded away.
    with torch.autocast(probs.device.type, enabled=False):
        wrong = (member.T @ probs).fill_diagonal_(0.0)
    total = wrong.sum(dim=1, keepdim=True)
    return torch.where(total > 0, wrong / torch.where(total > 0, total, 1.0), 0.0), member.any(dim=0)


def signs(severity: SeverityMatrix, half: Half) -> Singles:
    """(K, K) 1 in critical cells, −1 in fine ones, 0 elsewhere and in the half left out.

    Fine cells are mistakes that are not critical and stay among the critical classes or among the negatives.
    """
    side = severity.critical_classes
    fine = (side[:, None] == side[None, :]) & ~severity.critical & ~np.eye(len(side), dtype=bool)
    values = severity.critical * (half != "fine") - 1.0 * fine * (half != "critical")
    return np.asarray(values, dtype=np.float32)


class Confusion(nn.Module):
    """The factor ``1 + β C`` of critical cells and ``1 − β C`` of fine ones, C averaged over observations.

    The first observation of a class is taken whole; a later one makes half of the average. Both stay in
    ``state_dict()``, so that a resumed training goes on with the same C. Before any observation the factor
    is 1.

    Args:
        severity: with classes in the order of the logits.
        beta: 0 ≤ β ≤ 1; 0 leaves the factor at 1.
        half: change both kinds of cells, or the ``critical`` or ``fine`` ones only.

    Raises:
        InputError: for a severity without critical cells, or another β or half.
    """

    average: Tensor
    seen: Tensor
    signs: Tensor

    def __init__(self, severity: SeverityMatrix, beta: float = 0.5, half: Half = "both") -> None:
        super().__init__()
        self.beta = checks.number(beta, "beta of the form confusion", 1.0)
        check.one_of(half, get_args(Half), "half of the form confusion")
        if not severity.critical.any():
            raise InputError(
                f"{severity.name}: the form confusion needs critical cells, this severity names none; "
                "add them under its key critical, or take the form expected"
            )
        k = len(severity.classes)
        self.register_buffer("average", torch.zeros(k, k))
        self.register_buffer("seen", torch.zeros(k, dtype=torch.bool))
        self.register_buffer("signs", torch.from_numpy(signs(severity, half)), persistent=False)

    @torch.no_grad()
    def observe(self, logits: Tensor, labels: Tensor) -> None:
        """Take in logits (N, K) and labels (N,) of cases that are used for nothing else."""
        observation, present = soft_confusion(logits, labels)
        mixed = EARLIER_SHARE * self.average + (1 - EARLIER_SHARE) * observation.to(self.average.dtype)
        fresh = torch.where(self.seen[:, None], mixed, observation.to(self.average.dtype))
        self.average.copy_(torch.where(present[:, None], fresh, self.average))
        self.seen |= present

    def forward(self) -> Tensor:
        return 1 + self.beta * self.signs * self.average
