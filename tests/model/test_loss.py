import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch.nn import functional

from primum import severity
from primum.check import InputError
from primum.model.loss import RiskCalibratedLoss, risk_calibrated_loss

COST = np.array([[0.0, 2.0, 2.0, 1.0], [10.0, 0.0, 1.0, 10.0], [10.0, 1.0, 0.0, 10.0], [1.0, 2.0, 2.0, 0.0]])


def cases(n=17, k=4, seed=0, dtype=torch.float64):
    made = torch.Generator().manual_seed(seed)
    logits = torch.randn(n, k, generator=made, dtype=dtype) * 3
    return logits, torch.randint(0, k, (n,), generator=made)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("strength", [0.5, 10.0, 30.0])
def test_the_formula_worked_in_numpy(strength):
    logits, labels = cases()
    p, y = softmax(logits.numpy()), labels.numpy()
    rows = np.arange(len(y))
    expected = np.mean(-np.log(p[rows, y]) + strength * ((COST / 10)[y] * p).sum(axis=1))
    assert RiskCalibratedLoss(COST, strength)(logits, labels).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_no_strength_is_cross_entropy_bit_for_bit(dtype):
    logits, labels = cases(dtype=dtype)
    found = RiskCalibratedLoss(COST, 0.0)(logits, labels)
    assert torch.equal(found, functional.cross_entropy(logits, labels))


def test_rows_are_true_classes():
    sure_of_0 = torch.tensor([[50.0, 0.0]], dtype=torch.float64)
    loss = RiskCalibratedLoss([[0, 1], [10, 0]], 10.0)
    missed = loss(sure_of_0, torch.tensor([1])).item()
    alarm = loss(-sure_of_0, torch.tensor([0])).item()
    assert missed == pytest.approx(50 + 10)  # true 1 called 0: cost 10 of 10
    assert alarm == pytest.approx(50 + 1)


def test_gradients_agree_with_finite_differences():
    logits, labels = cases(n=6)
    assert torch.autograd.gradcheck(RiskCalibratedLoss(COST, 10.0), (logits.requires_grad_(), labels))


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
    """METHODS §2: p_j = q_j / (μ + λ r_j), q ∝ (I − λ diag(p) Mᵀ)⁻¹ p."""
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


def test_half_precision_keeps_the_expected_severity_precise():
    logits, labels = cases(n=400, dtype=torch.bfloat16)
    found = RiskCalibratedLoss(COST, 10.0)(logits, labels)
    exact = RiskCalibratedLoss(COST, 10.0)(logits.double(), labels)
    assert found.item() == pytest.approx(exact.item(), rel=2e-3)


def test_the_matrix_stays_out_of_the_state():
    assert RiskCalibratedLoss(COST).state_dict() == {}


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: RiskCalibratedLoss(COST, -1.0), "0 or more"),
        (lambda: RiskCalibratedLoss(COST, float("nan")), "0 or more"),
        (lambda: RiskCalibratedLoss(COST + np.eye(4)), "diagonal"),
        (lambda: RiskCalibratedLoss(-COST), "negative"),
        (lambda: RiskCalibratedLoss(COST[:3]), "square"),
        (lambda: RiskCalibratedLoss(COST)(torch.zeros(2, 5), torch.zeros(2, dtype=torch.int64)), "B × 4"),
    ],
)
def test_what_cannot_be_is_refused(make, says):
    with pytest.raises(InputError, match=says):
        make()
