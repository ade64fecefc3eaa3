"""The alarm of a site against sums by hand, and its plan against every size."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from primum.judge.deferral import site, veto

BOUND = veto.bound(veto.rank(0.05, 300), 300)


def tail(f: int, m: int, rate: float) -> float:
    """P(Binomial(m, rate) ≥ f), added up."""
    return sum(comb(m, k) * rate**k * (1 - rate) ** (m - k) for k in range(f, m + 1))


@pytest.mark.parametrize(("vetoed", "units"), [(0, 1), (2, 2), (3, 20), (6, 20), (50, 50), (9, 72)])
def test_the_p_value_is_the_tail_added_up(vetoed: int, units: int) -> None:
    assert float(site.p_value(vetoed, units, BOUND)) == pytest.approx(tail(vetoed, units, BOUND))


@pytest.mark.parametrize("units", [1, 2, 20, 50, 137])
@pytest.mark.parametrize("rate", [0.23, 0.4, 1.0])
def test_power_is_that_of_the_smallest_count_that_suspends(units: int, rate: float) -> None:
    alarming = [f for f in range(units + 1) if tail(f, units, BOUND) <= site.LEVEL]
    expected = tail(alarming[0], units, rate) if alarming else 0.0
    assert float(site.power(units, rate, BOUND)) == pytest.approx(expected)
    # known-like units raise it at the bound in at most one of a hundred sites
    assert float(site.power(units, BOUND, BOUND)) <= site.LEVEL


def test_power_is_as_published_for_300_patients() -> None:
    assert float(site.power(20, 0.4, BOUND)) == pytest.approx(0.87, abs=0.005)
    assert float(site.power(50, 0.23, BOUND)) == pytest.approx(0.84, abs=0.005)


@pytest.mark.parametrize("units", [50, 100, 150, 300, 640, 5000])
def test_from_the_fewest_on_the_power_never_falls_below_again(units: int) -> None:
    bound = veto.bound(veto.rank(0.05, units), units)
    fewest = site.fewest(bound)
    assert fewest is not None
    power = site.power(np.arange(1, 20 * fewest), 0.2, bound)
    assert power[fewest - 2] < 0.8
    assert (power[fewest - 1 :] >= 0.8).all()


def test_no_size_shows_a_veto_that_is_allowed() -> None:
    assert site.fewest(0.2) is None
    assert site.fewest(0.3) is None
    assert site.fewest(0.1999) is None


def test_any_of_is_that_of_a_loop() -> None:
    rng = np.random.default_rng(0)
    flags, patient = rng.random(200) < 0.2, rng.integers(0, 60, 200)
    expected = [bool(flags[patient == name].any()) for name in sorted(set(patient.tolist()))]
    assert site.any_of(flags, patient).tolist() == expected
    assert site.any_of(flags, None).tolist() == flags.tolist()
