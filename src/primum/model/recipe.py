"""What to train: data, network, loss, training and seeds, read from YAML."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from primum.core import bounds, check, documents
from primum.core.check import InputError

Monitor = Literal["val_loss", "val_balanced_accuracy", "val_cost"]
BaseName = Literal["cross_entropy", "class_weighted", "focal", "label_smoothing"]
LossName = Literal[BaseName, "risk_calibrated", "hierarchical", "logit_adjusted", "deep_gamblers"]
SEED = Field(default=0, ge=0, le=bounds.SEED)
ALWAYS = {"data": ("squash",), "loss": ("form", "strength", "severity")}  # keys hashed as null when not given


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Data(_Section):
    """Which images.

    Attributes:
        name: data set, as ``primum.data.sets.load`` knows it.
        root: folder of the data set; None where it is made or given on the command line.
        seed: seed of the splits (and of the images, where they are made).
        squash: resize to squash × squash pixels first, then to the network's size; None for one resize.
        drop_leaks: leave out of train, val and cal what has a copy in test, and of train what has one in val
            or cal.
        leave_out: one column and the value, or list of values, that is held out of training and judged as a
            shift: ``{site: rosendahl}``, ``{dx: [akiec, bkl]}``.
    """

    name: str
    root: Path | None = None
    seed: int = SEED
    squash: int | None = Field(default=None, ge=8, le=bounds.SIDE)
    drop_leaks: bool = False
    leave_out: dict[str, str | list[str]] | None = None

    @field_validator("leave_out", mode="before")
    @classmethod
    def _one_column(cls, given: Any) -> Any:
        if given is None:
            return None
        if not isinstance(given, dict) or len(given) != 1:
            raise ValueError(f"'data.leave_out' should be one COLUMN: VALUE, {given!r} arrived")
        [(column, value)] = given.items()
        values = value if isinstance(value, list) else [value]
        if not values or not all(isinstance(one, str | bool | int | float) for one in values):
            raise ValueError(
                f"'data.leave_out' should name a value of {column}, or a list, {value!r} arrived"
            )
        named = [str(one).lower() if isinstance(one, bool) else str(one) for one in values]
        return {str(column): named if isinstance(value, list) else named[0]}


class Network(_Section):
    """Which network.

    Attributes:
        name: any timm name.
        weights: ``none``, ``hub``, ``offline``, or a file (.safetensors, .pth) on this machine.
        dropout: probability before the last layer.
        trunk_dropout: probability inside the trunk, where timm knows a place for it (``proj_drop_rate``:
            DenseNets and transformers); needs ``trunk: trained``.
        trunk: ``frozen`` trains only the last layer, on features computed once; ``trained`` trains all of it.
        image_size: side of the square input, pixels.
    """

    name: str
    weights: str = "none"
    dropout: float = Field(default=0.2, ge=0, lt=1)
    trunk_dropout: float = Field(default=0.0, ge=0, lt=1)
    trunk: Literal["frozen", "trained"] = "trained"
    image_size: int = Field(default=224, ge=8, le=bounds.SIDE)

    @model_validator(mode="after")
    def _fits(self) -> Network:
        if self.trunk_dropout and self.trunk == "frozen":
            raise ValueError("trunk_dropout needs trunk: trained, a frozen trunk is run once without dropout")
        return self


class Loss(_Section):
    """What is minimised (METHODS §2). A field that does not belong to the loss named is refused.

    Attributes:
        name: ``cross_entropy``, ``class_weighted``, ``focal``, ``label_smoothing``, ``risk_calibrated``,
            ``hierarchical``, ``logit_adjusted`` or ``deep_gamblers``.
        form: form of the risk-calibrated loss; ``expected`` unless said otherwise.
        base: loss that the risk-calibrated one builds on; ``cross_entropy`` unless said otherwise.
        strength: λ ≥ 0 of the risk-calibrated loss, default 10; α ≥ 0 of the hierarchical one, default 0.5.
        gamma: γ ≥ 0 of focal, as name or as base; default 2.
        smoothing: ε of label smoothing, as name or as base, 0 ≤ ε < 1; default 0.1.
        beta: β of the form ``confusion``, 0 ≤ β ≤ 1; default 0.5.
        half: cells the form ``confusion`` changes: ``both`` (default), ``critical`` or ``fine``.
        risk: column of the images with the positive risk factor of each case, for the risk-calibrated loss.
        reward: o > 1 of Deep Gamblers, what a reservation is divided by; default 1.8, above K it is noted.
        pretraining: epochs of cross-entropy that Deep Gamblers begins with; default 5.
        severity: preset or file. ``risk_calibrated``, ``hierarchical`` and ``logit_adjusted`` need it; the
            others only log ``val_cost``.
    """

    name: LossName = "cross_entropy"
    form: Literal["expected", "weighted", "confusion"] | None = None
    base: BaseName | None = None
    strength: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    gamma: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    smoothing: float | None = Field(default=None, ge=0, lt=1)
    beta: float | None = Field(default=None, ge=0, le=1)
    half: Literal["both", "critical", "fine"] | None = None
    risk: str | None = None
    reward: float | None = Field(default=None, gt=1, allow_inf_nan=False)
    pretraining: int | None = Field(default=None, ge=0, le=bounds.EPOCHS)
    severity: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return given | {key: value for key, value in _own(given).items() if given.get(key) is None}

    @model_validator(mode="after")
    def _fits(self) -> Loss:
        given = self.model_dump(exclude_none=True)
        for key in [key for key in given if key not in {"name", "severity", *_own(given)}]:
            raise ValueError(f"the key {key!r} under 'loss' belongs to {OWNER[key]}, not to {self._title()}")
        if self.severity is None and self.name in ("risk_calibrated", "hierarchical", "logit_adjusted"):
            raise ValueError(f"the loss {self.name} needs a severity, a preset name or a file")
        return self

    def _title(self) -> str:
        said = {"form": self.form, "base": self.base}
        return " ".join([self.name, *(f"with {key} {value}" for key, value in said.items() if value)])


OWNER = {
    "form": "risk_calibrated",
    "base": "risk_calibrated",
    "strength": "risk_calibrated and hierarchical",
    "gamma": "focal, as name or base",
    "smoothing": "label_smoothing, as name or base",
    "beta": "risk_calibrated of the form confusion",
    "half": "risk_calibrated of the form confusion",
    "risk": "risk_calibrated",
    "reward": "deep_gamblers",
    "pretraining": "deep_gamblers",
}


def _own(given: dict[str, Any]) -> dict[str, Any]:
    """Field → default of the fields that belong to the loss ``given`` names, severity aside."""
    own: dict[str, Any] = {}
    name = given.get("name")
    if name == "risk_calibrated":
        own = {"form": "expected", "base": "cross_entropy", "strength": 10.0, "risk": None}
        if given.get("form") == "confusion":
            own |= {"beta": 0.5, "half": "both"}
    elif name == "hierarchical":
        own = {"strength": 0.5}
    elif name == "deep_gamblers":
        own = {"reward": 1.8, "pretraining": 5}
    plain = (given.get("base") or "cross_entropy") if name == "risk_calibrated" else name
    if plain == "focal":
        own["gamma"] = 2.0
    elif plain == "label_smoothing":
        own["smoothing"] = 0.1
    return own


class Training(_Section):
    """How it is minimised: AdamW, a cosine from ``learning_rate`` to 0, gradients clipped at norm 1.

    Attributes:
        epochs: at most this many.
        batch_size: images (or features) a step.
        learning_rate, weight_decay: of AdamW; decay leaves biases and normalisation alone.
        monitor: validation figure that picks the epoch kept: ``val_loss`` and ``val_cost`` by their
            smallest, ``val_balanced_accuracy`` by its largest value.
        patience: stop after this many epochs without a better one.
        precision: ``32-true``, ``bf16-mixed``, ``16-mixed``, or ``auto``: bf16-mixed where the processor
            computes in it natively, else 32-true. What it came to is written into ``network.json``.
    """

    epochs: int = Field(default=30, ge=1, le=bounds.EPOCHS)
    batch_size: int = Field(default=64, ge=1, le=bounds.BATCH)
    learning_rate: float = Field(default=1e-3, gt=0, allow_inf_nan=False)
    weight_decay: float = Field(default=1e-4, ge=0, allow_inf_nan=False)
    monitor: Monitor = "val_loss"
    patience: int = Field(default=10, ge=1, le=bounds.EPOCHS)
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"


class ConfidNet(_Section):
    """The ConfidNet trained beside the finished network (METHODS §4), by Adam and with ``batch_size``.

    Attributes:
        epochs: with the trunk frozen.
        learning_rate: of these.
        finetune_epochs: with a copy of the trunk of its own, dropout off; 0 leaves it out. Needs
            ``trunk: trained``.
        finetune_learning_rate: of these.
    """

    epochs: int = Field(default=30, ge=1, le=bounds.EPOCHS)
    learning_rate: float = Field(default=1e-4, gt=0, allow_inf_nan=False)
    finetune_epochs: int = Field(default=0, ge=0, le=bounds.EPOCHS)
    finetune_learning_rate: float = Field(default=1e-6, gt=0, allow_inf_nan=False)


class Recipe(_Section):
    """One training, whole. Unknown keys and wrong types are refused in one sentence.

    Paths (``root``, ``weights``, a severity file) are relative to the working directory.

    >>> Recipe.parse({"data": {"name": "phantom"}, "network": {"name": "resnet10t"}}).training.epochs
    30
    """

    name: str = "recipe"
    data: Data
    network: Network
    loss: Loss = Loss()
    training: Training = Training()
    confidnet: ConfidNet | None = None
    seed: int = SEED

    @model_validator(mode="after")
    def _fits(self) -> Recipe:
        if self.training.monitor == "val_cost" and self.loss.severity is None:
            raise ValueError("monitor val_cost needs a severity under loss, a preset name or a file")
        first, epochs = self.loss.pretraining, self.training.epochs
        if first is not None and first >= epochs:
            raise ValueError(
                f"deep_gamblers needs epochs after its pretraining, 'loss.pretraining' {first} leaves none "
                f"of 'training.epochs' {epochs}"
            )
        if self.confidnet and self.confidnet.finetune_epochs and self.network.trunk == "frozen":
            raise ValueError("confidnet.finetune_epochs needs trunk: trained, a frozen one is left as it is")
        return self

    @classmethod
    def parse(cls, content: Any, where: str = "recipe") -> Recipe:
        """Build from plain values; ``where`` is used in messages. Raises InputError."""
        if not isinstance(content, dict):
            raise InputError(f"{where}: a recipe needs keys such as {check.shorten(cls.model_fields)}")
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            raise InputError(f"{where}: {_sentence(error)}") from None

    @classmethod
    def read(cls, path: Path | str) -> Recipe:
        """Read a YAML file. Raises InputError naming the file and the key."""
        return cls.parse(documents.read_yaml(path, "a recipe (YAML)"), str(path))

    def to_yaml(self) -> str:
        """YAML that :meth:`read` reads back to an equal recipe."""
        content = self.model_dump(mode="json", exclude_none=True)
        return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))

    def with_root(self, root: Path | str | None) -> Recipe:
        """The same recipe for data that lie in ``root``; unchanged for None."""
        if root is None:
            return self
        return self.model_copy(update={"data": self.data.model_copy(update={"root": Path(root)})})

    def without_leaks(self) -> Recipe:
        """The same recipe with ``data.drop_leaks``."""
        return self.model_copy(update={"data": self.data.model_copy(update={"drop_leaks": True})})

    def fingerprint(self) -> str:
        """SHA-256 (hexadecimal) of everything but the name and where the data lie.

        A key that was added later counts only where it is given and says something new, so that runs made
        before keep their fingerprint.
        """
        content = self.model_dump(mode="json", exclude_none=True, exclude={"name": True, "data": {"root"}})
        for section, keys in ALWAYS.items():
            content[section] = dict.fromkeys(keys) | content[section]
        if content["loss"].get("base") == "cross_entropy":
            del content["loss"]["base"]
        if not self.data.drop_leaks:
            del content["data"]["drop_leaks"]
        if not self.network.trunk_dropout:
            del content["network"]["trunk_dropout"]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    path = [str(part) for part in first["loc"]]
    named = ".".join(path)
    if first["type"] == "extra_forbidden":
        known = list(_section(path[:-1]).model_fields)
        inside = f" under {'.'.join(path[:-1])!r}" if path[:-1] else ""
        return f"unknown key {path[-1]!r}{inside}{check.nearest(path[-1], known)}"
    if first["type"] == "missing":
        return f"the key {named!r} is missing"
    reason = str(first["msg"]).removeprefix("Value error, ").replace("Input should be", "should be")
    if first["type"] == "value_error":
        return reason
    arrived = first["input"]
    return f"{named!r} {reason[:1].lower()}{reason[1:]}, {arrived!r} arrived{_near(arrived, path)}"


def _section(path: list[str]) -> type[BaseModel]:
    section: type[BaseModel] = Recipe
    for part in path:
        annotation = section.model_fields[part].annotation
        kinds = [kind for kind in (annotation, *get_args(annotation)) if isinstance(kind, type)]
        section = next((kind for kind in kinds if issubclass(kind, BaseModel)), section)
    return section


def _near(arrived: Any, path: list[str]) -> str:
    annotation = _section(path[:-1]).model_fields[path[-1]].annotation
    choices = [choice for kind in (annotation, *get_args(annotation)) for choice in get_args(kind)]
    names = [choice for choice in choices if isinstance(choice, str)]
    return check.nearest(arrived, names) if isinstance(arrived, str) and names else ""
