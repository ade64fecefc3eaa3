"""What holds for every loss."""

import numpy as np
import pytest
import torch

from primum.core.check import InputError
from primum.model.losses import RiskCalibratedLoss
from tests.model.losses.made import LOSSES, cases

HERE = np.arange(4)


@pytest.fixture(params=sorted(LOSSES))
def name(request):
    return request.param


@pytest.fixture
def loss(name):
    return LOSSES[name](HERE)


def test_gradients_agree_with_finite_differences(loss):
    logits, labels = cases(n=6)
    assert torch.autograd.gradcheck(loss, (logits.requires_grad_(), labels))


def test_the_order_of_the_classes_does_not_matter(name, loss):
    logits, labels = cases()
    order = np.array([2, 0, 3, 1])
    other = LOSSES[name](order)(logits[:, order], torch.tensor(np.argsort(order))[labels])
    assert other.item() == pytest.approx(loss(logits, labels).item(), rel=1e-6)


def test_the_order_of_the_cases_does_not_matter_and_the_loss_is_their_mean(loss):
    logits, labels = cases()
    each = torch.stack([loss(logits[i : i + 1], labels[i : i + 1]) for i in range(len(labels))])
    assert loss(logits, labels).item() == pytest.approx(each.mean().item(), rel=1e-12)
    assert loss(logits.flip(0), labels.flip(0)).item() == pytest.approx(each.mean().item(), rel=1e-12)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("size", [60.0, 3e4])
def test_large_logits_stay_finite_with_their_gradients(loss, dtype, size):
    logits = (size * (2 * torch.eye(4, dtype=dtype) - 1)).requires_grad_()
    for labels in (torch.arange(4), torch.tensor([1, 2, 3, 0])):
        found = loss(logits, labels)
        (slope,) = torch.autograd.grad(found, logits)
        assert torch.isfinite(found)
        assert torch.isfinite(slope).all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(loss, dtype):
    logits, labels = cases(n=400, dtype=dtype)
    found = loss(logits, labels)
    assert found.dtype == torch.float32
    assert found.item() == loss(logits.float(), labels).item()
    with torch.autocast("cpu", torch.bfloat16):
        assert loss(logits.float(), labels).item() == found.item()


def test_only_what_is_observed_is_in_the_state(name, loss):
    kept = {"confusion.average", "confusion.seen"} if name.startswith("confusion") else set()
    assert set(loss.state_dict()) == kept
    assert not list(loss.parameters())


def test_a_risk_of_one_changes_nothing_and_is_refused_where_it_multiplies_nothing(loss):
    logits, labels = cases()
    if isinstance(loss, RiskCalibratedLoss):
        assert torch.equal(loss(logits, labels, torch.ones(len(labels))), loss(logits, labels))
    else:
        with pytest.raises(InputError, match="no severity row"):
            loss(logits, labels, torch.ones(len(labels)))


@pytest.mark.parametrize(
    ("logits", "labels", "says"),
    [
        (torch.zeros(4), torch.zeros(4, dtype=torch.int64), "B × .*, 4 of torch.float32 arrived"),
        (torch.zeros(2, 4, 3), torch.zeros(2, dtype=torch.int64), "2 × 4 × 3"),
        (torch.zeros(2, 4, dtype=torch.int64), torch.zeros(2, dtype=torch.int64), "of torch.int64 arrived"),
        (torch.zeros(2, 4), torch.zeros(3, dtype=torch.int64), "2 cases need as many labels.*, 3 of"),
        (torch.zeros(2, 4), torch.zeros(2), "labels .* of torch.float32 arrived"),
        (torch.zeros(2, 4), torch.zeros(2, 1, dtype=torch.int64), "2 × 1"),
        (torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64), "at least one"),
        (torch.zeros(2, 4), torch.tensor([0, 4]), "0 to 3, 0 to 4 arrived"),
        (torch.zeros(2, 4), torch.tensor([-100, 1]), "-100 to 1 arrived; leave cases without a label"),
    ],
)
def test_other_shapes_are_refused_in_one_sentence(loss, logits, labels, says):
    with pytest.raises(InputError, match=says) as caught:
        loss(logits, labels)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [name for name in sorted(LOSSES) if list(LOSSES[name](HERE).buffers())])
def test_a_loss_that_knows_its_classes_refuses_another_width(name):
    with pytest.raises(InputError, match="of 4 classes needs logits of shape B × 4, 2 × 5"):
        LOSSES[name](HERE)(torch.zeros(2, 5), torch.zeros(2, dtype=torch.int64))
