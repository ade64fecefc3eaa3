"""The losses a recipe can name: the settings of each, what it needs and how it is built, one class a loss.

Recipes are read without torch, so each loss's module, a file in ``losses/``, is imported when it is built.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from primum.core import bounds
from primum.core.arrays import Integers
from primum.core.check import InputError
from primum.severity import SeverityMatrix

if TYPE_CHECKING:
    from torch import nn

    from primum.model import losses

NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Smoothing = Annotated[float, Field(ge=0, lt=1)]
CONFUSION = "risk_calibrated of the form confusion"
WITHOUT_SEVERITY = "the loss {} needs a severity, a preset name or a file"
BaseName = Literal["cross_entropy", "class_weighted", "focal", "label_smoothing"]


class LossSettings(BaseModel):
    """What all losses share. A key that belongs to another loss is refused; null is the same as no key.

    Every loss ends with the field ``severity``, a preset or a file: what it is trained on where it needs one,
    and what ``val_cost`` is logged by.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    needs_severity: ClassVar[bool] = False
    reservation: ClassVar[bool] = False  # the network has one output more than classes

    @classmethod
    def defaults(cls, section: Mapping[str, object]) -> dict[str, object]:
        """Field → default of the fields that belong to the loss in the form ``section`` describes."""
        return {key: field.default for key, field in cls.model_fields.items()}

    @abstractmethod
    def build(self, counts: Integers, severity: SeverityMatrix | None) -> nn.Module:
        """The loss itself.

        Args:
            counts: (K,) images of each class that are trained on.
            severity: classes in the order of the logits; None where the recipe names none.

        Raises:
            InputError: when the loss needs a severity, critical cells or images of every class and has none.
        """

    @property
    def observes(self) -> bool:
        """Whether training images are held out, from which the loss learns what is confused."""
        return False

    @property
    def risk_column(self) -> str | None:
        """Column of the images with the risk factor of each case, for a loss that takes one."""
        return None

    def every_field(self) -> dict[str, object]:
        """The fields of all losses, JSON-ready, null where they do not belong to this one.

        >>> fields = Focal().every_field()
        >>> fields["name"], fields["gamma"], fields["strength"]
        ('focal', 2.0, None)
        """
        return dict.fromkeys(FIELDS) | self.model_dump(mode="json")

    @model_validator(mode="before")
    @classmethod
    def _belongs(cls, section: object) -> object:
        if not isinstance(section, dict):
            return section
        section = {key: value for key, value in section.items() if value is not None or key not in FIELDS}
        defaults = cls.defaults(section)
        filled = defaults | section
        for key in section:
            if key in FIELDS and key not in defaults:
                variant = [f"{part} {filled[part]}" for part in ("form", "base") if part in filled]
                loss = " with ".join([str(filled["name"]), *variant])
                raise ValueError(f"the key {key!r} under 'loss' belongs to {_owner(key)}, not to {loss}")
        return filled

    @model_validator(mode="after")
    def _has_severity(self) -> LossSettings:
        content = dict(self)
        if self.needs_severity and content["severity"] is None:
            raise ValueError(WITHOUT_SEVERITY.format(content["name"]))
        return self


class CrossEntropy(LossSettings):
    """``−log p[y]``."""

    name: Literal["cross_entropy"] = "cross_entropy"
    severity: str | None = None

    def build(self, counts: Integers, severity: SeverityMatrix | None) -> losses.CrossEntropyLoss:
        from primum.model.losses.cross_entropy import CrossEntropyLoss

        return CrossEntropyLoss()


class ClassWeighted(LossSettings):
    """Cross-entropy in which rare classes count as much as common ones."""

    name: Literal["class_weighted"] = "class_weighted"
    severity: str | None = None

    def build(self, counts: Integers, severity: SeverityMatrix | None) -> losses.ClassWeightedLoss:
        from primum.model.losses.class_weighted import ClassWeightedLoss

        return ClassWeightedLoss(counts)


class Focal(LossSettings):
    """Cross-entropy in which cases that are already right count less, the more so the larger γ."""

    name: Literal["focal"] = "focal"
    gamma: NotNegative = 2.0
    severity: str | None = None

    def build(self, counts: Integers, severity: SeverityMatrix | None) -> losses.FocalLoss:
        from primum.model.losses.focal import FocalLoss

        return FocalLoss(self.gamma)


class LabelSmoothing(LossSettings):
    """Cross-entropy against labels of which a share ε is spread over all classes."""

    name: Literal["label_smoothing"] = "label_smoothing"
    smoothing: Smoothing = 0.1
    severity: str | None = None

    def build(self, counts: Integers, severity: SeverityMatrix | None) -> losses.LabelSmoothingLoss:
        from primum.model.losses.label_smoothing import LabelSmoothingLoss

        return LabelSmoothingLoss(self.smoothing)


class RiskCalibrated(LossSettings):
    """A base loss made to fear severe mistakes.

    Attributes:
        form: ``expected``, ``weighted`` or ``confusion``.
        base: loss that it builds on; its settings (``gamma`` or ``smoothing``) stand beside it.
        strength: λ.
        beta, half: of the form ``confusion``: β, and the cells it changes.
        risk: column of the images with the positive risk factor of each case.
    """

    needs_severity: ClassVar[bool] = True

    name: Literal["risk_calibrated"] = "risk_calibrated"
    form: Literal["expected", "weighted", "confusion"] = "expected"
    base: BaseName = "cross_entropy"
    strength: NotNegative = 10.0
    gamma: NotNegative | None = Field(None, description="focal, as name or base")
    smoothing: Smoothing | None = Field(None, description="label_smoothing, as name or base")
    beta: float | None = Field(None, ge=0, le=1, description=CONFUSION)
    half: Literal["both", "critical", "fine"] | None = Field(None, description=CONFUSION)
    risk: str | None = None
    severity: str | None = None

    @classmethod
    def defaults(cls, section: Mapping[str, object]) -> dict[str, object]:
        fields = super().defaults(section)
        for key in ("gamma", "smoothing", "beta", "half"):
            del fields[key]
        if section.get("form") == "confusion":
            fields |= {"beta": 0.5, "half": "both"}
        base = BASES.get(str(section.get("base")), CrossEntropy)
        return base.defaults({}) | fields

    @property
    def observes(self) -> bool:
        return self.form == "confusion"

    @property
    def risk_column(self) -> str | None:
        return self.risk

    def build(self, counts: Integers, severity: SeverityMatrix | None) -> nn.Module:
        from primum.model.losses.risk_calibrated import RiskCalibratedLoss

        kind = BASES[self.base]
        settings = {key: getattr(self, key) for key in kind.model_fields} | {"name": self.base}
        base = kind.model_validate(settings).build(counts, severity)
        matrix = _required(severity, self.name)
        if self.beta is None or self.half is None:
            return RiskCalibratedLoss(matrix, self.strength, self.form, base)
        return RiskCalibratedLoss(matrix, self.strength, self.form, base, self.beta, self.half)


class Hierarchical(LossSettings):
    """First benign or malignant, then which; ``strength`` is α."""

    needs_severity: ClassVar[bool] = True

    name: Literal["hierarchical"] = "hierarchical"
    strength: NotNegative = 0.5
    severity: str | None = None

    def build(self, counts: Integers, severity: SeverityMatrix | None) -> nn.Module:
        from primum.model.losses.hierarchical import HierarchicalLoss

        return HierarchicalLoss(_required(severity, self.name), self.strength)


class LogitAdjusted(LossSettings):
    """The most probable class becomes the one of least expected cost."""

    needs_severity: ClassVar[bool] = True

    name: Literal["logit_adjusted"] = "logit_adjusted"
    severity: str | None = None

    def build(self, counts: Integers, severity: SeverityMatrix | None) -> nn.Module:
        from primum.model.losses.logit_adjusted import LogitAdjustedLoss

        return LogitAdjustedLoss(_required(severity, self.name))


class DeepGamblers(LossSettings):
    """A further output takes what the network would rather not bet on a class.

    Attributes:
        reward: o, what a reservation is divided by; above K it is noted.
        pretraining: epochs of cross-entropy first.
    """

    reservation: ClassVar[bool] = True

    name: Literal["deep_gamblers"] = "deep_gamblers"
    reward: Annotated[float, Field(gt=1, allow_inf_nan=False)] = 1.8
    pretraining: Annotated[int, Field(ge=0, le=bounds.EPOCHS)] = 5
    severity: str | None = None

    def build(self, counts: Integers, severity: SeverityMatrix | None) -> nn.Module:
        from primum.model.losses.deep_gamblers import DeepGamblersLoss

        return DeepGamblersLoss(len(counts), self.reward, self.pretraining)


# The table: one line for each loss. Those first named can also be the base of the risk-calibrated one.
Basis = CrossEntropy | ClassWeighted | Focal | LabelSmoothing
Loss = Basis | RiskCalibrated | Hierarchical | LogitAdjusted | DeepGamblers

BASES: dict[str, type[Basis]] = {kind.model_fields["name"].default: kind for kind in get_args(Basis)}
LOSSES: dict[str, type[Loss]] = {kind.model_fields["name"].default: kind for kind in get_args(Loss)}
# Predictions list the fields in this order: those of the loss that has most of them first, severity last.
_BY_SIZE = sorted(LOSSES.values(), key=lambda kind: -len(kind.model_fields))
_KEYS = dict.fromkeys(key for kind in _BY_SIZE for key in kind.model_fields)
FIELDS = (*(key for key in _KEYS if key != "severity"), "severity")


def _owner(key: str) -> str:
    """The losses a field belongs to, for the sentence that refuses it elsewhere."""
    fields = {name: kind.model_fields[key] for name, kind in LOSSES.items() if key in kind.model_fields}
    described = [field.description for field in fields.values() if field.description]
    return described[0] if described else " and ".join(fields)


def _required(severity: SeverityMatrix | None, loss: str) -> SeverityMatrix:
    if severity is None:
        raise InputError(WITHOUT_SEVERITY.format(loss))
    return severity
