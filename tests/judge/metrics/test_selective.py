"""Risk–coverage curves against hand-worked cases and a slow, plain definition."""

from __future__ import annotations

import numpy as np
import pytest

from primum.core.check import InputError
from primum.judge.metrics import selective

CONFIDENCE = np.array([0.9, 0.8, 0.8, 0.7, 0.6, 0.6, 0.6, 0.5])


def plain(confidence: np.ndarray, residual: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """AURC and AUGRC written out group by group, with case weights."""
    total = weight.sum()
    aurc = augrc = accepted = spent = 0.0
    last_risk: float | None = None
    last_generalized = 0.0
    for level in sorted(set(confidence.tolist()), reverse=True):
        group = confidence == level
        accepted += weight[group].sum()
        spent += (weight * residual)[group].sum()
        risk, generalized, width = spent / accepted, spent / total, weight[group].sum() / total
        aurc += width * (risk + (risk if last_risk is None else last_risk)) / 2
        augrc += width * (generalized + last_generalized) / 2
        last_risk, last_generalized = risk, generalized
    return aurc, augrc


@pytest.mark.parametrize(
    ("residual", "aurc", "augrc"),
    [
        ([0, 1, 0, 0, 1, 1, 0, 1], 0.263392857, 0.1796875),
        # by hand: risks 1, 1/3, 1/2, 3/7, 3/8 on widths 1, 2, 1, 3, 1 of 8
        ([1, 0, 0, 1, 0, 0, 1, 0], 0.568080357, 0.2265625),
    ],
)
def test_fixtures(residual: list[int], aurc: float, augrc: float) -> None:
    assert selective.risk_coverage(residual, selective.rank(CONFIDENCE)).aurc == pytest.approx(aurc, abs=1e-9)
    assert selective.risk_coverage(residual, selective.rank(CONFIDENCE)).augrc == pytest.approx(
        augrc, abs=1e-9
    )


@pytest.mark.parametrize("levels", [3, 40, 10_000])
def test_same_as_the_plain_definition(levels: int) -> None:
    rng = np.random.default_rng(levels)
    confidence = rng.integers(0, levels, 300) / levels
    residual = rng.choice([0.0, 1.0, 2.0, 10.0], 300)
    expected = plain(confidence, residual, np.ones(300))
    curve = selective.risk_coverage(residual, selective.rank(confidence))
    assert (curve.aurc, curve.augrc) == pytest.approx(expected)
    assert curve.coverage[-1] == 1
    assert curve.risk[-1] == pytest.approx(residual.mean())


def test_all_tied_is_the_mean_risk() -> None:
    residual = np.array([0, 1, 1, 0, 1])
    assert selective.risk_coverage(residual, selective.rank(np.ones(5))).aurc == pytest.approx(0.6)
    assert selective.risk_coverage(residual, selective.rank(np.ones(5))).augrc == pytest.approx(0.3)


@pytest.mark.parametrize("levels", [4, 1000])
def test_influence_is_the_derivative_by_case_weight(levels: int) -> None:
    rng = np.random.default_rng(levels)
    confidence, residual = rng.integers(0, levels, 40) / levels, rng.choice([0.0, 1.0, 10.0], 40)
    ranking = selective.rank(confidence)
    curve = selective.risk_coverage(residual, ranking)
    found = selective.influence(curve, residual, ranking)
    step = 1e-6
    for case in range(40):
        up, down = np.ones(40), np.ones(40)
        up[case] += step
        down[case] -= step
        high, low = plain(confidence, residual, up), plain(confidence, residual, down)
        for area in (0, 1):
            assert found[area][case] == pytest.approx((high[area] - low[area]) / (2 * step) * 40, abs=1e-5)


def test_threshold_accepts_at_least_the_coverage() -> None:
    score = np.array([0.1, 0.2, 0.3, 0.3, 0.9])
    assert selective.threshold_at_coverage(score, 0.8) == 0.2
    assert selective.threshold_at_coverage(score, 0.5) == 0.3
    assert selective.threshold_at_coverage(score, 1.0) == 0.1


def test_nothing_to_rank_is_refused() -> None:
    with pytest.raises(InputError, match="N of at least 1"):
        selective.rank(np.array([]))
