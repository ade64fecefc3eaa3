"""What each stage of a network sees of an image: channel means and deviations, taken in the same pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from primum.core.arrays import Singles

MOST = 5  # stages; a transformer lists every block, neighbours of which say nearly the same


def modules(trunk: nn.Module) -> list[tuple[nn.Module, int]]:
    """The stages of a timm trunk, from the first to the last, and the channels C of each.

    Those its ``feature_info`` names, of more than five as many evenly spaced ones; empty for a trunk that
    names none.
    """
    listed: Any = getattr(trunk, "feature_info", None) or []
    entries = listed if isinstance(listed, list) else listed.get_dicts()
    named = dict(trunk.named_modules())
    stages = [
        (named[entry["module"]], int(entry["num_chs"])) for entry in entries if entry.get("module") in named
    ]
    if len(stages) <= MOST:
        return stages
    places = np.linspace(0, len(stages), MOST + 1).round().astype(int)[1:] - 1
    return [stages[place] for place in places]


def widths(trunk: nn.Module) -> tuple[int, ...]:
    """Numbers that each stage gives of an image, 2 C; empty for a trunk without named stages."""
    return tuple(2 * channels for _, channels in modules(trunk))


def split(features: Singles, embedding: int, parts: tuple[int, ...]) -> tuple[Singles, ...] | None:
    """The stages (N, 2 C) that stand behind embeddings of a width in features; None where none do."""
    if not parts or features.shape[1] == embedding:
        return None
    ends = embedding + np.cumsum((0, *parts))
    return tuple(features[:, start:end] for start, end in pairwise(ends))


@contextmanager
def watched(trunk: nn.Module) -> Iterator[list[Tensor]]:
    """A list into which each stage of a pass puts (B, 2 C) float32: channel means, then their deviations."""
    seen: list[Tensor] = []
    prefix = int(getattr(trunk, "num_prefix_tokens", 0) or 0)
    hooks = [
        module.register_forward_hook(partial(_watch, seen=seen, channels=channels, prefix=prefix))
        for module, channels in modules(trunk)
    ]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def _watch(
    module: nn.Module, inputs: object, output: Tensor, *, seen: list[Tensor], channels: int, prefix: int
) -> None:
    # at once: the next layer may well change the tensor in place
    seen.append(statistics(output, channels, prefix))


def statistics(output: Tensor, channels: int, prefix: int = 0) -> Tensor:
    """(B, 2 C) float32 means and standard deviations over positions of what a stage gives.

    Args:
        output: (B, C, H, W), (B, H, W, C), or tokens (B, T, C), the first ``prefix`` of which stand for no
            position. channels: C.
    """
    if output.ndim == 3:
        positions: tuple[int, ...] = (1,)
        output = output[:, prefix:]
    else:
        positions = (2, 3) if output.shape[1] == channels else (1, 2)
    variance, mean = torch.var_mean(output.float(), dim=positions, correction=0)
    return torch.cat([mean, variance.clamp_min(0).sqrt()], dim=1)
