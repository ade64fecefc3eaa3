"""Guards beyond chance speak in at most 1 % of audits with nothing amiss, patients of three alike cases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from primum.finding import Finding
from primum.guards import CHANCE
from primum.predictions import Predictions

from ..test_guards import BEYOND_CHANCE, dealt

RUNS = 4_000


@pytest.mark.parametrize(("guard", "digits"), BEYOND_CHANCE)
def test_level(guard: Callable[[Predictions, Predictions], list[Finding]], digits: int) -> None:
    share = sum(bool(guard(*dealt(seed, digits))) for seed in range(RUNS)) / RUNS
    print(f"{guard.__name__}: {share:.4f} of {RUNS}")
    assert share <= CHANCE + 3 * (CHANCE * (1 - CHANCE) / RUNS) ** 0.5
