"""What every loss expects to arrive, and the sentence said when it does not."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from primum.core import check
from primum.core.arrays import Floats
from primum.core.check import InputError
from primum.severity import SeverityMatrix


def precise(logits: Tensor, labels: Tensor, classes: int | None = None, of: str = "the loss") -> Tensor:
    """Logits (B, K) in float32 or better, so that no loss is computed in half precision.

    Args:
        logits: (B, K) floating point.
        labels: (B,) int64, classes 0 … K−1. Their range is looked at on the processor only: an accelerator
            would have to stop for it.
        classes: K where the loss knows it.
        of: what has ``classes`` classes, for the message.

    Raises:
        InputError: for other shapes or types, an empty batch, or a label outside 0 … K−1.
    """
    width = logits.shape[1] if logits.ndim == 2 else None
    if width is None or width != (classes or width) or not logits.is_floating_point():
        expected, of_classes = classes or "K", "" if classes is None else f" of {classes} classes"
        raise InputError(
            f"{of}{of_classes} needs logits of shape B × {expected}, "
            f"{' × '.join(map(str, logits.shape)) or 'one number'} of {logits.dtype} arrived"
        )
    if labels.shape != logits.shape[:1] or labels.dtype != torch.int64 or not len(labels):
        raise InputError(
            f"logits of {len(logits)} cases need as many labels (at least one) of torch.int64, "
            f"{' × '.join(map(str, labels.shape)) or 'one number'} of {labels.dtype} arrived"
        )
    # Elsewhere a comparison would wait for the device at every step.
    if labels.device.type == "cpu" and (labels.min() < 0 or labels.max() >= width):
        raise InputError(
            f"labels must be class indices from 0 to {width - 1}, {int(labels.min())} to "
            f"{int(labels.max())} arrived; leave cases without a label out of the batch"
        )
    return logits.to(torch.promote_types(logits.dtype, torch.float32))


def risks(risk: Tensor, labels: Tensor) -> Tensor:
    """Per-case risk factors (B,); refuses other shapes and, on the processor, what is not positive."""
    if risk.shape != labels.shape:
        raise InputError(
            f"a per-case risk needs one number for each of the {len(labels)} cases, "
            f"{' × '.join(map(str, risk.shape)) or 'one number'} arrived"
        )
    if risk.device.type == "cpu" and not bool(((risk > 0) & risk.isfinite()).all()):
        raise InputError("a per-case risk must be a positive finite number for every case; 1 changes nothing")
    return risk


def no_risk(risk: Tensor | None, loss: str) -> None:
    """Refuse a per-case risk where there is no severity row that it could multiply."""
    if risk is not None:
        raise InputError(
            f"{loss} has no severity row for a per-case risk to multiply; leave risk out, "
            "or take RiskCalibratedLoss"
        )


def costs(severity: SeverityMatrix | ArrayLike | Tensor) -> Floats:
    """(K, K) raw cost of a SeverityMatrix, an array or a tensor; refuses what is no severity matrix."""
    matrix = severity.cost if isinstance(severity, SeverityMatrix) else check.array(severity)
    cost = np.array(matrix, dtype=np.float64)
    check.severity_matrix(cost, [str(i) for i in range(len(cost))] if cost.ndim else [], "severity")
    return cost


def number(value: float, name: str, largest: float = float("inf")) -> float:
    """A finite number from 0 to ``largest``."""
    if not (0 <= value <= largest and value < float("inf")):
        limits = "0 or more" if largest == float("inf") else f"from 0 to {largest:g}"
        raise InputError(f"{name} must be {limits}, {value} arrived")
    return float(value)
