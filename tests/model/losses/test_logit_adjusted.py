import numpy as np
import pytest
import torch

from primum import severity
from primum.core.check import InputError
from primum.judge.decision import bayes
from primum.model.losses import LogitAdjustedLoss
from tests.model.losses.made import COST, SEVERITY, cases, minimiser, softmax


def test_the_formula_of_the_paper_worked_in_numpy():
    logits, labels = cases()
    gain = COST.max() - COST
    diagonal = np.diag(gain)
    m = gain @ np.linalg.inv(np.diag(diagonal))
    shifted = np.log(softmax(logits.numpy() - np.log(diagonal)))
    expected = -(m[labels.numpy()] * shifted).sum(axis=1)
    found = LogitAdjustedLoss(SEVERITY).per_case(logits, labels)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("preset", ["isic2018", "chest_xray"])
def test_the_most_probable_class_at_the_minimiser_is_the_bayes_decision(preset):
    matrix = severity.read(preset)
    loss, gain = LogitAdjustedLoss(matrix), 1 - matrix.scaled
    rng = np.random.default_rng(0)
    for q in rng.dirichlet(np.ones(len(gain)), 12):
        p = minimiser(loss, q)
        np.testing.assert_allclose(p, gain.T @ q / (gain.T @ q).sum(), atol=1e-6)
        assert p.argmax() == bayes(q[None], matrix.cost)[0]


def test_the_unit_of_the_costs_does_not_matter():
    logits, labels = cases()
    found = LogitAdjustedLoss(torch.tensor(3 * COST))(logits, labels)
    assert found.item() == pytest.approx(LogitAdjustedLoss(SEVERITY)(logits, labels).item(), rel=1e-12)


@pytest.mark.parametrize(
    ("matrix", "says"),
    [
        (np.zeros((2, 2)), "some mistake costs something"),
        (-COST, "negative"),
        (COST[:3], "square"),
        (5.0, "square"),
        (COST + np.eye(4), "diagonal"),
    ],
)
def test_what_cannot_be_is_refused(matrix, says):
    with pytest.raises(InputError, match=says):
        LogitAdjustedLoss(matrix)
