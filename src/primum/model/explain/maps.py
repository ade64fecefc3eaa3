"""Maps of what speaks for a class: Grad-CAM, and Score-CAM, which needs no gradient; both by torchcam."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from primum.core import check
from primum.core.arrays import Integers
from primum.model import need
from primum.model.backbone import Network
from primum.model.explain.layers import Layer

METHODS = ("grad_cam", "score_cam")
SIDE = 64  # pixels of a stored map; finer than the grid of any common network

Look = Callable[[Tensor, Integers | Sequence[int]], tuple[Tensor, Tensor]]


@contextmanager
def looking(network: Network, layer: Layer, method: str = "grad_cam") -> Iterator[Look]:
    """Make a network in eval mode give maps, a whole batch at once.

    ``grad_cam``: Selvaraju et al., ICCV 2017; gradients run from the logit to ``layer`` only.
    ``score_cam``: Wang et al., CVPR workshops 2020; no gradients, one pass per channel of ``layer``.

    Yields:
        A function of normalised images (B, C, S, S) and the B class indices to explain. It returns the maps
        (B, SIDE, SIDE) float32, positive evidence only, the largest value 1 (all 0 where nothing speaks for
        the class), and the logits (B, K).

    Raises:
        InputError: for an unknown method.
        MissingExtraError: without torchcam.
    """
    check.one_of(method, METHODS, "method")
    need("torchcam")
    from torchcam.methods import GradCAM, ScoreCAM

    wants = [parameter for parameter in network.parameters() if parameter.requires_grad]
    training, gradients = network.training, method == "grad_cam"
    hooks = []
    network.eval()
    for parameter in wants:
        parameter.requires_grad_(False)
    if gradients:  # first of the hooks: what lies before the layer needs no graph
        hooks.append(network.get_submodule(layer.name).register_forward_hook(_begin))
    network.to(memory_format=torch.channels_last)
    kind: Any = GradCAM if gradients else ScoreCAM
    extractor = kind(network, layer.name, reshape_transform=layer.reshape)

    def look(images: Tensor, targets: Integers | Sequence[int]) -> tuple[Tensor, Tensor]:
        with torch.set_grad_enabled(gradients):
            logits = network(images.contiguous(memory_format=torch.channels_last))
            (evidence,) = extractor([int(target) for target in targets], logits, normalized=False)
        return scaled(evidence.detach().float()), logits.detach().float()

    try:
        with extractor:
            yield look
    finally:
        for hook in hooks:
            hook.remove()
        for parameter in wants:
            parameter.requires_grad_(True)
        network.train(training)


def scaled(grids: Tensor) -> Tensor:
    """(B, SIDE, SIDE) of maps on the layer's grid (B, rows, columns): bilinear, the largest value 1.

    >>> fine = scaled(torch.tensor([[[-1.0, 0.0], [0.0, 4.0]]]))
    >>> tuple(fine.shape), float(fine.min()), float(fine.max())
    ((1, 64, 64), 0.0, 1.0)
    """
    fine = functional.interpolate(grids[:, None], (SIDE, SIDE), mode="bilinear", align_corners=False)[:, 0]
    fine = fine.clamp(min=0)
    top = fine.amax(dim=(1, 2), keepdim=True)
    return torch.where(top > 0, fine / top.clamp(min=torch.finfo(fine.dtype).tiny), torch.zeros_like(fine))


def _begin(module: nn.Module, inputs: object, output: Tensor) -> Tensor:
    """Let the graph of gradients begin at this output; a copy, since what follows may work in place."""
    return output.detach().requires_grad_().clone()
