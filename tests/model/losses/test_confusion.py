import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import multiclass_confusion_matrix

from primum.core.check import InputError
from primum.model.losses import RiskCalibratedLoss
from primum.model.losses.confusion import Confusion, signs, soft_confusion
from primum.severity import SeverityMatrix
from tests.model.losses.made import COST, SEVERITY, cases, softmax

SURE = 60.0


def one_hot(predicted):
    return SURE * torch.eye(4, dtype=torch.float64)[torch.tensor(predicted)]


def test_a_soft_confusion_worked_in_numpy():
    logits, labels = cases(n=40)
    p, y = softmax(logits.numpy()), labels.numpy()
    expected = np.array([p[y == k].mean(axis=0) for k in range(4)])
    np.fill_diagonal(expected, 0)
    expected /= expected.sum(axis=1, keepdims=True)
    found, present = soft_confusion(logits, labels)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)
    assert present.all()


def test_of_certain_answers_it_is_the_counted_confusion_matrix():
    predicted, labels = [0, 1, 1, 2, 0, 3, 2], torch.tensor([0, 0, 0, 0, 1, 1, 2])
    found, present = soft_confusion(one_hot(predicted), labels)
    counted = multiclass_confusion_matrix(torch.tensor(predicted), labels, 4).double().fill_diagonal_(0)
    counted /= counted.sum(dim=1, keepdim=True).clamp(min=1)
    np.testing.assert_allclose(found[:2].numpy(), counted[:2].numpy(), atol=1e-12)
    assert present.tolist() == [True, True, True, False]
    assert found[3].tolist() == [0, 0, 0, 0]


def test_certain_and_right_answers_confuse_nothing():
    found, _ = soft_confusion(1e4 * torch.eye(4), torch.arange(4))
    assert torch.equal(found, torch.zeros(4, 4))


def test_cells_that_rise_and_fall():
    assert signs(SEVERITY, "both").tolist() == [[0, 0, 0, -1], [1, 0, -1, 1], [1, -1, 0, 1], [-1, 0, 0, 0]]
    assert (signs(SEVERITY, "critical") == (COST == 10)).all()
    assert (signs(SEVERITY, "fine") == -1.0 * (COST == 1)).all()


def test_the_factor_follows_the_average_of_what_was_observed():
    module = Confusion(SEVERITY, beta=0.5)
    assert torch.equal(module(), torch.ones(4, 4))
    labels = torch.tensor([1, 1, 2, 0])
    module.observe(
        one_hot([0, 1, 1, 3]), labels
    )  # melanoma → naevus, carcinoma → melanoma, naevus → keratosis
    expected = np.ones((4, 4))
    expected[1, 0], expected[2, 1], expected[0, 3] = 1.5, 0.5, 0.5
    np.testing.assert_allclose(module().numpy(), expected, atol=1e-6)
    module.observe(
        one_hot([3, 1]), torch.tensor([1, 3])
    )  # melanoma → keratosis; keratosis → melanoma, at first
    expected[1, 0], expected[1, 3] = 1.25, 1.25  # halved; a false alarm is neither critical nor fine
    np.testing.assert_allclose(module().numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(module.average[3].numpy(), [0, 1, 0, 0], atol=1e-6)


def test_the_state_goes_on_where_it_stopped():
    first, again = (RiskCalibratedLoss(SEVERITY, 5.0, "confusion") for _ in range(2))
    first.confusion.observe(*cases(seed=1))
    again.load_state_dict(first.state_dict())
    for loss in (first, again):
        loss.confusion.observe(*cases(seed=2))
    assert torch.equal(first(*cases()), again(*cases()))
    assert torch.equal(first.confusion.average, again.confusion.average)


def test_observing_in_autocast_is_as_precise():
    inside, outside = (Confusion(SEVERITY) for _ in range(2))
    with torch.autocast("cpu", torch.bfloat16):
        inside.observe(*cases(dtype=torch.float32))
    outside.observe(*cases(dtype=torch.float32))
    assert torch.equal(inside.average, outside.average)


@pytest.mark.parametrize("half", ["both", "critical", "fine"])
def test_the_loss_with_the_changed_matrix_worked_in_numpy(half):
    loss = RiskCalibratedLoss(SEVERITY, 10.0, "confusion", beta=0.8, half=half)
    loss.confusion.observe(*cases(seed=5, n=40))
    seen, true = cases(seed=5, n=40)
    c = soft_confusion(seen, true)[0].numpy()
    factor = 1 + 0.8 * c * (COST == 10) * (half != "fine") - 0.8 * c * (COST == 1) * (half != "critical")
    logits, labels = cases()
    p, y = softmax(logits.numpy()), labels.numpy()
    m = factor * COST / 10
    expected = (-np.log(p[np.arange(len(y)), y]) + 10 * (m[y] * p).sum(axis=1)).mean()
    assert loss(logits, labels).item() == pytest.approx(expected, rel=1e-6)


def test_without_beta_it_is_the_static_form_bit_for_bit():
    logits, labels = cases()
    loss = RiskCalibratedLoss(SEVERITY, 10.0, "confusion", beta=0.0)
    loss.confusion.observe(*cases(seed=5))
    assert torch.equal(loss(logits, labels), RiskCalibratedLoss(SEVERITY, 10.0)(logits, labels))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Confusion(SeverityMatrix(SEVERITY.classes, COST, COST < 0)), "needs critical cells"),
        (lambda: Confusion(SEVERITY, 1.1), "from 0 to 1"),
        (lambda: Confusion(SEVERITY, half="fein"), "did you mean 'fine'"),
        (lambda: RiskCalibratedLoss(COST, form="confusion"), "needs a SeverityMatrix"),
    ],
)
def test_what_cannot_be_is_refused(make, says):
    with pytest.raises(InputError, match=says):
        make()
