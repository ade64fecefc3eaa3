"""The risk-calibrated loss, for any PyTorch training loop."""

from __future__ import annotations

from typing import Literal, Protocol, get_args

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn import functional

from primum.core import check
from primum.core.check import InputError
from primum.model.losses import checks
from primum.model.losses.confusion import Confusion, Half
from primum.model.losses.cross_entropy import CrossEntropyLoss
from primum.severity import SeverityMatrix

Form = Literal["expected", "weighted", "confusion"]


class Base(Protocol):
    """A loss that can also be had case by case: any of this package."""

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """() mean over the batch."""
        ...

    def per_case(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(B,) loss of each case."""
        ...


def expected_severity(logits: Tensor, labels: Tensor, cost: Tensor, risk: Tensor | None = None) -> Tensor:
    """(B,) ``r_i Σ_j M[y_i, j] p_ij`` of each case, p the softmax of the logits, in float32 or better.

    Args:
        logits: (B, K) float.
        labels: (B,) int64, classes 0 … K−1.
        cost: (K, K) float M, rows true, columns predicted.
        risk: (B,) factor r of each case's severity row; None for 1.
    """
    probs = checks.precise(logits, labels, len(cost), "a severity matrix").softmax(dim=1)
    severities = (cost.to(probs.dtype)[labels] * probs).sum(dim=1)
    return severities if risk is None else checks.risks(risk, labels).to(probs.dtype) * severities


def risk_calibrated_loss(
    logits: Tensor, labels: Tensor, cost: Tensor, strength: float, risk: Tensor | None = None
) -> Tensor:
    """Cross-entropy plus λ times the expected severity, mean over the batch: the form ``expected``.

    ``mean_i [ CE(y_i, p_i) + λ r_i Σ_j M[y_i, j] p_ij ]`` with p the softmax of the logits.

    Args:
        logits, labels, risk: as in :func:`expected_severity`.
        cost: (K, K) float M, rows true, columns predicted, taken as it is (the module below divides a
            severity matrix by its largest entry).
        strength: λ ≥ 0; 0 gives ``torch.nn.functional.cross_entropy`` bit for bit.

    Returns:
        () scalar, in nats plus λ times the unit of ``cost``.

    Source: a *reconstruction* of risk-calibrated learning (arXiv 2604.12693), whose exact formula is not
    public to us; the added term is the cost-sensitive regularisation of Galdran et al., MICCAI 2020.
    The minimiser is deliberately miscalibrated: ``p_j = q_j / (μ + λ Σ_k q_k M[k, j])`` for a posterior q.
    """
    base = functional.cross_entropy(checks.precise(logits, labels), labels)
    if strength == 0:
        return base
    return base + strength * expected_severity(logits, labels, cost, risk).mean()


class RiskCalibratedLoss(nn.Module):
    """A base loss made to fear severe mistakes; a *reconstruction* of arXiv 2604.12693.

    With ``S_i = r_i Σ_j M[y_i, j] p_ij``, M the severity divided by its largest entry, p the softmax:

    - ``expected``: ``mean_i [ base_i + λ S_i ]``, the cost-sensitive regularisation of Galdran et al.,
      MICCAI 2020 (:func:`risk_calibrated_loss`).
    - ``weighted``: ``mean_i [ (1 + λ S_i) · base_i ]``.
    - ``confusion``: as ``expected``, with critical cells of M times ``1 + β C`` and fine ones times
      ``1 − β C``; C is fed by ``loss.confusion.observe(logits, labels)`` with cases that are used for nothing
      else (:class:`primum.model.losses.confusion.Confusion`). β = 0 is ``expected`` bit for bit.

    λ = 0 is the base loss bit for bit, in value and gradient.

    >>> loss = RiskCalibratedLoss([[0.0, 1.0], [10.0, 0.0]], strength=10.0)
    >>> float(loss(torch.zeros(1, 2), torch.tensor([1])))  # ln 2 + 10 · 1 · ½
    5.693147...

    Args:
        severity: a SeverityMatrix with classes in the order of the logits (``severity.ordered(classes, …)``
            puts them so), or a (K, K) array or tensor of costs, rows true, columns predicted, zero diagonal.
            ``confusion`` needs a SeverityMatrix, whose critical cells are known.
        strength: λ ≥ 0.
        form: ``expected``, ``weighted`` or ``confusion``.
        base: CrossEntropyLoss unless given; anything with ``per_case(logits, labels) -> (B,)``.
        beta: 0 ≤ β ≤ 1, of ``confusion``.
        half: cells ``confusion`` changes: ``both``, ``critical`` or ``fine``.

    Shapes: ``loss(logits (B, K), labels (B,), risk (B,) or None) -> ()``; ``risk`` are the positive factors
    r, 1 where not given.

    Raises:
        InputError: for a matrix that is not a severity matrix, a negative λ, an unknown form, logits of
            another width, labels out of range, or a risk that is not positive.
    """

    cost: Tensor

    def __init__(
        self,
        severity: SeverityMatrix | ArrayLike | Tensor,
        strength: float = 10.0,
        form: Form = "expected",
        base: Base | None = None,
        beta: float = 0.5,
        half: Half = "both",
    ) -> None:
        super().__init__()
        self.strength = checks.number(strength, "the strength of a risk-calibrated loss")
        self.form = check.one_of(form, get_args(Form), "form of the risk-calibrated loss")
        cost = checks.costs(severity)
        self.largest = float(cost.max()) or 1.0
        self.base: Base = CrossEntropyLoss() if base is None else base
        if not hasattr(self.base, "per_case"):
            raise InputError(
                f"the base of a risk-calibrated loss needs a method per_case(logits, labels) that gives a "
                f"loss for each case, {type(base).__name__} has none; take one of primum.model.losses"
            )
        self.confusion: Confusion | None = None
        if form == "confusion":
            if not isinstance(severity, SeverityMatrix):
                raise InputError(
                    f"the form confusion needs a SeverityMatrix, whose critical cells are known, "
                    f"{type(severity).__name__} arrived; make one of it"
                )
            self.confusion = Confusion(severity, beta, half)
        # The raw matrix, exact in float32 where costs are small integers; scaled through λ. It belongs to the
        # training, not to the network, so it stays out of state_dict().
        self.register_buffer("cost", torch.from_numpy(cost).float(), persistent=False)

    def forward(self, logits: Tensor, labels: Tensor, risk: Tensor | None = None) -> Tensor:
        cost = self.cost if self.confusion is None else self.cost * self.confusion()
        severities = expected_severity(logits, labels, cost, risk)
        # Apart, so that λ = 0 is the base bit for bit: ``weighted`` sums the cases in another order.
        if self.strength == 0:
            return self.base(logits, labels)
        strength = self.strength / self.largest
        if self.form == "weighted":
            return ((1 + strength * severities) * self.base.per_case(logits, labels)).mean()
        return self.base(logits, labels) + strength * severities.mean()

    def extra_repr(self) -> str:
        return f"classes={len(self.cost)}, form={self.form}, strength={self.strength:g}"
