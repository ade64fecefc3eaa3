"""What each stage of a network sees of an image: channel means and deviations, taken in the same pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from primum.core.arrays import Singles

MOST = 5  # stages; a transformer lists every block, neighbours of which say nearly the same
AT_ONCE = 2**25  # numbers, 128 MiB in single precision


@dataclass(frozen=True)
class Stage:
    """A module of a trunk that gives channels at positions.

    Attributes:
        module: its name in the trunk. channels: C. axis: of the channels in what it gives, 1 or the last.
        prefix: tokens in front that stand for no position.
    """

    module: str
    channels: int
    axis: int
    prefix: int = 0


def named(trunk: nn.Module, images: Tensor) -> tuple[Stage, ...]:
    """The stages of a timm trunk, in the order of a pass.

    Those of its ``feature_info`` that give, once in a pass, one tensor of as many channels as it says; of
    more than five as many evenly spaced ones, the last among them. Empty for a trunk that names none.

    Args:
        images: (B, C, S, S) to ask about, of the size the trunk takes; what they show does not matter.
    """
    listed: Any = getattr(trunk, "feature_info", None) or []
    entries = listed if isinstance(listed, list) else listed.get_dicts()
    modules = dict(trunk.named_modules())
    channels = {entry["module"]: int(entry["num_chs"]) for entry in entries if entry.get("module") in modules}
    if not channels:
        return ()
    shapes: list[tuple[str, object]] = []
    hooks = [modules[name].register_forward_hook(partial(_keep, name=name, into=shapes)) for name in channels]
    training = trunk.training
    try:
        with torch.inference_mode():
            trunk.eval()(images)
    finally:
        trunk.train(training)
        for hook in hooks:
            hook.remove()
    calls = Counter(name for name, _ in shapes)
    stages = [
        stage
        for name, shape in shapes
        if calls[name] == 1 and (stage := _stage(trunk, name, channels[name], shape)) is not None
    ]
    if len(stages) <= MOST:
        return tuple(stages)
    places = np.linspace(0, len(stages), MOST + 1).round().astype(int)[1:] - 1
    return tuple(stages[place] for place in places)


def _keep(
    module: nn.Module, inputs: object, output: object, *, name: str, into: list[tuple[str, object]]
) -> None:
    into.append((name, output.shape if isinstance(output, Tensor) else None))


def _stage(trunk: nn.Module, name: str, channels: int, shape: object) -> Stage | None:
    """The stage of a module that gives a tensor of this shape, None where that is no map and no tokens."""
    if not isinstance(shape, tuple):
        return None
    if len(shape) == 3:
        prefix = int(getattr(trunk, "num_prefix_tokens", 0) or 0)
        return Stage(name, channels, 2, prefix) if shape[2] == channels and shape[1] > prefix else None
    axes = [axis for axis in (1, 3) if len(shape) == 4 and shape[axis] == channels]
    # a map may have as many rows as channels: Swin of 96 channels has 96 of them for images of 384 pixels
    last = len(axes) == 2 and getattr(trunk, "output_fmt", "NCHW") == "NHWC"
    return Stage(name, channels, axes[-1 if last else 0]) if axes else None


def widths(stages: Sequence[Stage]) -> tuple[int, ...]:
    """Numbers that each stage gives of an image, 2 C."""
    return tuple(2 * stage.channels for stage in stages)


def split(features: Singles, embedding: int, stages: Sequence[Stage]) -> tuple[Singles, ...] | None:
    """The stages (N, 2 C) that stand behind embeddings of a width in features; None where none do."""
    if not stages or features.shape[1] == embedding:
        return None
    ends = embedding + np.cumsum((0, *widths(stages)))
    return tuple(features[:, start:end] for start, end in pairwise(ends))


@contextmanager
def watched(trunk: nn.Module, stages: Sequence[Stage]) -> Iterator[list[Tensor]]:
    """A list into which each stage of a pass puts (B, 2 C) float32: channel means, then their deviations."""
    seen: list[Tensor] = []
    hooks = [
        trunk.get_submodule(stage.module).register_forward_hook(partial(_watch, stage=stage, into=seen))
        for stage in stages
    ]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def _watch(module: nn.Module, inputs: object, output: Tensor, *, stage: Stage, into: list[Tensor]) -> None:
    # at once: the next layer may well change the tensor in place
    into.append(statistics(output[:, stage.prefix :] if stage.prefix else output, stage.axis))


def statistics(output: Tensor, axis: int) -> Tensor:
    """(B, 2 C) float32 means and standard deviations over all positions of what a stage gives.

    Args:
        output: (B, C, H, W), (B, H, W, C), or tokens (B, T, C), of any precision. axis: of the channels.

    >>> statistics(torch.tensor([[[1.0, 5.0], [3.0, 5.0]]]), axis=2).tolist()
    [[2.0, 5.0, 1.0, 0.0]]
    """
    positions = [at for at in range(1, output.ndim) if at != axis]
    parts = []
    # torch.var_mean takes six times as long on a CPU; in parts, since what is centred is a copy
    for part in torch.split(output, max(1, AT_ONCE // output[0].numel())):
        numbers = part.float()
        means = numbers.mean(positions, keepdim=True)
        deviations = (numbers - means).square_().mean(positions).sqrt()
        parts.append(torch.cat([means.flatten(1), deviations], dim=1))
    return torch.cat(parts)
