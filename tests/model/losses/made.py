"""Made logits, a made severity and every loss of four classes."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch

from primum.model.losses import (
    ClassWeightedLoss,
    CrossEntropyLoss,
    FocalLoss,
    HierarchicalLoss,
    LabelSmoothingLoss,
    LogitAdjustedLoss,
    RiskCalibratedLoss,
)
from primum.severity import SeverityMatrix

COST = np.array([[0.0, 2.0, 2.0, 1.0], [10.0, 0.0, 1.0, 10.0], [10.0, 1.0, 0.0, 10.0], [1.0, 2.0, 2.0, 0.0]])
SEVERITY = SeverityMatrix(("naevus", "melanoma", "carcinoma", "keratosis"), COST, COST == 10)
COUNTS = np.array([60, 10, 5, 25])
BASES = {
    "cross_entropy": lambda order: CrossEntropyLoss(),
    "class_weighted": lambda order: ClassWeightedLoss(COUNTS[order]),
    "focal": lambda order: FocalLoss(),
    "label_smoothing": lambda order: LabelSmoothingLoss(),
}
FORMS = ("expected", "weighted", "confusion")


def risky(form, base, order):
    """A risk-calibrated loss that has seen what is confused."""
    loss = RiskCalibratedLoss(reordered(order), 10.0, form, BASES[base](order))
    if loss.confusion is not None:
        logits, labels = cases(seed=5)
        back = np.argsort(order)
        loss.confusion.observe(logits[:, order], torch.tensor(back)[labels])
    return loss


def reordered(order):
    return SEVERITY.ordered([SEVERITY.classes[i] for i in order], "made")


# name → the loss for classes that stand in another order
LOSSES = {
    **BASES,
    **{f"{form}-{base}": partial(risky, form, base) for form in FORMS for base in BASES},
    "hierarchical": lambda order: HierarchicalLoss(reordered(order)),
    "logit_adjusted": lambda order: LogitAdjustedLoss(reordered(order)),
}


def cases(n=17, k=4, seed=0, dtype=torch.float64):
    made = torch.Generator().manual_seed(seed)
    logits = torch.randn(n, k, generator=made, dtype=dtype) * 3
    return logits, torch.randint(0, k, (n,), generator=made)


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def minimiser(loss, q):
    """The softmax of the logits that minimise the mean loss when the labels follow q (K,)."""
    z = torch.zeros(1, len(q), dtype=torch.float64, requires_grad=True)
    labels, weights = torch.arange(len(q)), torch.tensor(q)
    optimizer = torch.optim.LBFGS(
        [z], lr=1, max_iter=500, tolerance_grad=1e-11, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def closure():
        optimizer.zero_grad()
        each = torch.stack([loss(z, label[None]) for label in labels])
        total = (weights * each).sum()
        total.backward()
        return total

    optimizer.step(closure)
    return softmax(z.detach().numpy())[0]
