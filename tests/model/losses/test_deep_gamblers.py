"""Deep Gamblers: the formula, what its minimiser reserves, and pre-training."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from primum.core.check import InputError
from primum.model.losses import DeepGamblersLoss
from tests.model.losses.made import cases, softmax


def outputs(n=17, dtype=torch.float64):
    """Four outputs are three classes and the reservation."""
    values, labels = cases(n, dtype=dtype)
    return values, labels % 3


def test_cases_worked_by_hand():
    # p = (1/2, 1/4, 1/4), the last reserved, reward 2: the true class 0 pays 1/2 + 1/8, class 1 1/4 + 1/8
    even = torch.log(torch.tensor([[0.5, 0.25, 0.25]], dtype=torch.float64))
    loss = DeepGamblersLoss(2, 2.0)
    assert loss(even, torch.tensor([0])).item() == pytest.approx(-math.log(5 / 8), rel=1e-12)
    assert loss(even, torch.tensor([1])).item() == pytest.approx(-math.log(3 / 8), rel=1e-12)
    both = loss(even.repeat(2, 1), torch.tensor([0, 1])).item()
    assert both == pytest.approx(-(math.log(5 / 8) + math.log(3 / 8)) / 2, rel=1e-12)
    # everything reserved pays 1/o whatever is true
    reserved = torch.tensor([[0.0, 0.0, 80.0]], dtype=torch.float64)
    assert loss(reserved, torch.tensor([1])).item() == pytest.approx(math.log(2), rel=1e-12)


@pytest.mark.parametrize("reward", [1.1, 1.8, 2.5, 10.0])
def test_the_formula_written_out(reward):
    values, labels = outputs()
    p = softmax(values.numpy())
    expected = -np.log(p[np.arange(len(p)), labels] + p[:, -1] / reward)
    loss = DeepGamblersLoss(3, reward)
    np.testing.assert_allclose(loss.per_case(values, labels), expected, rtol=1e-12)
    assert loss(values, labels).item() == pytest.approx(expected.mean(), rel=1e-12)


def test_gradients_agree_with_finite_differences():
    values, labels = outputs(6)
    for loss in (DeepGamblersLoss(3), DeepGamblersLoss(3, pretraining=1)):
        assert torch.autograd.gradcheck(loss, (values.clone().requires_grad_(), labels))


def test_the_order_of_the_classes_does_not_matter_and_the_reservation_stays_last():
    values, labels = outputs()
    order = np.array([2, 0, 1])
    turned = torch.tensor(np.argsort(order))[labels]
    loss = DeepGamblersLoss(3)
    found = loss(values[:, [*order, 3]], turned).item()
    assert found == pytest.approx(loss(values, labels).item(), rel=1e-12)


def reserving(loss, q):
    """(C, K + 1) the softmax that minimises the mean loss where the labels follow q (C, K)."""
    z = torch.zeros(len(q), q.shape[1] + 1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([z], lr=0.2)
    labels, weights = torch.arange(q.shape[1]).repeat(len(q)), torch.tensor(q).reshape(-1)
    for _ in range(400):
        optimizer.zero_grad()
        (weights * loss.per_case(z.repeat_interleave(q.shape[1], dim=0), labels)).sum().backward()
        optimizer.step()
    return softmax(z.detach().numpy())


@pytest.mark.parametrize("reward", [1.3, 1.8])
def test_what_is_reserved_at_the_minimum(reward):
    largest = np.array([0.5, 0.55, 0.6, 0.75, 0.9])
    expected = np.minimum(1, (1 - largest) / (1 - 1 / reward))
    two = reserving(DeepGamblersLoss(2, reward), np.stack([largest, 1 - largest], axis=1))
    np.testing.assert_allclose(two[:, -1], expected, atol=6e-3)
    rest = (1 - largest)[:, None] * [0.1, 0.6, 0.3]
    four = reserving(DeepGamblersLoss(4, reward), np.column_stack([rest[:, :1], largest, rest[:, 1:]]))
    np.testing.assert_allclose(four[:, -1], expected, atol=6e-3)


def test_above_the_number_of_classes_nothing_is_reserved():
    q = np.array([[0.4, 0.35, 0.25], [0.8, 0.1, 0.1]])
    found = reserving(DeepGamblersLoss(3, 6.0), q)
    np.testing.assert_allclose(found, np.column_stack([q, [0, 0]]), atol=6e-3)


def test_pretraining_is_cross_entropy_over_the_classes_and_leaves_the_reservation_alone():
    values, labels = outputs()
    values.requires_grad_()
    loss = DeepGamblersLoss(3, pretraining=2)
    expected = functional.cross_entropy(values[:, :3], labels).item()
    for epoch in (0, 1):
        loss.begin(epoch)
        assert loss(values, labels).item() == pytest.approx(expected, rel=1e-12)
        (slope,) = torch.autograd.grad(loss(values, labels), values)
        assert (slope[:, 3] == 0).all()
    loss.begin(2)
    assert loss(values, labels).item() == DeepGamblersLoss(3)(values, labels).item() != expected


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_large_outputs_stay_finite_with_their_gradients(dtype):
    values = (3e4 * (2 * torch.eye(4, dtype=dtype) - 1)).requires_grad_()
    for labels in (torch.tensor([0, 1, 2, 0]), torch.tensor([1, 2, 0, 2])):
        found = DeepGamblersLoss(3)(values, labels)
        (slope,) = torch.autograd.grad(found, values)
        assert torch.isfinite(found)
        assert torch.isfinite(slope).all()


def test_half_precision_is_computed_in_float32_and_nothing_is_stored():
    values, labels = outputs(400, torch.float16)
    loss = DeepGamblersLoss(3)
    assert loss(values, labels).dtype == torch.float32
    assert loss(values, labels).item() == loss(values.float(), labels).item()
    assert not loss.state_dict()


def test_a_reward_above_the_number_of_classes_is_noted():
    assert DeepGamblersLoss(3, 3.0).note == ""
    assert "reward 10 for 3 classes" in DeepGamblersLoss(3, 10).note


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: DeepGamblersLoss(3, 1.0), "above 1 .* 1.0 arrived"),
        (lambda: DeepGamblersLoss(3)(torch.zeros(2, 3), torch.zeros(2, dtype=torch.int64)), "B × 4"),
        (lambda: DeepGamblersLoss(3)(torch.zeros(2, 4), torch.tensor([0, 3])), "0 to 2, 0 to 3 arrived"),
        (lambda: DeepGamblersLoss(3)(torch.zeros(4), torch.tensor([0])), "4 of torch.float32 arrived"),
        (lambda: DeepGamblersLoss(3)(torch.zeros(1, 4), torch.tensor([0]), torch.ones(1)), "severity row"),
    ],
)
def test_refusals(call, says):
    with pytest.raises(InputError, match=says) as caught:
        call()
    assert "\n" not in str(caught.value)
