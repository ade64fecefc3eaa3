"""Grad-CAM against its definition, Score-CAM against a slow one; batches against single images."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from primum.core.check import InputError
from primum.model import backbone
from primum.model.explain import layers, maps
from primum.model.explain.untrained import untrained


@pytest.fixture(params=["resnet10t", "vit_tiny_patch16_224"])
def network(request):
    torch.manual_seed(1)
    made = backbone.build(request.param, ("a", "b", "c"), image_size=64)
    torch.nn.init.normal_(made.head.weight)
    return made


@pytest.fixture
def images():
    return torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def by_definition(network, layer, images, targets):
    """Grad-CAM, Selvaraju et al. 2017, equations 1 and 2, one image at a time through the whole graph."""
    caught = {}
    hook = network.get_submodule(layer.name).register_forward_hook(lambda m, i, o: caught.update(at=o))
    found = []
    for image, target in zip(images, targets, strict=True):
        logits = network.eval()(image[None])
        (slope,) = torch.autograd.grad(logits[0, target], caught["at"])
        activation, slope = (
            part if layer.reshape is None else layer.reshape(part) for part in (caught["at"], slope)
        )
        found.append((slope.mean(dim=(2, 3), keepdim=True) * activation).sum(dim=1).clamp(min=0)[0])
    hook.remove()
    return torch.stack(found).detach()


def test_grad_cam_of_a_batch_is_that_of_its_definition(network, images):
    layer, targets = layers.last_spatial(network), [2, 0, 1]
    expected = maps.scaled(by_definition(network, layer, images, targets))
    with maps.looking(network, layer) as look:
        found, logits = look(images, targets)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(logits, network.eval()(images).detach(), atol=1e-4, rtol=1e-4)
    assert found.shape == (3, maps.SIDE, maps.SIDE)
    assert found.min() >= 0
    shows = found.amax(dim=(1, 2))
    assert ((shows == 1) | (shows == 0)).all()


def test_score_cam_needs_no_gradient_and_is_that_of_a_slow_loop(images):
    torch.manual_seed(1)
    network = backbone.build("mobilenetv3_small_050", ("a", "b"), image_size=64).eval()
    layer = layers.last_spatial(network)
    two = images[:2]
    with torch.no_grad(), maps.looking(network, layer, "score_cam") as look:
        found, _ = look(two, [1, 0])
        caught = {}
        hook = network.get_submodule(layer.name).register_forward_hook(lambda m, i, o: caught.update(at=o))
        base = network(two)
        hook.remove()
    slow = []
    with torch.no_grad():
        for image, activation, target, own in zip(two, caught["at"], [1, 0], base, strict=True):
            low, high = activation.amin(dim=(1, 2), keepdim=True), activation.amax(dim=(1, 2), keepdim=True)
            masks = functional.interpolate(
                ((activation - low) / (high - low + 1e-8))[:, None], (64, 64), mode="bilinear"
            )
            gain = (network(image[None] * masks)[:, target] - own[target]).softmax(dim=0)
            slow.append((gain[:, None, None] * activation).sum(dim=0).clamp(min=0))
    torch.testing.assert_close(found, maps.scaled(torch.stack(slow)), atol=1e-4, rtol=1e-4)


def test_looking_leaves_the_network_as_it_was(network, images):
    network.train()
    network.head.bias.requires_grad_(False)
    wanted = [parameter.requires_grad for parameter in network.parameters()]
    layer = layers.last_spatial(network)
    with pytest.raises(RuntimeError), maps.looking(network, layer) as look:
        look(images[:, :2], [0, 0, 0])
    assert network.training
    assert [parameter.requires_grad for parameter in network.parameters()] == wanted
    assert not network.get_submodule(layer.name)._forward_hooks
    assert not network._forward_pre_hooks


def test_a_map_without_evidence_is_all_zero():
    found = maps.scaled(torch.stack([torch.zeros(4, 4), torch.eye(4) * 3]))
    assert not found[0].any()
    assert found[1].max() == 1


def test_an_unknown_method_is_refused(network):
    with (
        pytest.raises(InputError, match="did you mean 'grad_cam'"),
        maps.looking(network, layers.last_spatial(network), "gradcam"),
    ):
        pass


def test_the_untrained_twin_is_random_but_repeatable(network):
    before = torch.get_rng_state()
    twin, again, other = untrained(network), untrained(network), untrained(network, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    weights = [one.head.weight.detach().numpy() for one in (network, twin, again, other)]
    np.testing.assert_array_equal(weights[1], weights[2])
    assert not np.allclose(weights[0], weights[1])
    assert not np.allclose(weights[1], weights[3])
    assert twin.card == network.card
    assert not twin.training
