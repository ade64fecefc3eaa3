"""Folds of whole groups, held against scikit-learn's."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.model_selection import StratifiedGroupKFold

from primum.data.folds import stratified


def peer(labels: np.ndarray, groups: np.ndarray, folds: int, seed: int) -> np.ndarray:
    found = np.empty(len(labels), dtype=np.int64)
    cut = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for fold, (_, held) in enumerate(cut.split(np.zeros(len(labels)), labels, groups)):
            found[held] = fold
    return found


@pytest.mark.parametrize("classes", [1, 2, 3, 7, 9, 40, 150])
@pytest.mark.parametrize("kind", ["one class per group", "mixed", "rare classes"])
def test_the_folds_are_those_of_scikit_learn(classes: int, kind: str) -> None:
    rng = np.random.default_rng(classes)
    number = int(rng.integers(30, 120))
    groups = np.r_[np.arange(number), rng.integers(0, number, 30 * max(classes, 30))]
    if kind == "one class per group":
        labels = rng.integers(0, classes, number)[groups]
    elif kind == "mixed":
        labels = rng.integers(0, classes, len(groups))
    else:
        labels = np.minimum(rng.geometric(0.4, len(groups)) - 1, classes - 1)
    labels = np.unique(labels, return_inverse=True)[1]
    found = stratified(labels, groups, 20, seed=classes)
    np.testing.assert_array_equal(found, peer(labels, groups, 20, classes))
    assert all(len(np.unique(found[groups == group])) == 1 for group in range(number))


def test_a_thousand_classes_are_spread_evenly() -> None:
    labels = np.repeat(np.arange(1139), 20)
    groups = np.arange(len(labels)) // 2
    fold = stratified(labels, groups, 10, seed=0)
    assert np.bincount(fold).tolist() == [2278] * 10
    assert all(np.bincount(fold[labels == k], minlength=10).tolist() == [2] * 10 for k in range(0, 1139, 50))
