"""p-values against scipy and their definition, the 149 cases, and certificates worked by hand."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from scipy.stats import binom

from primum.core import ties
from primum.judge.deferral.certify import Denominator, binomial_p, certify, fewest, hoeffding_bentkus_p
from primum.judge.deferral.units import gathered, sampled


def plain_loss(score: np.ndarray, value: np.ndarray, clusters: np.ndarray, cut: float) -> tuple[int, float]:
    """Units accepted above a cut and the sum of their worst losses, unit by unit."""
    accepted, loss = 0, 0.0
    for unit in set(clusters.tolist()):
        kept = (clusters == unit) & (score > cut)
        accepted += bool(kept.any())
        loss += value[kept].max() if kept.any() else 0.0
    return accepted, loss


def test_two_per_cent_needs_149_cases_without_an_error() -> None:
    assert fewest(0.02, 0.05) == 149
    assert 0.98**149 <= 0.05 < 0.98**148
    assert fewest(0.05, 0.05) == 59
    assert fewest(0.5, 0.25) == 2  # exactly, not by rounding
    for n, certified in ((148, False), (149, True)):
        units = gathered(np.arange(n) / n, np.zeros(n), None, True)
        for denominator in get_args(Denominator):
            found = certify(units, 0.02, 0.05, denominator)
            assert bool(found.why_not) is not certified
            assert found.n == n


@pytest.mark.parametrize(
    ("errors", "n", "alpha"), [(0, 149, 0.02), (3, 200, 0.02), (17, 60, 0.3), (60, 60, 0.3)]
)
def test_binomial_p_is_that_of_scipy(errors: int, n: int, alpha: float) -> None:
    assert binomial_p(errors, n, alpha) == pytest.approx(binom.cdf(errors, n, alpha))
    assert binomial_p(0, 0, alpha) == 1


@pytest.mark.parametrize(("mean", "n"), [(0.0, 149), (0.004, 500), (0.0137, 400), (0.02, 900), (0.5, 30)])
def test_hoeffding_bentkus_is_the_smaller_of_both_bounds(mean: float, n: int) -> None:
    alpha = 0.02
    r = min(mean, alpha)
    h = (r * np.log(r / alpha) if r else 0.0) + (1 - r) * np.log((1 - r) / (1 - alpha))
    bentkus = np.e * binom.cdf(np.ceil(n * mean), n, alpha)
    assert hoeffding_bentkus_p(mean, n, alpha) == pytest.approx(min(np.exp(-n * h), bentkus, 1))


@pytest.mark.parametrize("levels", [5, 100_000])
def test_worst_of_each_unit_is_the_plain_definition(levels: int) -> None:
    rng = np.random.default_rng(levels)
    score, value = rng.integers(0, levels, 200) / levels, rng.choice([0.0, 0.1, 0.2, 1.0], 200)
    clusters = rng.integers(0, 70, 200)
    units = gathered(score, value, clusters, False)
    cuts = units.cuts([0.1, 0.3, 0.5, 1.0])
    assert list(cuts) == sorted(cuts, reverse=True)
    for cut, accepted, loss in zip(cuts, units.accepted(cuts), units.loss(cuts), strict=True):
        assert (accepted, pytest.approx(loss)) == plain_loss(score, value, clusters, cut)
    assert cuts[-1] == -np.inf


def test_ties_enter_together_and_never_exceed_the_coverage() -> None:
    units = gathered([0.9, 0.8, 0.8, 0.8, 0.1], np.zeros(5), None, True)
    assert units.accepted(units.cuts([0.4])).tolist() == [1]
    assert units.accepted(units.cuts([0.8])).tolist() == [4]


def made(errors: list[int], n: int = 400) -> object:
    """Cases ranked 0, 1, … from the most confident, with errors at these ranks."""
    value = np.zeros(n)
    value[errors] = 1
    return gathered(-np.arange(n, dtype=float), value, None, True)


def test_the_sequence_stops_at_the_first_failure() -> None:
    # tested at 160, 180, … cases: one error at rank 170 gives p = .12 at 180 but .047 at 240
    assert binom.cdf(1, 180, 0.02) > 0.05 > binom.cdf(1, 240, 0.02)
    found = certify(made([170]), 0.02, 0.05, "accepted")
    assert (found.n, found.risk) == (160, 0)
    # just above a score seen: not equal to it up to rounding, and far below the next one
    assert not ties.at_least(-160.0, found.threshold)
    assert -160 < found.threshold < -160 + 1e-9
    late = certify(made([250]), 0.02, 0.05, "accepted")
    assert (late.n, late.threshold) == (400, -np.inf)


def test_bonferroni_goes_past_a_failure_at_a_stricter_level() -> None:
    found = certify(made([170]), 0.02, 0.05, "accepted", "bonferroni")
    assert found.level == pytest.approx(0.05 / 13)  # 160, 180, … 400 cases
    assert (found.n, found.p) == (400, pytest.approx(binom.cdf(1, 400, 0.02)))


def test_among_all_cases_a_deferred_one_is_safe() -> None:
    found = certify(made(list(range(100, 110)), 300), 0.02, 0.05, "all")
    # at most 1 of 300 may be an error: binom.cdf(2, 300, .02) = .0587, binom.cdf(1, …) = .0175
    assert (found.n, found.risk) == (300, 1 / 300)
    # the first of the ten errors is accepted, the second, at rank 101, is not
    assert not ties.at_least(-101.0, found.threshold)
    assert -101 < found.threshold < -101 + 1e-9


def test_cases_of_one_score_are_cut_off_whole() -> None:
    """Where most cases share the highest score, no share of the cases falls on the edge of that group."""
    score = np.r_[np.ones(761), np.linspace(0.9, 0.1, 15)]
    units = gathered(score, np.r_[np.zeros(761), np.ones(15)], None, True)
    found = certify(units, 0.01, 0.05)
    # 776 cases allow three errors: binom.cdf(3, 776, .01) = .0495, binom.cdf(4, …) = .115
    assert (found.n, found.risk) == (776, 3 / 776)
    assert not ties.at_least(np.sort(score)[::-1][764], found.threshold)


def test_every_version_of_the_cases_is_held_to_the_promise() -> None:
    clean, noisy = made([390], 400), made([50, 120], 400)
    alone = certify(clean, 0.02, 0.05)
    assert alone.threshold == -np.inf
    both = certify([clean, noisy], 0.02, 0.05)
    # binom.cdf(3, 400, .02) = .0416: all three errors of both are few enough alone, so nothing is cut off
    assert both.threshold == -np.inf
    strict = certify([clean, noisy], 0.01, 0.05)
    # binom.cdf(0, 400, .01) = .0180, binom.cdf(1, …) = .0905: no error in either
    assert not ties.at_least(-50.0, strict.threshold)
    assert ties.at_least(-49.0, strict.threshold)
    assert (strict.n, strict.risk) == (400, 0)


@pytest.mark.parametrize(("alpha", "delta"), [(0.2, 0.64), (0.2, 0.32768), (0.1, 0.729)])
def test_just_enough_cases_are_enough_whatever_the_last_digit(alpha: float, delta: float) -> None:
    n = fewest(alpha, delta)
    assert (1 - alpha) ** n == pytest.approx(delta, rel=1e-12)
    for denominator in get_args(Denominator):
        found = certify(gathered(np.arange(n) / n, np.zeros(n), None, True), alpha, delta, denominator)
        assert (found.why_not, found.n) == ("", n)


def test_vetoed_cases_are_never_accepted() -> None:
    score = np.r_[np.full(100, -np.inf), np.linspace(0, 1, 200)]
    units = gathered(score, np.r_[np.ones(100), np.zeros(200)], None, True)
    found = certify(units, 0.02, 0.05)
    assert (found.threshold, found.risk, found.n) == (-np.inf, 0, 300)


def test_what_cannot_be_promised_says_why() -> None:
    few = certify(made([], 120), 0.02, 0.05, "accepted", noun="patients")
    assert (
        few.why_not
        == "not certifiable with n = 120: at least 149 accepted patients without an error are needed"
    )
    assert (few.threshold, few.p) == (np.inf, None)
    bad = certify(made([3]), 0.02, 0.05, "accepted")
    assert bad.why_not == (
        "not certifiable with n = 160: 1 error among the 160 most confident cases, p = 0.17 above 0.05"
    )
    assert bad.threshold == np.inf


def test_among_all_cases_deferring_them_keeps_the_promise() -> None:
    units = gathered(np.zeros(200), np.r_[np.ones(20), np.zeros(180)], None, True)
    found = certify(units, 0.02, 0.05)
    assert not found.why_not
    assert not ties.at_least(0.0, found.threshold)


def test_one_case_per_patient_whatever_the_row_order() -> None:
    rng = np.random.default_rng(0)
    clusters, score = rng.integers(0, 50, 200), rng.random(200)
    rows = sampled(clusters, score, 3)
    assert sorted(clusters[rows]) == sorted(set(clusters.tolist()))
    order = rng.permutation(200)
    again = order[sampled(clusters[order], score[order], 3)]
    assert sorted(again) == sorted(rows)
    assert sorted(sampled(clusters, score, 4)) != sorted(rows)
