import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch.nn import functional

from primum import severity
from primum.core.check import InputError
from primum.model.losses import RiskCalibratedLoss, risk_calibrated_loss
from tests.model.losses.made import BASES, COST, FORMS, SEVERITY, cases, risky, softmax


@pytest.mark.parametrize("strength", [0.5, 10.0, 30.0])
def test_the_formula_worked_in_numpy(strength):
    logits, labels = cases()
    p, y = softmax(logits.numpy()), labels.numpy()
    rows = np.arange(len(y))
    expected = np.mean(-np.log(p[rows, y]) + strength * ((COST / 10)[y] * p).sum(axis=1))
    assert RiskCalibratedLoss(COST, strength)(logits, labels).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("base", sorted(BASES))
def test_no_strength_is_the_base_loss_bit_for_bit(form, base, dtype):
    found, expected = [], []
    for loss, kept in ((RiskCalibratedLoss(SEVERITY, 0.0, form, BASES[base](np.arange(4))), found),
                       (BASES[base](np.arange(4)), expected)):  # fmt: skip
        logits, labels = cases(dtype=dtype)
        logits.requires_grad_()
        value = loss(logits, labels)
        value.backward()
        kept += [value.detach(), logits.grad]
    assert torch.equal(found[0], expected[0])
    assert torch.equal(found[1], expected[1])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_no_strength_is_the_cross_entropy_of_torch_bit_for_bit(dtype):
    logits, labels = cases(dtype=dtype)
    assert torch.equal(
        RiskCalibratedLoss(COST, 0.0)(logits, labels), functional.cross_entropy(logits, labels)
    )
    assert torch.equal(
        risk_calibrated_loss(logits, labels, torch.tensor(COST), 0.0),
        functional.cross_entropy(logits, labels),
    )


@pytest.mark.parametrize("base", sorted(BASES))
def test_each_form_over_each_base_worked_in_numpy(base):
    logits, labels = cases()
    each = BASES[base](np.arange(4)).per_case(logits, labels).numpy()
    severities = ((COST / 10)[labels.numpy()] * softmax(logits.numpy())).sum(axis=1)
    r = np.random.default_rng(0).uniform(0.5, 3, len(each))
    for form, expected in (
        ("expected", each + 7 * r * severities),
        ("weighted", (1 + 7 * r * severities) * each),
    ):
        loss = RiskCalibratedLoss(SEVERITY, 7.0, form, BASES[base](np.arange(4)))
        assert loss(logits, labels, torch.tensor(r)).item() == pytest.approx(expected.mean(), rel=1e-12)


@pytest.mark.parametrize("form", FORMS)
def test_a_case_of_double_risk_has_a_severity_row_twice_as_high(form):
    logits, labels = cases(n=1)
    single, double = (
        RiskCalibratedLoss(SEVERITY, strength, form)(logits, labels, risk)
        for strength, risk in ((20.0, None), (10.0, torch.tensor([2.0])))
    )
    assert double.item() == pytest.approx(single.item(), rel=1e-12)
    (slope,) = torch.autograd.grad(risky(form, "focal", np.arange(4))(
        logits.requires_grad_(), labels, torch.tensor([2.0])), logits)  # fmt: skip
    assert slope.abs().sum() > 0


def test_rows_are_true_classes():
    sure_of_0 = torch.tensor([[50.0, 0.0]], dtype=torch.float64)
    loss = RiskCalibratedLoss([[0, 1], [10, 0]], 10.0)
    missed = loss(sure_of_0, torch.tensor([1])).item()
    alarm = loss(-sure_of_0, torch.tensor([0])).item()
    assert missed == pytest.approx(50 + 10)  # true 1 called 0: cost 10 of 10
    assert alarm == pytest.approx(50 + 1)


def test_gradient_is_the_one_worked_by_hand():
    logits, labels = cases()
    logits.requires_grad_()
    RiskCalibratedLoss(COST, 10.0)(logits, labels).backward()
    p, y, m = softmax(logits.detach().numpy()), labels.numpy(), COST / 10
    row = m[y]
    by_hand = (p - np.eye(4)[y] + 10.0 * p * (row - (row * p).sum(axis=1, keepdims=True))) / len(y)
    np.testing.assert_allclose(logits.grad.numpy(), by_hand, atol=1e-14)


@pytest.mark.parametrize("seed", range(4))
def test_the_minimiser_satisfies_its_equation_and_inverts_to_the_posterior(seed):
    """``docs/methods.md#inversion``: p_j = q_j / (μ + λ r_j), q ∝ (I − λ diag(p) Mᵀ)⁻¹ p."""
    strength, m = 10.0, torch.tensor(COST / 10)
    q = np.random.default_rng(seed).dirichlet(np.ones(4))
    weights = torch.tensor(q)

    def risk(z):
        logits = torch.tensor(z[None].repeat(4, axis=0), requires_grad=True)
        each = torch.stack(
            [risk_calibrated_loss(logits[i : i + 1], torch.tensor([i]), m, strength) for i in range(4)]
        )
        total = (weights * each).sum()
        total.backward()
        return total.item(), logits.grad.numpy().sum(axis=0)

    starts = [np.zeros(4), np.array([3.0, -3.0, 0.0, 1.0])]
    found = [minimize(risk, start, jac=True, options={"gtol": 1e-10}).x for start in starts]
    p, other = (softmax(z[None])[0] for z in found)
    np.testing.assert_allclose(p, other, atol=1e-6)  # strictly convex in p: one minimiser
    r = q @ (COST / 10)
    mu = q / p - strength * r
    np.testing.assert_allclose(mu, mu[0], rtol=1e-4)
    back = np.linalg.solve(np.eye(4) - strength * np.diag(p) @ (COST / 10).T, p)
    np.testing.assert_allclose(back / back.sum(), q, atol=1e-6)
    assert np.abs(p - q).max() > 0.01  # deliberately miscalibrated


def test_a_severity_matrix_and_its_array_are_the_same():
    matrix = severity.read("isic2018")
    logits, labels = cases(k=7)
    assert RiskCalibratedLoss(matrix)(logits, labels) == RiskCalibratedLoss(torch.tensor(matrix.cost))(
        logits, labels
    )
    assert RiskCalibratedLoss(matrix)(logits, labels) == RiskCalibratedLoss(3 * matrix.cost)(logits, labels)


def test_a_matrix_without_costs_adds_nothing():
    logits, labels = cases()
    found = RiskCalibratedLoss(np.zeros((4, 4)), 10.0)(logits, labels)
    assert found.item() == pytest.approx(functional.cross_entropy(logits, labels).item(), rel=1e-15)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: RiskCalibratedLoss(COST, -1.0), "0 or more"),
        (lambda: RiskCalibratedLoss(COST, float("nan")), "0 or more"),
        (lambda: RiskCalibratedLoss(COST + np.eye(4)), "diagonal"),
        (lambda: RiskCalibratedLoss(-COST), "negative"),
        (lambda: RiskCalibratedLoss(COST[:3]), "square"),
        (lambda: RiskCalibratedLoss(COST, form="weigted"), "did you mean 'weighted'"),
        (
            lambda: RiskCalibratedLoss(COST, base=torch.nn.CrossEntropyLoss()),
            "per_case.*CrossEntropyLoss has none",
        ),
        (lambda: RiskCalibratedLoss(COST)(*cases(), torch.ones(3)), "each of the 17 cases, 3 arrived"),
        (lambda: RiskCalibratedLoss(COST)(*cases(n=2), torch.tensor([1.0, 0.0])), "positive finite number"),
        (lambda: RiskCalibratedLoss(COST)(*cases(n=2), torch.tensor([1.0, float("nan")])), "positive finite"),
    ],
)
def test_what_cannot_be_is_refused(make, says):
    with pytest.raises(InputError, match=says):
        make()
