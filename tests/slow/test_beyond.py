"""Does instability foretell errors beyond confidence? By simulation where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from primum.judge.explanation.beyond import Beyond, beyond
from primum.judge.statistics.interval import Resampler

RUNS = 500


def rejected(n: int, floor: float, effect: float) -> float:
    """Share of tables with p < 0.05 where confidence says all, but for an error floor and an effect."""
    rng = np.random.default_rng(int(n + 100 * floor + effect))
    below = 0
    for seed in range(RUNS):
        depth = np.abs(rng.normal(0, 4, n))
        own = rng.normal(size=n)
        shaky = np.exp(-depth / 2) + 0.2 * own
        chance = np.maximum(floor, 0.5 * np.exp(-depth))
        wrong = rng.random(n) < expit(np.log(chance / (1 - chance)) + effect * own)
        found = beyond(wrong, expit(depth), shaky, Resampler(np.arange(n), 2, seed), None, seed)
        assert isinstance(found, Beyond)
        below += found.p < 0.05
    return below / RUNS


@pytest.mark.parametrize(("n", "floor"), [(300, 0.12), (600, 0.10), (600, 0.15)])
def test_an_error_floor_is_no_information_in_instability(n: int, floor: float) -> None:
    share = rejected(n, floor, 0.0)
    print(f"n = {n}, floor {floor:.0%}: {share:.1%} rejected at 5 %")
    # a straight line of logit confidence rejects 32 to 64 %; 3 standard errors of 500 runs are 0.029
    assert share <= 0.05 + 0.03


def test_what_instability_does_know_is_still_seen() -> None:
    share = rejected(600, 0.12, 0.6)
    print(f"effect 0.6: {share:.1%} rejected at 5 %")
    assert share >= 0.8
