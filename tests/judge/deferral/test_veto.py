"""The veto's threshold, its bound, and the p-value it stands for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta, binom

from primum.judge.deferral import veto


def test_minima_are_those_of_a_loop() -> None:
    rng = np.random.default_rng(0)
    score, patient = rng.normal(size=300), rng.integers(0, 60, 300)
    expected = [min(score[patient == name]) for name in sorted(set(patient.tolist()))]
    assert veto.minima(score, patient).tolist() == expected
    assert veto.minima(score, None).tolist() == score.tolist()


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("units", [99, 150, 640])
def test_a_case_passes_when_its_p_value_is_above_the_rate(rate: float, units: int) -> None:
    rng = np.random.default_rng(units)
    lowest = rng.normal(size=units)
    gate = veto.gate(lowest, rate)
    assert gate.units == units
    new = np.r_[rng.normal(size=500), lowest]
    p = np.array([(1 + (lowest <= score).sum()) / (units + 1) for score in new])
    assert veto.p_values(new, lowest) == pytest.approx(p)
    assert (gate.passes(new) == (p > rate)).all()


def test_too_few_units_allow_no_veto() -> None:
    for rate in (0.01, 0.05, 0.1, 1 / 3):
        fewest = veto.fewest(rate)
        assert veto.rank(rate, fewest) == 1
        assert veto.rank(rate, fewest - 1) == 0


@pytest.mark.parametrize(("units", "bound"), [(150, 0.077), (300, 0.072), (640, 0.065)])
def test_the_bound_is_the_quantile_of_its_law(units: int, bound: float) -> None:
    k = veto.rank(0.05, units)
    assert veto.bound(k, units) == pytest.approx(bound, abs=6e-4)
    # P(Beta(k, n + 1 − k) ≤ q) = P(Bin(n, q) ≥ k)
    assert binom.sf(k - 1, units, veto.bound(k, units)) == pytest.approx(0.95)
    assert veto.bound(k, units) == pytest.approx(beta(k, units + 1 - k).ppf(0.95))


def test_equal_scores_pass_together() -> None:
    gate = veto.gate(np.repeat([1.0, 2.0, 3.0], 10), 0.1)
    assert gate.passes([1.0, 0.999, np.nextafter(1.0, 0)]).tolist() == [True, False, True]
