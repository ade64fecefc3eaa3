"""Distances of all stages against scikit-learn and plain definitions, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.covariance import EmpiricalCovariance

from primum.judge.confidence.evidence import Reference
from primum.judge.confidence.multilayer import Multilayer, Profile, fit_multilayer, fit_profile, left_out
from primum.judge.confidence.storage import StoredReference, arrays_of


def seen(n: int, seed: int, shift: float = 0.0) -> tuple[np.ndarray, ...]:
    """Two stages of correlated numbers, of scales far apart, and a channel that never changes."""
    rng = np.random.default_rng(seed)
    mix = np.random.default_rng(9).normal(size=(6, 6))
    first = (rng.normal(size=(n, 6)) + shift) @ mix * np.array([1e-3, 1, 50, 1, 1, 1])
    return first, np.hstack([rng.normal(size=(n, 3)) + shift, np.full((n, 1), 7.0)])


def test_distances_are_those_of_scikit_learn() -> None:
    train, test = seen(400, 0), seen(50, 1, 0.5)
    expected = np.zeros(50)
    for known, new in zip(train, test, strict=True):
        varies = known.std(axis=0) > 0
        known, new = (rows[:, varies] / known[:, varies].std(axis=0) for rows in (known, new))
        outside = np.log(EmpiricalCovariance().fit(known).mahalanobis(new))
        each = [  # refitted without the row in question
            EmpiricalCovariance().fit(np.delete(known, at, axis=0)).mahalanobis(known[[at]])[0]
            for at in range(len(known))
        ]
        expected -= (outside - np.log(each).mean()) / np.log(each).std()
    fitted = fit_multilayer(train)
    np.testing.assert_allclose(fitted(test), expected, rtol=1e-9, atol=1e-8)
    assert fitted.widths == (6, 4)
    assert fitted.of_training(train).mean() == pytest.approx(0, abs=1e-9)


def test_new_rows_of_the_same_kind_lie_around_0_in_wide_stages_too() -> None:
    rng = np.random.default_rng(8)
    train, new = ([rng.normal(size=(n, 5)), rng.normal(size=(n, 200))] for n in (400, 2000))
    profile = fit_multilayer(train).profile(new)
    assert np.abs(profile.mean(axis=0)).max() < 0.15  # four standard errors
    np.testing.assert_allclose(profile.std(axis=0), 1, atol=0.15)
    inside = fit_multilayer(train).profile(train)  # to themselves too, training rows seem far nearer
    assert inside[:, 1].mean() < -4


def test_a_row_that_alone_fills_a_direction_counts_for_a_finite_distance() -> None:
    assert left_out(np.log([3.0, 1.0, 1.0, 1.0])).tolist() == pytest.approx(np.log([12, 2, 2, 2]).tolist())


def test_a_row_alone_is_the_same_row_among_others() -> None:
    rng = np.random.default_rng(4)
    mix = rng.normal(size=(200, 200)) / 14
    train, test = ([(rng.normal(size=(n, 200)) @ mix).astype(np.float32)] for n in (1000, 300))
    train, test = ([rows[0][:, :50], rows[0]] for rows in (train, test))
    fitted = fit_multilayer(train)
    for score in (fitted, fit_profile(fitted, train)):
        batch = score(test)
        alone = np.array([float(score([part[at : at + 1] for part in test])[0]) for at in range(300)])
        np.testing.assert_allclose(batch, alone, rtol=0, atol=1.01e-8)
        assert np.mean(batch == alone) > 0.99  # rounding may fall on either side, once in many thousands
        copies = score([np.concatenate([part, part[::-1]]) for part in test])
        assert np.mean(copies[:300] == copies[300:][::-1]) > 0.99


def test_distances_are_those_of_a_least_squares_fit() -> None:
    rng = np.random.default_rng(6)
    train, test = (rng.normal(size=(n, 5)) * [0.01, 1, 30, 100, 2] + 10 for n in (60, 8))

    def log_distance(row: np.ndarray, rows: np.ndarray) -> float:
        # δᵀ S⁻¹ δ is the squared length of the shortest w with Xᵀ w = δ
        off = rows - rows.mean(axis=0)
        w, *_ = np.linalg.lstsq(off.T, row - rows.mean(axis=0), rcond=None)
        return float(np.log(len(rows) * (w @ w)))

    known = [log_distance(row, np.delete(train, at, axis=0)) for at, row in enumerate(train)]
    new = np.array([log_distance(row, train) for row in test])
    expected = -(new - np.mean(known)) / np.std(known)
    np.testing.assert_allclose(fit_multilayer([train])([test]), expected, atol=1e-7)


def test_a_direction_of_rounding_changes_nothing() -> None:
    rng = np.random.default_rng(7)
    train, test = rng.normal(size=(300, 3)), rng.normal(size=(20, 3))
    plain = fit_multilayer([train])([test])
    twins = [
        np.c_[rows, rows[:, :1] + 1e-6 * rng.normal(size=(len(rows), 1))].astype(np.float32)
        for rows in (train, test)
    ]
    fitted = fit_multilayer(twins[:1])
    assert fitted.stages[0].whiten.shape == (4, 3)
    off = twins[1] + np.float32([0, 0, 0, 1e-4])  # a hundred times what the twins differ by
    for rows in (twins[1], off):
        # the pair weighs as one number and a half, so that the order is kept and nothing more
        assert np.abs(fitted([rows]) - plain).max() < 0.01


def test_known_rows_that_are_all_as_far_keep_their_scale() -> None:
    known = np.tile([[1.0], [-1.0], [1.0], [-1.0]], (8, 1)) * 3
    fitted = fit_multilayer([known])
    assert fitted.stages[0].spread == 1
    nearer = float(left_out(np.zeros(32))[0])  # to all rows than to the others
    np.testing.assert_allclose(fitted([known]), nearer, atol=1e-8)
    expected = [nearer - np.log(4), nearer + 12 * np.log(10)]
    assert fitted([np.array([[6.0], [0.0]])]).tolist() == pytest.approx(expected)


def test_few_rows_and_stages_without_variation_are_refused(refused: Callable[..., None]) -> None:
    refused(lambda: fit_multilayer(seen(7, 0)), "more training rows than a stage has numbers (6)", "7 came")
    refused(lambda: fit_multilayer([np.ones((30, 4))]), "in one stage none do")
    refused(lambda: fit_multilayer([]), "at least one stage", "none came")
    fitted = fit_multilayer(seen(50, 0))
    refused(lambda: fitted(seen(5, 1)[:1]), "(6, 4) were expected", "(6,) came", "same network")
    refused(lambda: fitted(seen(5, 1)[::-1]), "(4, 6) came")


def test_what_a_policy_stores_gives_the_same_scores() -> None:
    rng = np.random.default_rng(2)
    embeddings, train, test = rng.normal(size=(400, 8)), seen(400, 0), seen(20, 1)
    reference = Reference(embeddings, np.zeros(400, dtype=np.int64), None, train)
    names = ("multilayer", "stage_profile", "vim_residual", "sirc_residual", "sirc_multilayer")
    stored = StoredReference(arrays_of(reference, names))
    assert stored.stage_widths == reference.stage_widths == (6, 4)
    np.testing.assert_array_equal(stored.multilayer(test), reference.multilayer(test))  # type: ignore[operator]
    np.testing.assert_array_equal(stored.profile(test), reference.profile(test))  # type: ignore[operator]
    points = rng.normal(size=(5, 8))
    np.testing.assert_array_equal(stored.residual(points), reference.residual(points))  # type: ignore[operator]
    assert stored.sirc_residual == reference.sirc_residual
    assert stored.sirc_multilayer == reference.sirc_multilayer
    assert "fit the policy again" in str(StoredReference({}).multilayer)


def test_the_profile_notices_a_single_strange_stage() -> None:
    train, test = seen(400, 0), seen(200, 1)
    reference = Reference(None, np.zeros(400, dtype=np.int64), None, train)
    profile, summed = reference.profile, reference.multilayer
    assert isinstance(profile, Profile)
    assert isinstance(summed, Multilayer)
    # by another route: z from the sum's own parts, distances by scikit-learn
    known, new = summed.of_training(train), summed.profile(test)
    peaks = [z.max(axis=1) for z in (known, new)]
    covariance = EmpiricalCovariance().fit(known)
    logs = [np.log(covariance.mahalanobis(z)) for z in (known, new)]
    expected = sum((late - early.mean()) / early.std() for early, late in (peaks, logs))
    np.testing.assert_allclose(profile(test), -np.asarray(expected), rtol=1e-9, atol=1e-8)
    # the second stage is far off, the first unusually close: the sum balances the two, the profile does not
    odd = (
        np.tile(train[0].mean(axis=0), (20, 1)) + 0.3 * (test[0][:20] - train[0].mean(axis=0)),
        test[1][:20].copy(),
    )
    odd[1][:, :3] *= 3
    share = [np.mean(score(odd) < np.quantile(score(test), 0.05)) for score in (profile, summed)]
    assert share[0] > share[1] + 0.3


def test_the_residual_is_what_a_principal_component_analysis_leaves() -> None:
    from sklearn.decomposition import PCA

    rng = np.random.default_rng(3)
    train, new = (rng.normal(size=(n, 8)) * np.arange(1, 9) for n in (300, 10))
    fitted = Reference(train, np.zeros(300, dtype=np.int64)).residual
    pca = PCA(4).fit(train)
    left = new - pca.inverse_transform(pca.transform(new))
    np.testing.assert_allclose(fitted(new), -np.linalg.norm(left, axis=1))  # type: ignore[operator]
