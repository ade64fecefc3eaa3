"""MC dropout: the same network asked again and again, each time with other units dropped.

See ``docs/methods.md#uncertainty``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from primum.core.check import InputError
from primum.model import features
from primum.model.backbone import Network

UNITS = functional.dropout
CHANNELS = (functional.dropout1d, functional.dropout2d, functional.dropout3d)


class Dropping(TorchFunctionMode):
    """Inside it every dropout of torch with p > 0 drops, in eval mode too, and nothing else changes.

    BatchNorm, stochastic depth (timm's ``drop_path_rate``), DropBlock and patch dropout stay as in eval mode:
    they are no dropout. Layers (``nn.Dropout``) and functional calls, such as timm's ``drop_rate``, count
    alike.

    A mask is decided by seed, pass and place in the network, and all images of a batch share it: one pass is
    one thinned network (Gal & Ghahramani, ICML 2016, read their equation 8 with one draw of the weights per
    pass). So an answer depends neither on the batch size nor on its neighbours, but for float rounding.

    Args:
        images: B of the batch.
        seed, nth: which masks; ``nth`` is the number of the pass.
    """

    def __init__(self, images: int, seed: int, nth: int) -> None:
        super().__init__()
        self.images, self.seed, self.nth = images, seed, nth
        self.places = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is UNITS or func in CHANNELS:
            return self._dropped(*args, **(kwargs or {}), channels=func is not UNITS)
        return func(*args, **(kwargs or {}))

    def _dropped(
        self, values: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False, *, channels: bool
    ) -> Tensor:
        if p == 0:
            return values
        self.places += 1
        n, units = len(values), values.shape[1:]
        # Windows of an image stand one after another in the first dimension, image by image.
        rows = n // self.images if n % self.images == 0 else n
        shape = (rows, units[0], *(1 for _ in units[1:])) if channels else (rows, *units)
        # Drawn by NumPy: torch draws other numbers on each device, and these masks must not depend on it.
        draws = np.random.default_rng([self.seed, self.nth, self.places]).random(shape, dtype=np.float32)
        mask = torch.from_numpy(draws >= p).to(values.device)
        if rows not in (1, n):
            mask = mask.repeat(n // rows, *(1 for _ in units))
        return values * mask / (1 - p)


@dataclass(frozen=True)
class Places:
    """Where a network drops units.

    Attributes:
        head: probability before the last layer. trunk: number of dropouts a pass through the trunk meets.
    """

    head: float
    trunk: int

    @property
    def description(self) -> str:
        """``head``, ``trunk`` or ``trunk and head``; empty when there is no dropout.

        >>> Places(head=0.2, trunk=4).description
        'trunk and head'
        """
        return " and ".join(name for name, present in (("trunk", self.trunk), ("head", self.head)) if present)


def places(network: Network) -> Places:
    """Look for dropout by asking the network once about a black image."""
    transform = network.card.transform
    on = next(network.parameters()).device
    black = torch.zeros((1, len(transform.mean), transform.image_size, transform.image_size), device=on)
    training = network.training
    network.eval()
    with torch.inference_mode(), unfused(network.trunk), Dropping(1, 0, 0) as dropping:
        network.embed(network.prepare(black))
    network.train(training)
    return Places(network.dropout.p, dropping.places)


def dropout(network: Network, count: int) -> Places:
    """Where the network drops units in ``count`` passes.

    Raises:
        InputError: for fewer than two passes, or a network without dropout.
    """
    if count < 2:
        raise InputError(f"passes: at least 2 are needed to see how they differ, {count} arrived")
    where = places(network)
    if not where.description:
        raise InputError(
            f"network {network.card.name}: MC dropout needs dropout, this network has none; train one with "
            "network.dropout (or, where timm has it, network.trunk_dropout) above 0, or look at changed "
            "images with --tta"
        )
    return where


def head_inputs(
    network: Network,
    pixels: Tensor,
    embeddings: Tensor,
    *,
    where: Places,
    count: int,
    seed: int,
    trunk: nn.Module | None = None,
) -> Iterator[Tensor]:
    """(B, D) what the last layer sees in one stochastic pass after another; the network is in eval mode.

    Args:
        network, pixels: see :func:`~primum.model.features.embed_batch`.
        embeddings: (B, D), without dropout. With dropout in the head only they are all that is needed;
            else each pass runs the whole trunk.
        where: :func:`places` of the network.
        count: number of passes S.
        seed: of the masks.
        trunk: another of the same kind to take the network's place, under the same masks.
    """
    for nth in range(count):
        with unfused(network.trunk if trunk is None else trunk), Dropping(len(pixels), seed, nth):
            inputs = features.embed_batch(network, pixels, trunk) if where.trunk else embeddings
            dropped = network.dropout(inputs)
        yield dropped


def logits(
    network: Network, pixels: Tensor, embeddings: Tensor, *, where: Places, count: int, seed: int
) -> Iterator[Tensor]:
    """(B, K) logits of one stochastic pass after another, of what :func:`seen` gives."""
    for features_of_pass in head_inputs(network, pixels, embeddings, where=where, count=count, seed=seed):
        yield network.head(features_of_pass)


@contextmanager
def unfused(trunk: nn.Module) -> Iterator[None]:
    """Attention that drops weights computed step by step: timm's fused kernel never drops in eval mode."""
    changed: list[Any] = [
        module
        for module in trunk.modules()
        if getattr(module, "fused_attn", False) and getattr(getattr(module, "attn_drop", None), "p", 0) > 0
    ]
    for module in changed:
        module.fused_attn = False
    try:
        yield
    finally:
        for module in changed:
            module.fused_attn = True
