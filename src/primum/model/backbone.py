"""A timm trunk, dropout and one linear layer; built, saved and loaded whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import TypeAdapter, ValidationError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from primum.core import check, documents, files
from primum.core.check import InputError
from primum.model import need

need("torch", "timm", "safetensors")

from primum.model import weights as sources  # noqa: E402
from primum.model.confidnet import ConfidNet  # noqa: E402
from primum.model.images import Transform  # noqa: E402
from primum.model.stages import Stage, named  # noqa: E402

SCHEMA = "primum.network/1"


@dataclass(frozen=True)
class Card:
    """What ``network.json`` says of a network.

    Attributes:
        name: timm name.
        classes: the K class names, in the order of the logits.
        dropout: probability before the last layer.
        transform: what happens to an image first.
        precision: ``32-true``, ``bf16-mixed`` or ``16-mixed``, what it was trained in; in ``bf16-mixed`` the
            trunk also answers in bfloat16.
        recipe: fingerprint of the recipe, or "".
        source: where it came from, JSON-ready, copied into every table of predictions.
        trunk_dropout: probability inside the trunk, 0 in networks written before there was such a thing.
        reservation: whether it has the further output of Deep Gamblers.
        confidnet: what its ConfidNet reads: ``""`` there is none, ``network`` the network's embeddings,
            ``own`` those of a fine-tuned trunk of its own.
    """

    name: str
    classes: tuple[str, ...]
    dropout: float
    transform: Transform
    precision: str = "32-true"
    recipe: str = ""
    source: Mapping[str, Any] = field(default_factory=dict)
    trunk_dropout: float = 0.0
    reservation: bool = False
    confidnet: Literal["", "network", "own"] = ""

    def to_dict(self) -> dict[str, object]:
        """Plain values, ready for JSON."""
        content = {"schema": SCHEMA} | asdict(self) | {"classes": list(self.classes)}
        return content | {"transform": self.transform.to_dict()}

    @classmethod
    def from_dict(cls, content: Mapping[str, object], where: str) -> Card:
        """Read back :meth:`to_dict`; raises InputError for anything else."""
        if not isinstance(content, Mapping) or content.get("schema") != SCHEMA:
            raise InputError(f"{where}: a network of schema {SCHEMA} was expected, something else arrived")
        values = {str(key): value for key, value in content.items() if key != "schema"}
        if unknown := set(values) - {entry.name for entry in fields(cls)}:
            raise InputError(f"{where}: this is not a network written by primum (key {min(unknown)!r})")
        try:
            card = TypeAdapter(cls).validate_python(values)
        except ValidationError as error:
            first = error.errors()[0]
            why = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
            raise InputError(f"{where}: this is not a network written by primum ({why})") from None
        check.class_names(card.classes, where)
        card.transform.refuse_odd(where)
        return card


class Network(nn.Module):
    """``head(dropout(trunk(images)))``.

    Attributes:
        card: what is written beside the weights.
        trunk: timm network, (B, C, S, S) → (B, D).
        head: linear, (B, D) → (B, K); its ``head.weight`` and ``head.bias`` can be read alone from the file.
        reservation: linear, (B, D) → (B, 1), the further output of a network trained by Deep Gamblers. Head
            and reservation together are its last layer of K + 1 outputs.
        confidnet: the :class:`~primum.model.confidnet.ConfidNet` trained beside it, in a file of its own.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, card: Card, trunk: nn.Module) -> None:
        super().__init__()
        self.card = card
        self.trunk = trunk
        width: Any = getattr(trunk, "head_hidden_size", None) or trunk.num_features
        self.dropout = nn.Dropout(card.dropout)
        self.head = nn.Linear(int(width), len(card.classes))
        self.reservation = nn.Linear(int(width), 1) if card.reservation else None
        self.confidnet: ConfidNet | None = None
        for name in ("mean", "std"):
            values = torch.tensor(getattr(card.transform, name)).view(1, -1, 1, 1)
            self.register_buffer(name, values, persistent=False)

    def prepare(self, pixels: Tensor) -> Tensor:
        """Normalise (B, C, S, S) pixels, uint8 or float in 0..1, into what ``forward`` takes."""
        scaled = pixels.float() / 255 if pixels.dtype == torch.uint8 else pixels
        return (scaled - self.mean) / self.std

    def embed(self, images: Tensor) -> Tensor:
        """(B, D) pooled features of normalised images (B, C, S, S)."""
        features: Tensor = self.trunk(images)
        return features

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """Its stages, seen by asking the trunk once about a black image; empty where it names none."""
        transform = self.card.transform
        shape = (1, len(transform.mean), transform.image_size, transform.image_size)
        return named(self.trunk, self.prepare(torch.zeros(shape, device=self.mean.device)))

    @property
    def width(self) -> int:
        """D, the numbers of an embedding."""
        return int(self.head.in_features)

    def forward(self, images: Tensor) -> Tensor:
        """(B, K) logits of normalised images (B, C, S, S)."""
        logits: Tensor = self.head(self.dropout(self.embed(images)))
        return logits

    def last(self) -> nn.Module:
        """The last layer: (B, D) → (B, K), or (B, K + 1) where there is a reservation, which comes last."""
        return self.head if self.reservation is None else Joined(self.head, self.reservation)

    def fingerprint(self) -> str:
        """SHA-256 (hexadecimal) of the trunk: its name and every tensor."""
        digest = hashlib.sha256(self.card.name.encode())
        for key, tensor in sorted(self.trunk.state_dict().items()):
            digest.update(key.encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()


class Joined(nn.Module):
    """Two layers that see the same features, their outputs side by side."""

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first, self.second = first, second

    def forward(self, features: Tensor) -> Tensor:
        return torch.cat([self.first(features), self.second(features)], dim=1)


def build(
    name: str,
    classes: Sequence[str],
    *,
    weights: str = "none",
    dropout: float = 0.2,
    image_size: int = 224,
    squash: int | None = None,
    channels: int = 3,
    trunk_dropout: float = 0.0,
    reservation: bool = False,
) -> Network:
    """Build a network for K classes.

    Args:
        name: any timm name, such as ``resnet50``, ``densenet121``, ``vit_base_patch16_224``.
        classes: class names, in the order of the logits.
        weights: ``none``, ``hub``, ``offline``, or a local file (.safetensors, .pth).
        dropout: probability before the last layer.
        image_size: side of the square input, pixels.
        squash: see :class:`~primum.model.images.Transform`.
        channels: C of the images. Other than 3, the weights of the first convolution are adapted by timm's
            rule (summed for one channel, else repeated in turn and scaled by 3 / C), and every channel is
            normalised by the average of the three colours' mean and std.
        trunk_dropout: probability at the places inside the trunk that timm calls ``proj_drop_rate``: after
            every layer of a DenseNet, in the projections of every block of a transformer. (timm's
            ``drop_rate`` is one dropout before its classifier, whose place is taken by ``dropout`` here.)
        reservation: with the further output that Deep Gamblers needs.

    Raises:
        InputError: for an unknown name, weights that do not fit, a hub that cannot be reached, or trunk
            dropout in a network that has no place for it.
        MissingExtraError: for ``offline`` without its package.
    """
    if weights == "hub":
        trunk = sources.from_hub(name, image_size, channels, trunk_dropout)
    else:
        trunk = sources.trunk(name, False, image_size, channels, trunk_dropout)
        if weights == "offline":
            sources.load_offline(trunk, name)
        elif weights != "none":
            sources.load_local(trunk, weights)
    published: Any = trunk.pretrained_cfg
    mean, std = tuple(published["mean"]), tuple(published["std"])
    if weights == "offline":  # trained on (x − 127) / 128
        mean, std = (127 / 255,) * 3, (128 / 255,) * 3
    if channels != 3:
        mean, std = ((sum(values) / len(values),) * channels for values in (mean, std))
    interpolation = (
        published["interpolation"] if published["interpolation"] in ("bilinear", "nearest") else "bicubic"
    )
    transform = Transform(image_size, mean, std, interpolation, squash)
    names = check.class_names(classes, name)
    card = Card(name, names, dropout, transform, trunk_dropout=trunk_dropout, reservation=reservation)
    return Network(card, trunk)


def save(network: Network, folder: Path | str) -> None:
    """Write ``network.safetensors`` and, last, ``network.json`` into a folder, each whole or not at all.

    A ConfidNet goes into ``confidnet.safetensors``.
    """
    tensors = {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
    confidnet = {key: tensors.pop(key) for key in list(tensors) if key.startswith("confidnet.")}
    with files.whole(Path(folder) / "network.safetensors") as draft:
        save_file(tensors, draft)
    if confidnet:
        with files.whole(Path(folder) / "confidnet.safetensors") as draft:
            save_file({key.removeprefix("confidnet."): value for key, value in confidnet.items()}, draft)
    # Last, since its presence says that a run is finished.
    with files.whole(Path(folder) / "network.json") as draft:
        draft.write_text(json.dumps(network.card.to_dict(), indent=2, ensure_ascii=False), encoding="utf-8")


def load(folder: Path | str) -> Network:
    """Read what :func:`save` wrote; the network comes back in eval mode, on the CPU.

    Raises:
        InputError: when a file is missing or was not written by primum.
    """
    described = Path(folder) / "network.json"
    content = documents.read_json(described, "a trained network")
    card = Card.from_dict(content, str(described))
    network = Network(card, _trunk(card))
    _fill(network, described.with_name("network.safetensors"), "the weights of a trained network")
    if card.confidnet:
        trunk = _trunk(card) if card.confidnet == "own" else None
        confidnet = ConfidNet(network.head.in_features, trunk)
        _fill(confidnet, described.with_name("confidnet.safetensors"), "the weights of its ConfidNet")
        network.confidnet = confidnet
    return network.eval()


def _trunk(card: Card) -> nn.Module:
    transform = card.transform
    return sources.trunk(card.name, False, transform.image_size, len(transform.mean), card.trunk_dropout)


def _fill(module: nn.Module, path: Path, description: str) -> None:
    stored = files.existing(path, description)
    try:
        module.load_state_dict(load_file(stored))
    except Exception as error:
        why = sources.first_line(error)
        raise InputError(f"{stored}: these weights do not fit network.json ({why})") from None
