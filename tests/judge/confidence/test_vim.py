"""ViM against its definition written out, and the last layer recovered from what it did."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.covariance import EmpiricalCovariance

from primum.core.check import InputError
from primum.judge.confidence import vim

D, K = 12, 4


@pytest.fixture
def layer() -> vim.Head:
    rng = np.random.default_rng(5)
    return vim.Head(rng.normal(size=(K, D)), rng.normal(size=K))


def embedded(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, D)) * np.linspace(3, 0.1, D) + 1


def test_the_definition_written_out(layer: vim.Head) -> None:
    train, test = embedded(300, 0), embedded(40, 1)
    origin = -np.linalg.pinv(layer.weight) @ layer.bias
    covariance = EmpiricalCovariance(assume_centered=True).fit(train - origin).covariance_
    values, vectors = np.linalg.eig(covariance)
    residual = np.real(vectors[:, np.argsort(-np.real(values))[D // 2 :]])
    alpha = layer(train).max(axis=1).sum() / np.linalg.norm((train - origin) @ residual, axis=1).sum()
    expected = logsumexp(layer(test), axis=1) - alpha * np.linalg.norm((test - origin) @ residual, axis=1)
    np.testing.assert_allclose(vim.fit_vim(train, layer)(test), expected, rtol=1e-9)


def test_the_origin_has_no_logits(layer: vim.Head) -> None:
    origin = vim.fit_vim(embedded(300, 0), layer).origin
    np.testing.assert_allclose(layer(origin[None]), 0, atol=1e-9)


@pytest.mark.parametrize(("width", "kept"), [(2048, 1000), (1280, 512), (768, 512), (767, 383), (10, 5)])
def test_the_principal_space_of_every_width(width: int, kept: int) -> None:
    assert vim.principal(width) == kept


def test_a_case_off_the_training_space_is_less_trusted(layer: vim.Head) -> None:
    train = embedded(300, 0)
    train[:, -6:] *= 0.01
    found = vim.fit_vim(train, layer)
    off = train[:20] + 5 * found.residual[:, 0]
    assert (found(off) - vim.energy(layer(off)) < found(train[:20]) - vim.energy(layer(train[:20]))).all()


def test_the_layer_comes_back_from_what_it_did(layer: vim.Head) -> None:
    train = embedded(100, 0).astype(np.float32)
    found = vim.recover_head(train, layer(train).astype(np.float32))
    np.testing.assert_allclose(found.weight, layer.weight, atol=1e-4)
    np.testing.assert_allclose(found.bias, layer.bias, atol=1e-4)
    assert found.off(embedded(50, 1), layer(embedded(50, 1))) < 1e-4


def test_a_unit_that_never_fires_gets_no_weight(layer: vim.Head) -> None:
    train = np.c_[embedded(100, 0), np.zeros(100)]
    found = vim.recover_head(train, layer(train[:, :-1]))
    np.testing.assert_allclose(found.weight, np.c_[layer.weight, np.zeros(K)], atol=1e-6)


def test_logits_of_no_linear_layer_are_refused(layer: vim.Head) -> None:
    train = embedded(100, 0)
    with pytest.raises(InputError, match="no last layer"):
        vim.recover_head(train, np.tanh(layer(train)))
    with pytest.raises(InputError, match="more training rows"):
        vim.recover_head(train[:12], layer(train[:12]))


def test_rows_without_a_residual_are_refused(layer: vim.Head) -> None:
    flat = embedded(100, 0)[:, :1] * np.eye(D)[0] + vim.fit_vim(embedded(300, 0), layer).origin
    with pytest.raises(InputError, match="no residual space"):
        vim.fit_vim(flat, layer)


def test_directions_that_hold_noise_alone_do_not_carry_the_origin_away() -> None:
    rng = np.random.default_rng(0)
    left, right = (np.linalg.qr(rng.normal(size=(size, 3)))[0] for size in (3, 8))
    sharp = left[:, :2] @ np.diag([3.0, 2.0]) @ right[:, :2].T
    noisy = sharp + 1e-8 * left[:, 2:] @ right[:, 2:].T  # as weights in single precision are
    bias = np.array([0.5, -0.2, 0.1])
    origin = vim.fit_vim(rng.normal(size=(200, 8)), vim.Head(noisy, bias)).origin
    # the two directions that are there, by hand: −V diag(1/3, 1/2) Uᵀ b
    expected = -right[:, :2] @ ((left[:, :2].T @ bias) / [3.0, 2.0])
    np.testing.assert_allclose(origin, expected, atol=1e-6)
