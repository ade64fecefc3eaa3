"""Which layer of a network to look at: the last one that still knows where things are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from primum.core.check import InputError
from primum.model.backbone import Network


@dataclass(frozen=True)
class Layer:
    """The layer whose activations become a map.

    Its cells are laid evenly over the image, as is usual. Where a cell really looks is known to about half a
    cell: strided convolutions pad the two sides of an image unequally, and training may make up for that.

    Attributes:
        name: dotted path inside the network, beginning with ``trunk``.
        grid: (rows, columns) of its map.
        channels: C of its activations.
        reshape: its output to (B, C, rows, columns), or None where it has that shape already.
    """

    name: str
    grid: tuple[int, int]
    channels: int
    reshape: Callable[[Tensor], Tensor] | None = None


def last_spatial(network: Network) -> Layer:
    """Find the layer by sending one black image through the trunk.

    A transformer of tokens gives the first norm of its last block: behind it the patches no longer reach a
    class token. Its patch tokens, the last of the sequence, are laid out on the grid of patches. Any other
    network gives the last module whose output is a map of at least 2 × 2.

    Raises:
        InputError: when there is no such layer.
    """
    trunk: Any = network.trunk
    shapes = _outputs(network)
    blocks = getattr(trunk, "blocks", None)
    if isinstance(blocks, nn.Sequential | nn.ModuleList) and hasattr(blocks[-1], "norm1"):
        name = f"blocks.{len(blocks) - 1}.norm1"
        tokens = shapes.get(name)
        grid = _patches(trunk)
        if tokens is not None and len(tokens) == 3 and grid and tokens[1] >= grid[0] * grid[1]:
            return Layer(f"trunk.{name}", grid, tokens[2], partial(on_grid, grid=grid))
    last_channels = str(getattr(trunk, "output_fmt", "NCHW")).endswith("NHWC")
    at = (1, 2) if last_channels else (2, 3)
    maps = [
        (name, shape)
        for name, shape in shapes.items()
        if len(shape) == 4 and min(shape[at[0]], shape[at[1]]) > 1 and "attn" not in name
    ]
    if not maps:
        raise InputError(
            f"network {network.card.name}: no layer keeps a map of its input at "
            f"{network.card.transform.image_size} pixels, so nothing can be explained; take a convolutional "
            "network or a vision transformer"
        )
    name, shape = maps[-1]
    grid = (shape[at[0]], shape[at[1]])
    if last_channels:
        return Layer(f"trunk.{name}", grid, shape[3], channels_first)
    return Layer(f"trunk.{name}", grid, shape[1])


def on_grid(tokens: Tensor, grid: tuple[int, int]) -> Tensor:
    """(B, C, rows, columns) of tokens (B, T, C); what stands before the patches (class, registers) is cut."""
    patches = tokens[:, tokens.shape[1] - grid[0] * grid[1] :]
    return patches.transpose(1, 2).reshape(len(tokens), -1, *grid)


def channels_first(maps: Tensor) -> Tensor:
    """(B, C, rows, columns) of (B, rows, columns, C)."""
    return maps.permute(0, 3, 1, 2)


def _patches(trunk: Any) -> tuple[int, int] | None:
    """(rows, columns) of patches, from whichever module cuts them."""
    for name in ("patch_embed", "stem"):
        grid = getattr(getattr(trunk, name, None), "grid_size", None)
        if grid is not None:
            return int(grid[0]), int(grid[1])
    return None


def _outputs(network: Network) -> dict[str, tuple[int, ...]]:
    """Module name → shape of its output for one image, in the order in which they finish."""
    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str) -> Callable[[nn.Module, object, object], None]:
        def hook(module: nn.Module, inputs: object, output: object) -> None:
            if isinstance(output, Tensor):
                shapes.pop(name, None)
                shapes[name] = tuple(output.shape)

        return hook

    named = [(name, module) for name, module in network.trunk.named_modules() if name]
    hooks = [module.register_forward_hook(note(name)) for name, module in named]
    side, channels = network.card.transform.image_size, len(network.card.transform.mean)
    blank = torch.zeros(1, channels, side, side, device=network.mean.device)
    training = network.training
    try:
        with torch.inference_mode():
            network.eval().trunk(blank)
    finally:
        network.train(training)
        for handle in hooks:
            handle.remove()
    return shapes
