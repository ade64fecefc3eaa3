"""Distances to training rows against scikit-learn and plain definitions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import pinvh
from sklearn.covariance import EmpiricalCovariance
from sklearn.preprocessing import normalize

from primum.core.check import InputError
from primum.judge.confidence import distance


def rows(n: int, d: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.r_[np.arange(3), rng.integers(0, 3, n - 3)]
    means = np.random.default_rng(99).normal(size=(3, d)) * 2
    return means[labels] + rng.normal(size=(n, d)) @ np.diag(np.linspace(0.2, 3, d)), labels


def test_mahalanobis_is_that_of_scikit_learn() -> None:
    train, labels = rows(200, 8)
    test, _ = rows(50, 8, seed=1)
    centred = np.concatenate([train[labels == k] - train[labels == k].mean(axis=0) for k in range(3)])
    shared = EmpiricalCovariance(assume_centered=True).fit(centred)
    expected = np.max([-shared.mahalanobis(test - train[labels == k].mean(axis=0)) for k in range(3)], axis=0)
    np.testing.assert_allclose(distance.fit_mahalanobis(train, labels)(test), expected, rtol=1e-9)


def test_mahalanobis_with_directions_that_never_vary() -> None:
    train, labels = rows(200, 6)
    train = np.c_[train, train[:, 0] * 2, np.zeros(200)]  # rank 6 of 8
    test = np.c_[rows(20, 6, 1)[0], np.ones((20, 2)) * 5]
    centred = np.concatenate([train[labels == k] - train[labels == k].mean(axis=0) for k in range(3)])
    inverse = pinvh(centred.T @ centred / len(centred))
    off = [test - train[labels == k].mean(axis=0) for k in range(3)]
    expected = -np.min([np.einsum("ij,jk,ik->i", each, inverse, each) for each in off], axis=0)
    found = distance.fit_mahalanobis(train.astype(np.float64), labels)
    assert found.whiten.shape == (8, 6)
    np.testing.assert_allclose(found(test), expected, rtol=1e-6)


def test_mahalanobis_by_hand() -> None:
    # two classes, covariance diag(1, 4) within each
    corners = np.array([[1, 2], [1, -2], [-1, 2], [-1, -2]], dtype=float)
    train = np.concatenate([corners, corners + np.array([10, 0])])
    found = distance.fit_mahalanobis(train, np.repeat([0, 1], 4))
    np.testing.assert_allclose(
        found(np.array([[0, 0], [3, 0], [10, 4], [5, 0]])), [0, -9, -4, -25], atol=1e-12
    )


def test_without_variation_there_is_no_distance() -> None:
    with pytest.raises(InputError, match="none do"):
        distance.fit_mahalanobis(np.eye(3)[[0, 1, 2]], np.arange(3))


def test_the_neighbour_is_the_fiftieth() -> None:
    train, _ = rows(120, 5)
    test, _ = rows(30, 5, seed=1)
    between = np.linalg.norm(normalize(test)[:, None] - normalize(train)[None], axis=2)
    found = distance.knn(test, distance.fit_neighbours(train))
    np.testing.assert_allclose(found, -np.sort(between, axis=1)[:, 49], rtol=1e-9)
    np.testing.assert_allclose(distance.knn(test * 7, distance.fit_neighbours(train)), found, rtol=1e-9)


def test_too_few_training_rows_for_a_fiftieth() -> None:
    with pytest.raises(InputError, match="at least 50"):
        distance.fit_neighbours(rows(49, 5)[0])


def test_blocks_cover_every_row_once() -> None:
    at = np.concatenate([np.arange(10_000)[rows] for rows in distance.blocks(10_000, 1_000)])
    np.testing.assert_array_equal(at, np.arange(10_000))
