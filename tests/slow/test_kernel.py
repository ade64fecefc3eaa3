"""The kernel calibration error over many tables: p-values uniform when calibrated, means unbiased."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from primum.judge.metrics import debiased, kernel
from tests.slow.test_coverage import MILD, view

RUNS = 1_000


@pytest.mark.parametrize("most", [5_000, 100])
@pytest.mark.parametrize("clustered", [False, True])
def test_the_p_value_of_a_calibrated_model_is_uniform(clustered: bool, most: int) -> None:
    rng = np.random.default_rng(most + clustered)
    found = []
    for seed in range(RUNS):
        table = view(rng, 150, 1.0, clustered)
        error = kernel.kernel_error(
            table.labels, table.probs["none"], table.clusters, seed=seed, draws=100, most_paired=most
        )
        found.append(error.p_value)
    said = np.array(found)
    print({level: float((said <= level).mean()) for level in (0.01, 0.05, 0.1, 0.5)})
    assert kstest(said, "uniform").pvalue > 0.001
    # 3 standard errors of 1,000 runs at 5 % are 0.021
    assert (said <= 0.05).mean() < 0.05 + 0.021


def test_the_p_value_is_conservative_where_patients_have_cases_of_several_classes() -> None:
    rng = np.random.default_rng(5)
    below = 0
    for seed in range(RUNS):
        table = view(rng, 60, 1.0, False)
        patients = np.arange(60) // 3  # cases not alike at all: one draw for all three is too careful
        error = kernel.kernel_error(table.labels, table.probs["none"], patients, seed=seed, draws=100)
        assert error.p_value is not None
        below += error.p_value <= 0.05
    print(f"p ≤ 0.05 in {below / RUNS:.1%}")
    assert below / RUNS <= 0.05 + 0.021


@pytest.mark.parametrize("sharpness", [1.0, MILD])
@pytest.mark.parametrize("clustered", [False, True])
def test_small_tables_are_right_on_average(sharpness: float, clustered: bool) -> None:
    rng = np.random.default_rng(int(10 * sharpness) + clustered)
    truth, slack = np.zeros(2), np.zeros(2)
    if sharpness != 1.0:
        large = view(rng, 100_000 if clustered else 300_000, sharpness, clustered)
        given = large.labels, large.probs["none"], large.clusters
        truth = np.array(
            [kernel.kernel_error(*given, draws=0).value, debiased.debiased_with_influence(*given)[0]]
        )
        slack = (
            0.05 * truth
        )  # the large table errs too, and its median distance and bins are not those of small ones
    values = []
    for _ in range(RUNS):
        small = view(rng, 300, sharpness, clustered)
        given = small.labels, small.probs["none"], small.clusters
        values.append(
            (kernel.kernel_error(*given, draws=0).value, debiased.debiased_with_influence(*given)[0])
        )
    off = np.mean(values, axis=0) - truth
    error = np.std(values, axis=0) / np.sqrt(RUNS)
    print(dict(zip(("skce", "debiased"), (off / error).tolist(), strict=True)))
    assert (np.abs(off) < 4 * error + slack).all()
