"""False vetoes within their law, an alarm that keeps its level, and a bound that holds at any site."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import beta as beta_law
from scipy.stats import kstest

from primum.auditing.policy.application import apply
from primum.auditing.policy.document import Policy
from primum.auditing.policy.fit import fit
from primum.auditing.policy.site import SiteCheck, check_sites
from primum.judge.deferral import site, veto
from primum.judge.statistics.shares import at_most
from tests.slow.worlds import DRAWS, World, most

SIZES, RATES = (60, 150, 300, 640), (0.01, 0.05, 0.1)
SURE = 1 - veto.SURE
# The draws are the same at each run, so that no run fails by chance; with another seed one of the 22 tests of
# a right law would fall below this level in 2 % of cases.
KOLMOGOROV = 0.001


def drawn(world: World, rng: np.random.Generator, units: int) -> tuple[Any, Any]:
    """Novelty and patient of the cases of some patients."""
    draw = world.draw(rng, units)
    return draw["novelty"], draw["patient"]


@pytest.mark.parametrize("clustered", [False, True])
def test_false_vetoes_follow_their_law(clustered: bool) -> None:
    """The share of patients of an endless population that the veto of n_A patients sends away."""
    world, rng = World("falling", clustered), np.random.default_rng(31)
    for units in SIZES:
        rates = [rate for rate in RATES if units >= veto.fewest(rate)]
        away, tied, careless = np.empty((3, len(rates), DRAWS))
        for at in range(DRAWS):
            novelty, patient = drawn(world, rng, units)
            # in steps of a fiftieth, a case is sent away where its step is below that of the threshold
            steps = np.floor(novelty * 50) / 50
            for shares, lowest in (
                (away, veto.minima(novelty, patient)),
                (tied, veto.minima(steps, patient)),
                (careless, veto.minima(novelty, None)),
            ):
                shares[:, at] = [world.vetoed(veto.gate(lowest, rate).threshold) for rate in rates]
        for rate, share, stepped, of_images in zip(rates, away, tied, careless, strict=True):
            k = veto.rank(rate, units)
            law, bound = beta_law(k, units + 1 - k), veto.bound(k, units)
            p, above = kstest(share, law.cdf).pvalue, (share > bound).mean()
            error = 3 * law.std() / np.sqrt(DRAWS)
            print(
                f"{'patients' if clustered else 'cases':<9}n_A = {units:<4} beta {rate:4.0%}  mean "
                f"{share.mean():6.2%} of {law.mean():6.2%}  above q = {bound:6.2%} in {above:5.2%} (at most "
                f"{most():.2%})  Kolmogorov-Smirnov p = {p:.3f}  tied {stepped.mean():6.2%}  images as "
                f"patients {of_images.mean():6.2%}"
            )
            assert p > KOLMOGOROV
            assert share.mean() <= rate + error
            assert above <= most(level=SURE)
            assert (stepped <= share + 1e-12).all()
            if clustered:
                assert of_images.mean() > rate + error


@pytest.mark.parametrize("clustered", [False, True])
def test_a_site_like_the_fit_rows_is_suspended_in_at_most_one_of_a_hundred(clustered: bool) -> None:
    """On average over the veto's patients and those of the site; a test against beta would be too loud."""
    world, rng = World("falling", clustered), np.random.default_rng(32)
    sites = 50
    for units in SIZES:
        for rate in RATES[1:]:
            gates = [veto.gate(veto.minima(*drawn(world, rng, units)), rate) for _ in range(DRAWS)]
            truth = np.array([world.vetoed(gate.threshold) for gate in gates])
            bound = gates[0].bound
            for m in (20, 50, 200):
                vetoed = rng.binomial(m, truth[:, None], (DRAWS, sites))
                suspended = (site.p_value(vetoed, m, bound) <= site.LEVEL).mean()
                loud = (site.p_value(vetoed, m, rate) <= site.LEVEL).mean()
                print(
                    f"{'patients' if clustered else 'cases':<9}n_A = {units:<4} beta {rate:4.0%}  m = {m:<4}"
                    f"suspended {suspended:6.2%} (at most 1 %)  against beta itself {loud:6.2%}"
                )
                assert suspended <= site.LEVEL
                if units == 60 and m == 200:
                    assert loud > site.LEVEL


@pytest.mark.parametrize(("m", "share", "power"), [(20, 0.4, 0.87), (50, 0.23, 0.84)])
def test_the_power_is_as_published(m: int, share: float, power: float) -> None:
    """With 300 patients behind the veto, at sites where it sends away 40 or 23 % of patients."""
    rng, bound = np.random.default_rng(33), veto.bound(veto.rank(0.05, 300), 300)
    suspended = (site.p_value(rng.binomial(m, share, 20_000), m, bound) <= site.LEVEL).mean()
    print(f"m = {m}, {share:.0%} vetoed: suspended in {suspended:.1%} of sites (published {power:.0%})")
    assert suspended == pytest.approx(power, abs=0.01)


@pytest.mark.parametrize("m", [10, 20, 50, 200])
def test_the_bound_holds_at_the_worst_share_there_can_be(m: int) -> None:
    """Fatally wrong wherever an accepted answer can be, at the very shares that the bound can take."""
    rng = np.random.default_rng(34)
    worst, naive = 0.0, 0.0
    for hits in range(0, m, max(1, m // 20)):
        share = float(at_most(hits, m)) + 1e-9  # a share just above what so few hits allow
        seen = rng.binomial(m, share, 20_000)
        bounds = np.array([at_most(count, m) for count in range(m + 1)])
        worst = max(worst, float((bounds[seen] < share).mean()))
        naive = max(naive, float((seen / m < share).mean()))
    print(
        f"m = {m:<4} the bound fails in {worst:.2%} at worst (at most {most(20_000):.2%}), the share "
        f"itself in {naive:.1%}"
    )
    assert 0.04 < worst <= most(20_000) < naive


def policy_of(rng: np.random.Generator) -> Policy:
    """Of 600 patients, among them few errors; its veto of 150 of them."""
    world = World("falling", clustered=True)
    return fit(
        table(world.draw(rng, 600), "fit"), score="order", capacity=0.3, veto="novel",
        critical=["malignant:benign"],
    )  # fmt: skip


def table(draw: dict[str, Any], name: str, labels: str | None = None) -> pl.DataFrame:
    """Cases all answered benign; every second patient is benign, or all are what ``labels`` says."""
    patient = draw["patient"]
    truth = np.where(patient % 2, "malignant", "benign") if labels is None else np.full(len(patient), labels)
    return pl.DataFrame(
        {
            "id": [f"{name}-{at}" for at in range(len(patient))],
            "patient": [f"{name}-{at}" for at in patient],
            "label": truth, "prob_benign": 0.8, "prob_malignant": 0.2, "score_order": draw["score"],
            "score_novel": draw["novelty"],
        }
    )  # fmt: skip


def checked(policy: Policy, rows: pl.DataFrame) -> SiteCheck:
    applied = apply(policy, rows)
    return check_sites(policy, applied.table, applied.decided)


def test_a_site_of_strangers_with_the_worst_labels_stays_within_the_bound() -> None:
    """Whole policies, and sites where novelty is shifted and every answer that is used is fatally wrong."""
    rng, draws, m = np.random.default_rng(35), 400, 40
    policies = [policy_of(rng) for _ in range(4)]
    for strange in (0.0, 0.03, 0.3, 0.9):
        world, failed, suspended = World("falling", clustered=True, strange=strange), 0, 0
        for at in range(draws):
            policy = policies[at % len(policies)]
            assert policy.veto is not None
            passing = 1 - min(1.0, policy.veto.threshold + strange)
            truth = world.of_unit(passing * (1 - policy.threshold), "worst")
            found = checked(policy, table(world.draw(rng, m), f"site-{at}", "malignant")).sites[0]
            assert found.harmless is not None
            assert (found.units, found.harmless.n) == (m, m)
            assert found.harmless.at_most <= found.passing.at_most
            failed += found.harmless.at_most < truth
            suspended += found.verdict == "suspended"
        print(
            f"novelty shifted by {strange:4.0%}: bound failed {failed / draws:6.2%} (at most "
            f"{most(draws):.2%})  suspended {suspended / draws:6.1%}"
        )
        assert failed / draws <= most(draws)
        if strange == 0:
            assert suspended / draws <= most(draws, site.LEVEL)
        if strange >= 0.3:
            assert suspended / draws > 0.9
