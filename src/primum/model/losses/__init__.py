"""Losses: ``loss(logits (B, K), labels (B,), risk=None) -> ()``, each a ``torch.nn.Module`` of its own."""

from __future__ import annotations

from primum.model import need

need("torch")

from primum.model.losses.class_weighted import ClassWeightedLoss  # noqa: E402
from primum.model.losses.cross_entropy import CrossEntropyLoss  # noqa: E402
from primum.model.losses.deep_gamblers import DeepGamblersLoss  # noqa: E402
from primum.model.losses.focal import FocalLoss  # noqa: E402
from primum.model.losses.hierarchical import HierarchicalLoss  # noqa: E402
from primum.model.losses.label_smoothing import LabelSmoothingLoss  # noqa: E402
from primum.model.losses.logit_adjusted import LogitAdjustedLoss  # noqa: E402
from primum.model.losses.risk_calibrated import RiskCalibratedLoss, risk_calibrated_loss  # noqa: E402

__all__ = [
    "ClassWeightedLoss", "CrossEntropyLoss", "DeepGamblersLoss", "FocalLoss", "HierarchicalLoss",
    "LabelSmoothingLoss", "LogitAdjustedLoss", "RiskCalibratedLoss", "risk_calibrated_loss",
]  # fmt: skip
