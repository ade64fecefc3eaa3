import numpy as np
import pytest
import torch
from torch.nn import functional

from primum.core.check import InputError
from primum.model.losses import HierarchicalLoss
from primum.severity import SeverityMatrix
from tests.model.losses.made import COST, SEVERITY, cases, minimiser, softmax

SIDES = np.array([0, 1, 1, 0])


@pytest.mark.parametrize("alpha", [0.1, 0.5, 3.0])
def test_the_formula_worked_edge_by_edge(alpha):
    """−Σ over the edges from the root, each weighted e^−α·depth, in units of the first."""
    logits, labels = cases()
    p = softmax(logits.numpy())
    each = []
    for row, true in zip(p, labels.numpy(), strict=True):
        group = row[SIDES[true] == SIDES].sum()
        edges = [group / row.sum(), row[true] / group]
        weights = [np.exp(-alpha * depth) for depth in (1, 2)]
        each.append(-sum(w * np.log(edge) for w, edge in zip(weights, edges, strict=True)) / weights[0])
    found = HierarchicalLoss(SEVERITY, alpha).per_case(logits, labels)
    np.testing.assert_allclose(found.numpy(), each, rtol=1e-12)
    assert HierarchicalLoss(SEVERITY, alpha)(logits, labels).item() == pytest.approx(np.mean(each))


def test_without_strength_it_is_cross_entropy_bit_for_bit():
    logits, labels = cases(dtype=torch.float32)
    found = HierarchicalLoss(SEVERITY, 0.0)(logits, labels)
    assert torch.equal(found, functional.cross_entropy(logits, labels))
    np.testing.assert_allclose(
        HierarchicalLoss(SEVERITY, 0.0).per_case(logits, labels),
        functional.cross_entropy(logits, labels, reduction="none"),
        rtol=1e-5,
    )


def test_a_mistake_inside_the_super_class_costs_less():
    loss = HierarchicalLoss(SEVERITY, 2.0)
    sure_of_melanoma = torch.tensor([[0.0, 9.0, 0.0, 0.0]])
    carcinoma, naevus = (loss(sure_of_melanoma, torch.tensor([true])).item() for true in (2, 0))
    assert carcinoma < naevus / 2


def test_its_minimiser_is_the_posterior():
    q = np.array([0.4, 0.3, 0.2, 0.1])
    np.testing.assert_allclose(minimiser(HierarchicalLoss(SEVERITY, 2.0), q), q, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: HierarchicalLoss(SeverityMatrix(SEVERITY.classes, COST, COST < 0)), "0 of 4 classes"),
        (lambda: HierarchicalLoss(SeverityMatrix(SEVERITY.classes, COST, COST > 0)), "4 of 4 classes"),
        (lambda: HierarchicalLoss(SEVERITY, -0.1), "0 or more"),
    ],
)
def test_what_cannot_be_is_refused(make, says):
    with pytest.raises(InputError, match=says):
        make()
