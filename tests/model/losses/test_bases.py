"""Cross-entropy, class-weighted, focal and label smoothing against independent implementations."""

import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional
from torchvision.ops import sigmoid_focal_loss

from primum.core.check import InputError
from primum.model.losses import ClassWeightedLoss, CrossEntropyLoss, FocalLoss, LabelSmoothingLoss
from primum.model.losses.class_weighted import balanced_weights
from tests.model.losses.made import COUNTS, cases, minimiser

Q = np.array([0.5, 0.3, 0.15, 0.05])


def test_cross_entropy_is_that_of_torch_and_numpy():
    logits, labels = cases()
    loss = CrossEntropyLoss()
    assert torch.equal(loss(logits, labels), functional.cross_entropy(logits, labels))
    by_hand = -log_softmax(logits.numpy(), axis=1)[np.arange(len(labels)), labels.numpy()]
    np.testing.assert_allclose(loss.per_case(logits, labels).numpy(), by_hand, rtol=1e-12)


def test_class_weights_are_those_of_scikit_learn():
    labels = np.repeat(np.arange(4), COUNTS)
    np.testing.assert_allclose(
        balanced_weights(COUNTS), compute_class_weight("balanced", classes=np.arange(4), y=labels)
    )
    assert balanced_weights(COUNTS)[labels].mean() == pytest.approx(1)


def test_the_class_weighted_loss_worked_in_numpy():
    logits, labels = cases()
    log_p = log_softmax(logits.numpy(), axis=1)[np.arange(len(labels)), labels.numpy()]
    weights = COUNTS.sum() / (4 * COUNTS)
    expected = (-weights[labels.numpy()] * log_p).mean()
    assert ClassWeightedLoss(COUNTS)(logits, labels).item() == pytest.approx(expected, rel=1e-6)


def test_class_weights_move_the_minimiser_by_their_ratio():
    expected = Q / COUNTS / (Q / COUNTS).sum()
    np.testing.assert_allclose(minimiser(ClassWeightedLoss(COUNTS), Q), expected, atol=1e-6)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 5.0])
def test_the_focal_loss_of_two_classes_is_that_of_torchvision(gamma):
    logits, labels = cases(n=200, k=2)
    theirs = sigmoid_focal_loss(logits[:, 1] - logits[:, 0], labels.double(), alpha=-1, gamma=gamma)
    np.testing.assert_allclose(FocalLoss(gamma).per_case(logits, labels), theirs, rtol=1e-9)


def test_the_focal_loss_of_many_classes_worked_by_hand():
    logits = torch.tensor([[1.0, 2.0, 5.0]], dtype=torch.float64).log()  # p = 1/8, 2/8, 5/8
    found = FocalLoss(2.0)(logits, torch.tensor([1]))
    assert found.item() == pytest.approx(0.75**2 * np.log(4), rel=1e-12)


@pytest.mark.parametrize("gamma", [0.0, 0.3, 1.0])
def test_the_focal_loss_of_a_certain_answer_has_a_slope(gamma):
    logits = torch.tensor([[400.0, 0.0]], requires_grad=True)
    FocalLoss(gamma)(logits, torch.tensor([0])).backward()
    assert torch.equal(logits.grad, torch.zeros(1, 2))


def test_a_focal_loss_without_gamma_is_cross_entropy():
    logits, labels = cases()
    assert FocalLoss(0.0)(logits, labels).item() == pytest.approx(
        functional.cross_entropy(logits, labels).item(), rel=1e-14
    )


def test_label_smoothing_worked_in_numpy():
    logits, labels = cases()
    target = 0.9 * np.eye(4)[labels.numpy()] + 0.1 / 4
    expected = -(target * log_softmax(logits.numpy(), axis=1)).sum(axis=1).mean()
    assert LabelSmoothingLoss()(logits, labels).item() == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(minimiser(LabelSmoothingLoss(), Q), 0.9 * Q + 0.025, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: ClassWeightedLoss([3, 0]), "at least one training case.*3.0, 0.0"),
        (lambda: ClassWeightedLoss([3]), "two classes or more"),
        (lambda: ClassWeightedLoss(["a", "b"]), "must be numbers"),
        (lambda: FocalLoss(-1.0), "0 or more"),
        (lambda: FocalLoss(float("nan")), "0 or more"),
        (lambda: LabelSmoothingLoss(1.0), "less than 1"),
        (lambda: LabelSmoothingLoss(float("nan")), "less than 1"),
    ],
)
def test_what_cannot_be_is_refused(make, says):
    with pytest.raises(InputError, match=says):
        make()
