"""Recalibration against simulations whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from primum import severity
from primum.judge import decision
from primum.judge.metrics import functions
from primum.judge.recalibration import inversion, recalibrate, recalibrators

MATRIX = severity.read("isic2018")


def minimiser(q: np.ndarray, cost: np.ndarray, strength: float) -> np.ndarray:
    """The p that minimises ``−Σ q log p + λ Σ_k q_k Σ_j M[k, j] p_j``, found numerically."""

    def loss(z: np.ndarray) -> tuple[float, np.ndarray]:
        p = softmax(z)
        risk = q @ cost
        return float(-(q * log_softmax(z)).sum() + strength * risk @ p), p - q + strength * p * (
            risk - risk @ p
        )

    found = minimize(loss, np.log(q), jac=True, method="BFGS", options={"gtol": 1e-10})
    return softmax(found.x)


@pytest.mark.parametrize("strength", [0.5, 5.0, 30.0])
def test_inversion_recovers_the_posterior_from_the_minimiser(strength: float) -> None:
    rng = np.random.default_rng(int(strength))
    q = rng.dirichlet(np.ones(7) * 2, 20)
    p = np.array([minimiser(row, MATRIX.scaled, strength) for row in q])
    inverse = inversion.Inversion(MATRIX.scaled, strength)(np.log(p))
    np.testing.assert_allclose(inverse, q, atol=1e-5)


def test_inversion_with_strength_zero_changes_nothing() -> None:
    p = np.random.default_rng(0).dirichlet(np.ones(7), 10)
    np.testing.assert_allclose(inversion.Inversion(MATRIX.scaled, 0.0)(np.log(p)), p, atol=1e-12)


def test_inversion_of_any_probabilities_is_a_distribution() -> None:
    p = np.r_[np.random.default_rng(0).dirichlet(np.ones(7) * 0.1, 500), np.eye(7)]
    with np.errstate(divide="ignore"):
        q = inversion.Inversion(MATRIX.scaled, 30.0)(np.log(p))
    assert (q >= 0).all()
    np.testing.assert_allclose(q.sum(axis=1), 1)


def test_temperature_cannot_undo_the_risk_calibrated_loss_and_the_inversion_can() -> None:
    rng = np.random.default_rng(3)
    q = rng.dirichlet([0.6, 3, 0.4, 0.2, 0.8, 0.1, 0.1], 500)
    labels = (rng.random((500, 1)) > q.cumsum(axis=1)).sum(axis=1)
    p = np.array([minimiser(row, MATRIX.scaled, 10.0) for row in q])
    scaled = recalibrators.fit_temperature(np.log(p), labels)(np.log(p))
    inverse = inversion.Inversion(MATRIX.scaled, 10.0)(np.log(p))

    def spent(probs: np.ndarray) -> float:
        return float((q * MATRIX.cost[:, decision.bayes(probs, MATRIX.cost)].T).sum(axis=1).mean())

    assert spent(inverse) == pytest.approx(spent(q), abs=1e-3)
    assert spent(scaled) > spent(q) + 0.01


def test_temperature_is_recovered() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, 4)) * 2
    labels = (rng.random((20_000, 1)) > softmax(logits, axis=1).cumsum(axis=1)).sum(axis=1)
    assert recalibrators.fit_temperature(logits * 3, labels).temperature == pytest.approx(3, rel=0.03)


def test_temperature_stays_bounded_when_every_answer_is_right() -> None:
    found = recalibrators.fit_temperature(np.eye(3)[np.arange(30) % 3] * 5, np.arange(30) % 3)
    assert 0 < found.temperature < 100


def test_vector_scaling_is_recovered_and_its_gradient_vanishes() -> None:
    rng = np.random.default_rng(1)
    logits = recalibrators.bounded(rng.normal(size=(40_000, 3)) * 2)
    weight, bias = np.array([1.5, 0.7, 1.0]), np.array([0.5, -0.3, 0.0])
    truth = softmax(logits * weight + bias, axis=1)
    labels = (rng.random((40_000, 1)) > truth.cumsum(axis=1)).sum(axis=1)
    found = recalibrators.fit_vector(logits, labels)
    np.testing.assert_allclose(found(logits), truth, atol=0.03)
    slope = (found(logits) - np.eye(3)[labels]).mean(axis=0)
    np.testing.assert_allclose(slope, 0, atol=1e-4)


def test_probabilities_of_exactly_zero_are_ordinary() -> None:
    rng = np.random.default_rng(0)
    probs = np.eye(3)[rng.integers(0, 3, 200)]
    labels = rng.integers(0, 3, 200)
    with np.errstate(divide="ignore"):
        logs = np.log(probs)
    for fit in (recalibrators.fit_temperature, recalibrators.fit_vector):
        assert np.isfinite(fit(logs, labels)(logs)).all()


def test_the_best_is_chosen_by_cross_validation_and_never_hurts_much() -> None:
    rng = np.random.default_rng(5)
    logits = rng.normal(size=(3000, 4)) * 2
    labels = (rng.random((3000, 1)) > softmax(logits, axis=1).cumsum(axis=1)).sum(axis=1)
    shifted = logits * 2 + np.array([2.0, 0, 0, -2.0])
    chosen = recalibrate.choose(shifted, labels, None, 0)
    assert chosen.best == "vector"
    assert chosen.cv_nll["vector"] < chosen.cv_nll["temperature"] < chosen.cv_nll["none"]
    true = functions.nll(labels, softmax(logits, axis=1))
    assert chosen.cv_nll["vector"] == pytest.approx(true, abs=0.01)


def drawn(logits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Labels that follow softmax(logits)."""
    return (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)


def test_a_matrix_is_best_where_classes_are_mixed_into_each_other() -> None:
    rng = np.random.default_rng(2)
    mixing = np.array([[1.0, 0.0, 0.0], [0.6, 0.6, 0.0], [0.0, -0.5, 1.2]])
    logits = rng.normal(size=(1500, 3)) * 2
    log_probs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    chosen = recalibrate.choose(logits, drawn(log_probs @ mixing.T, rng), None, 0)
    assert chosen.best == "structured"
    for name in ("dirichlet", "structured"):
        assert chosen.cv_nll[name] < chosen.cv_nll["vector"] - 0.01


def test_isotonic_is_best_where_a_step_is_the_truth() -> None:
    rng = np.random.default_rng(3)
    first = rng.uniform(0.05, 0.95, 4000)
    labels = (rng.random(4000) > np.where(first < 0.5, 0.1, 0.6)).astype(int)
    chosen = recalibrate.choose(np.log(np.stack([first, 1 - first], axis=1)), labels, None, 0)
    assert chosen.best == "isotonic"


@pytest.mark.parametrize(
    ("n", "k", "left_out"),
    [
        (69, 7, {"vector", "dirichlet", "structured", "isotonic"}),
        (70, 7, set()),
        (400, 31, {"dirichlet", "isotonic"}),
        (1010, 101, {"dirichlet", "structured", "isotonic"}),
    ],
)
def test_what_is_left_out_says_why(n: int, k: int, left_out: set[str]) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(n, k))
    chosen = recalibrate.choose(logits, drawn(logits, rng), None, 0)
    assert set(chosen.left_out) == left_out
    assert not set(chosen.fitted) & left_out
    assert set(chosen.fitted) == set(chosen.cv_nll)
    assert all(str(k) in why and "classes" in why for why in chosen.left_out.values())


def test_a_class_without_a_fit_row_leaves_out_what_is_fitted_class_by_class() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(400, 3)) * 2
    labels = drawn(logits, rng)
    seen = labels != 2
    chosen = recalibrate.choose(logits[seen], labels[seen], None, 0)
    assert set(chosen.fitted) == {"none", "temperature"}
    assert set(chosen.left_out.values()) == {"every class needs a fit row, 1 of 3 classes have none"}


def test_one_patient_cannot_be_held_out() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(200, 3))
    chosen = recalibrate.choose(logits, drawn(logits, rng), np.zeros(200, dtype=int), 0)
    assert list(chosen.fitted) == [chosen.best] == ["none"]
    assert all("one patient" in why for why in chosen.left_out.values())


@pytest.mark.parametrize("hard", [True, False])
def test_no_fit_rows_give_a_number_that_is_not_one(hard: bool) -> None:
    rng = np.random.default_rng(1)
    labels = np.r_[rng.integers(0, 2, 59), 2]  # one row of the third class
    with np.errstate(divide="ignore"):
        logits = np.log(np.eye(3)[labels]) if hard else np.zeros((60, 3))
    chosen = recalibrate.choose(logits, labels, None, 0)
    assert set(chosen.fitted) == {"none", "temperature", *recalibrate.BY_CLASS}
    assert np.isfinite(list(chosen.cv_nll.values())).all()
    for method in chosen.fitted.values():
        probs = method(np.array([[0.0, 0, 0], [50, 0, -50], [-1e4, 0, 1e4], [0, 0, 800]]))
        assert np.isfinite(probs).all()
        np.testing.assert_allclose(probs.sum(axis=1), 1)


def test_patients_stay_in_one_fold() -> None:
    clusters = np.repeat(np.arange(50), 4)
    fold = recalibrate._folds(clusters, 0)
    assert all(len(set(fold[clusters == c])) == 1 for c in range(50))
    assert len(set(fold)) == recalibrate.FOLDS


def loss_of(name: str, **fields: object) -> dict[str, object]:
    return {"loss": {"name": name, "severity": MATRIX.to_dict(), **fields}}


def test_inversion_is_offered_only_where_it_is_exact() -> None:
    order = tuple(reversed(MATRIX.classes))
    risky = {"form": "expected", "strength": 4.0}
    for more in (
        {},
        {"base": "cross_entropy", "risk": None},
    ):  # sources written before base and risk have neither
        found = inversion.inversion_for(loss_of("risk_calibrated", **risky, **more), order)
        assert isinstance(found, inversion.Inversion)
        assert found.strength == 4
        np.testing.assert_allclose(found.cost, MATRIX.scaled[::-1, ::-1])
    for more in ({"form": "weighted"}, {"form": "confusion"}, {"base": "focal"}, {"risk": "urgency"}):
        assert inversion.inversion_for(loss_of("risk_calibrated", **{**risky, **more}), order) is None
    for name in ("cross_entropy", "class_weighted", "focal", "label_smoothing", "hierarchical"):
        assert inversion.inversion_for(loss_of(name), order) is None
    assert inversion.inversion_for({"loss": {"name": "logit_adjusted", "severity": None}}, order) is None
    assert inversion.inversion_for({}, order) is None
    assert inversion.inversion_for(loss_of("risk_calibrated", **risky), ("a", "b")) is None


def adjusted_minimiser(q: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """The p that minimises ``−Σ_y q_y Σ_k G[y, k] log p_k``, found numerically."""

    def loss(z: np.ndarray) -> tuple[float, np.ndarray]:
        weight = q @ gain
        return float(-(weight * log_softmax(z)).sum()), softmax(z) * weight.sum() - weight

    return softmax(minimize(loss, np.zeros(len(q)), jac=True, options={"gtol": 1e-11}).x)


@pytest.mark.parametrize("preset", severity.presets())
def test_the_logit_adjusted_inversion_recovers_the_posterior_from_the_minimiser(preset: str) -> None:
    matrix = severity.read(preset)
    q = np.random.default_rng(1).dirichlet(np.ones(len(matrix.classes)), 20)
    p = np.array([adjusted_minimiser(row, 1 - matrix.scaled) for row in q])
    source = {"loss": {"name": "logit_adjusted", "severity": matrix.to_dict()}}
    inverse = inversion.inversion_for(source, matrix.classes)
    assert isinstance(inverse, inversion.GainInversion)
    np.testing.assert_allclose(inverse(np.log(p)), q, atol=1e-4)
    np.testing.assert_array_equal(p.argmax(axis=1), decision.bayes(q, matrix.cost))
    backwards = inversion.inversion_for(source, matrix.classes[::-1])
    assert backwards is not None
    np.testing.assert_allclose(backwards(np.log(p[:, ::-1])), q[:, ::-1], atol=1e-4)


def test_a_gain_that_cannot_be_inverted_offers_nothing() -> None:
    matrix = severity.SeverityMatrix(
        ("a", "b", "c", "d"),
        np.array([[0, 2, 1, 1], [2, 0, 1, 1], [1, 1, 0, 2], [1, 1, 2, 0.0]]),
        np.eye(4) > 1,
    )
    assert np.linalg.matrix_rank(1 - matrix.scaled) < 4
    source = {"loss": {"name": "logit_adjusted", "severity": matrix.to_dict()}}
    assert inversion.inversion_for(source, matrix.classes) is None


def test_the_logit_adjusted_inversion_of_any_probabilities_is_a_distribution() -> None:
    p = np.r_[np.random.default_rng(0).dirichlet(np.ones(7) * 0.1, 500), np.eye(7)]
    with np.errstate(divide="ignore"):
        q = inversion.GainInversion(1 - MATRIX.scaled)(np.log(p))
    assert (q >= 0).all()
    np.testing.assert_allclose(q.sum(axis=1), 1)


def test_the_logit_adjusted_inversion_is_chosen_where_it_is_true() -> None:
    rng = np.random.default_rng(4)
    q = rng.dirichlet([0.6, 3, 0.4, 0.2, 0.8, 0.1, 0.1], 3000)
    labels = (rng.random((3000, 1)) > q.cumsum(axis=1)).sum(axis=1)
    logits = np.log(q @ (1 - MATRIX.scaled))
    chosen = recalibrate.choose(
        logits, labels, None, 0, inversion.inversion_for(loss_of("logit_adjusted"), MATRIX.classes)
    )
    assert list(chosen.fitted) == ["none", "inversion", "temperature", *recalibrate.BY_CLASS]
    assert chosen.best == "inversion"
    np.testing.assert_allclose(chosen.fitted["inversion"](logits), q, atol=1e-6)
