"""Distances of all stages against scikit-learn, and what they refuse; SIRC by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.covariance import EmpiricalCovariance

from primum.judge.confidence.evidence import Reference
from primum.judge.confidence.multilayer import Multilayer, Profile, fit_multilayer
from primum.judge.confidence.sirc import Sirc, doubt, fit_sirc
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
        centre, scale = known[:, varies].mean(axis=0), known[:, varies].std(axis=0)
        covariance = EmpiricalCovariance().fit((known[:, varies] - centre) / scale)
        inside = np.log(covariance.mahalanobis((known[:, varies] - centre) / scale))
        outside = np.log(covariance.mahalanobis((new[:, varies] - centre) / scale))
        expected -= (outside - inside.mean()) / inside.std()
    fitted = fit_multilayer(train)
    np.testing.assert_allclose(fitted(test), expected, rtol=1e-9)
    assert fitted.widths == (6, 4)
    assert fitted(train).mean() == pytest.approx(0, abs=1e-9)


def test_equal_rows_give_equal_scores() -> None:
    train, test = seen(400, 0), seen(300, 1)
    fitted = fit_multilayer(train)
    alone = [float(fitted([part[at : at + 1] for part in test])[0]) for at in range(300)]
    np.testing.assert_allclose(fitted(test), alone, rtol=1e-9)
    assert np.isfinite(fitted([part.mean(axis=0, keepdims=True) for part in train])).all()


def test_few_rows_and_stages_without_variation_are_refused(refused: Callable[..., None]) -> None:
    refused(lambda: fit_multilayer(seen(7, 0)), "more training rows than a stage has numbers (6)", "7 came")
    refused(lambda: fit_multilayer([np.ones((30, 4))]), "in one stage none do")


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
    for second in ("residual", "multilayer"):
        assert stored.sirc(second) == reference.sirc(second)
    assert "fit the policy again" in str(StoredReference({}).multilayer)


def test_the_profile_notices_a_single_strange_stage() -> None:
    train, test = seen(400, 0), seen(200, 1)
    reference = Reference(None, np.zeros(400, dtype=np.int64), None, train)
    profile, summed = reference.profile, reference.multilayer
    assert isinstance(profile, Profile)
    assert isinstance(summed, Multilayer)
    # by another route: z from the sum's own parts, distances by scikit-learn
    known, new = summed.profile(train), summed.profile(test)
    peaks = [z.max(axis=1) for z in (known, new)]
    covariance = EmpiricalCovariance().fit(known)
    logs = [np.log(covariance.mahalanobis(z)) for z in (known, new)]
    expected = sum((late - early.mean()) / early.std() for early, late in (peaks, logs))
    np.testing.assert_allclose(profile(test), -np.asarray(expected), rtol=1e-9)
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


def test_sirc_by_hand() -> None:
    known = np.array([1.0, 3.0])  # mean 2, deviation 1
    assert fit_sirc(known) == Sirc(-1.0, 1.0)
    score = Sirc(-1.0, 1.0)([0.2, 0.2, 1e-30], [-1.0, 50.0, -1000.0])
    assert score.tolist() == pytest.approx([np.log(5) - np.log(2), np.log(5), 30 * np.log(10) - 999])
    assert np.isfinite(Sirc(0.0, 1.0)([0.0], [0.0])).all()
    assert doubt([[0.7, 0.2, 0.1], [1.0, 0.0, 1e-25]]).tolist() == pytest.approx([0.3, 1e-25])
