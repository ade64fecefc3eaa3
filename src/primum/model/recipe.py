"""What to train: data, network, loss, training and seeds, read from YAML."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from primum.core import bounds, check, documents, settings
from primum.core.check import InputError
from primum.model.loss_table import CrossEntropy, DeepGamblers, Loss

Monitor = Literal["val_loss", "val_balanced_accuracy", "val_cost"]
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
    def _one_column(cls, section: object) -> object:
        if section is None:
            return None
        if not isinstance(section, dict) or len(section) != 1:
            raise ValueError(f"'data.leave_out' should be one COLUMN: VALUE, {section!r} arrived")
        [(column, value)] = section.items()
        values = value if isinstance(value, list) else [value]
        if not values or not all(isinstance(entry, str | bool | int | float) for entry in values):
            raise ValueError(
                f"'data.leave_out' should name a value of {column}, or a list, {value!r} arrived"
            )
        named = [str(entry).lower() if isinstance(entry, bool) else str(entry) for entry in values]
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
    """The ConfidNet trained beside the finished network, by Adam and with ``batch_size``.

    See ``docs/methods.md#confidence-scores``.

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
    loss: Loss = Field(default=CrossEntropy(), discriminator="name")
    training: Training = Training()
    confidnet: ConfidNet | None = None
    seed: int = SEED

    @field_validator("loss", mode="before")
    @classmethod
    def _named(cls, section: object) -> object:
        return {"name": "cross_entropy"} | section if isinstance(section, dict) else section

    @model_validator(mode="after")
    def _fits(self) -> Recipe:
        if self.training.monitor == "val_cost" and self.loss.severity is None:
            raise ValueError("monitor val_cost needs a severity under loss, a preset name or a file")
        epochs = self.training.epochs
        if isinstance(self.loss, DeepGamblers) and self.loss.pretraining >= epochs:
            raise ValueError(
                f"deep_gamblers needs epochs after its pretraining, 'loss.pretraining' "
                f"{self.loss.pretraining} leaves none of 'training.epochs' {epochs}"
            )
        if self.confidnet and self.confidnet.finetune_epochs and self.network.trunk == "frozen":
            raise ValueError("confidnet.finetune_epochs needs trunk: trained, a frozen one is left as it is")
        return self

    @classmethod
    def parse(cls, content: object, where: str = "recipe") -> Recipe:
        """Build from plain values; ``where`` is used in messages. Raises InputError."""
        if not isinstance(content, dict):
            raise InputError(f"{where}: a recipe needs keys such as {check.shorten(cls.model_fields)}")
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            raise InputError(f"{where}: {settings.sentence(error, cls)}") from None

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
