"""Guards beyond chance speak in at most 1 % of audits with nothing amiss, patients of three alike cases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from primum.auditing.guards import CHANCE, confidence_shift, prevalence_shift
from primum.judge.finding import Finding
from primum.predictions import Predictions
from tests.auditing.test_guards import BEYOND_CHANCE, dealt, few

RUNS = 4_000


@pytest.mark.parametrize(("guard", "digits"), BEYOND_CHANCE)
def test_level(guard: Callable[[Predictions, Predictions], list[Finding]], digits: int) -> None:
    share = sum(bool(guard(*dealt(seed, digits))) for seed in range(RUNS)) / RUNS
    print(f"{guard.__name__}: {share:.4f} of {RUNS}")
    assert share <= CHANCE + 3 * (CHANCE * (1 - CHANCE) / RUNS) ** 0.5


@pytest.mark.parametrize(("fit", "test"), [(4, 4), (4, 10), (10, 10), (4, 100), (10, 200), (20, 400)])
@pytest.mark.parametrize("guard", [prevalence_shift, confidence_shift])
def test_level_with_few_patients(
    guard: Callable[[Predictions, Predictions], list[Finding]], fit: int, test: int
) -> None:
    """Chi-squared speaks in 4.5 % with 4 against 100, asymptotic Kolmogorov–Smirnov in 3 % with 4 and 4."""
    share = sum(bool(guard(*few(seed, fit, test))) for seed in range(RUNS // 2)) / (RUNS // 2)
    print(f"{guard.__name__} {fit} {test}: {share:.4f} of {RUNS // 2}")
    assert share <= CHANCE + 3 * (CHANCE * (1 - CHANCE) / (RUNS // 2)) ** 0.5
