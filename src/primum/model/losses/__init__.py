"""Losses: ``loss(logits (B, K), labels (B,), risk=None) -> ()``, each a ``torch.nn.Module`` of its own."""

from __future__ import annotations

from primum.model.losses.class_weighted import ClassWeightedLoss
from primum.model.losses.cross_entropy import CrossEntropyLoss
from primum.model.losses.deep_gamblers import DeepGamblersLoss
from primum.model.losses.focal import FocalLoss
from primum.model.losses.hierarchical import HierarchicalLoss
from primum.model.losses.label_smoothing import LabelSmoothingLoss
from primum.model.losses.logit_adjusted import LogitAdjustedLoss
from primum.model.losses.risk_calibrated import RiskCalibratedLoss, risk_calibrated_loss

__all__ = [
    "ClassWeightedLoss", "CrossEntropyLoss", "DeepGamblersLoss", "FocalLoss", "HierarchicalLoss",
    "LabelSmoothingLoss", "LogitAdjustedLoss", "RiskCalibratedLoss", "risk_calibrated_loss",
]  # fmt: skip
