"""Which layer is looked at, for the families of networks there are."""

from __future__ import annotations

import pytest
import torch

from primum.core.check import InputError
from primum.model import backbone
from primum.model.explain import layers

KNOWN = [
    ("resnet10t", 64, "trunk.layer4", (2, 2)),
    ("mobilenetv3_small_050", 64, "trunk.blocks", (2, 2)),
    ("vit_tiny_patch16_224", 48, "trunk.blocks.11.norm1", (3, 3)),
    ("deit_tiny_distilled_patch16_224", 48, "trunk.blocks.11.norm1", (3, 3)),  # two tokens before the patches
]


@pytest.mark.parametrize(("name", "side", "layer", "grid"), KNOWN)
def test_the_last_map_is_found(name, side, layer, grid):
    network = backbone.build(name, ("a", "b"), image_size=side)
    network.train()
    found = layers.last_spatial(network)
    assert (found.name, found.grid) == (layer, grid)
    assert network.training
    assert not network.get_submodule(found.name)._forward_hooks


def test_a_map_with_channels_last_is_turned():
    network = backbone.build("swin_tiny_patch4_window7_224", ("a", "b"), image_size=64)
    found = layers.last_spatial(network)
    assert (found.name, found.grid, found.channels) == ("trunk.norm", (2, 2), 768)
    assert found.reshape(torch.zeros(3, 2, 2, 768)).shape == (3, 768, 2, 2)


def test_patches_lie_row_by_row_behind_what_is_no_patch():
    tokens = torch.arange(8.0).view(1, 8, 1)  # two others, then 2 × 3 patches
    laid = layers.on_grid(tokens, (2, 3))
    assert laid[0, 0].tolist() == [[2, 3, 4], [5, 6, 7]]


def test_a_network_without_a_map_is_refused():
    network = backbone.build("mobilenetv3_small_050", ("a", "b"), image_size=32)
    network.trunk = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 32 * 32, 1024))
    with pytest.raises(InputError, match="no layer keeps a map of its input at 32 pixels"):
        layers.last_spatial(network)
