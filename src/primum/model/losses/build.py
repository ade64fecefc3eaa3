"""The loss a recipe names."""

from __future__ import annotations

from typing import Any

from torch import nn

from primum.core.arrays import Integers
from primum.core.check import InputError
from primum.model.losses import (
    ClassWeightedLoss,
    CrossEntropyLoss,
    DeepGamblersLoss,
    FocalLoss,
    HierarchicalLoss,
    LabelSmoothingLoss,
    LogitAdjustedLoss,
    RiskCalibratedLoss,
)
from primum.model.recipe import Loss
from primum.severity import SeverityMatrix


def build(asked: Loss, severity: SeverityMatrix | None, counts: Integers) -> nn.Module:
    """The module of a recipe's loss section.

    Args:
        asked: the section of a recipe that was read, which has the loss's defaults filled in.
        severity: what ``asked.severity`` names, classes in the order of the logits; or None.
        counts: (K,) images of each class that are trained on.

    Raises:
        InputError: when the loss needs a severity, critical cells or images of every class and has none.
    """
    given = asked.model_dump(exclude_none=True, exclude={"name", "base", "risk", "severity"})
    if asked.name == "deep_gamblers":
        return DeepGamblersLoss(len(counts), **given)
    if asked.name not in ("risk_calibrated", "hierarchical", "logit_adjusted"):
        return plain(asked.name, given, counts)
    if severity is None:
        raise InputError(f"the loss {asked.name} needs a severity, a preset name or a file")
    if asked.name == "hierarchical":
        return HierarchicalLoss(severity, **given)
    if asked.name == "logit_adjusted":
        return LogitAdjustedLoss(severity)
    own = {key: given.pop(key) for key in ("strength", "form", "beta", "half") if key in given}
    return RiskCalibratedLoss(severity, base=plain(asked.base or "cross_entropy", given, counts), **own)


def plain(
    name: str, given: dict[str, Any], counts: Integers
) -> CrossEntropyLoss | ClassWeightedLoss | FocalLoss | LabelSmoothingLoss:
    """A loss that reads no severity; ``given`` holds its ``gamma`` or ``smoothing``."""
    if name == "class_weighted":
        return ClassWeightedLoss(counts)
    if name == "focal":
        return FocalLoss(**given)
    if name == "label_smoothing":
        return LabelSmoothingLoss(**given)
    return CrossEntropyLoss()
