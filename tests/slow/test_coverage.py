"""The promised 95 % intervals, held against simulations whose truth is known from a large sample."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from primum.judge import confidence, decision
from primum.judge.answers import Answers, Operating, View
from primum.judge.metrics import selective
from primum.judge.metrics.measure_view import measure
from tests.judge.every_metric import cost, critical

K, RUNS, LARGE = 4, 1_000, 1_000_000
MILD, STRONG = 1.5, 3.0
OPERATING = Operating("none", {0.7: 0.4, 0.8: 0.5, 0.9: 0.65})


def view(rng: np.random.Generator, n: int, sharpness: float, clustered: bool) -> View:
    """Cases whose labels follow softmax(z) while the model says softmax(sharpness · z).

    With ``clustered`` patients have one to four cases, alike in what is seen and in what is true of them.
    """
    if clustered:
        patients = np.repeat(np.arange(n), rng.integers(1, 5, n))
        shared = rng.normal(size=(n, K))[patients] * 1.2
        logits = shared + rng.normal(size=(len(patients), K)) * 1.2
        noise = rng.gumbel(size=(n, K))[patients]
    else:
        patients = np.arange(n)
        logits = rng.normal(size=(n, K)) * 1.7
        noise = rng.gumbel(size=(n, K))
    logits += np.array([0.8, 0.3, 0.0, -0.3])
    labels = (logits + noise).argmax(axis=1)
    probs = softmax(logits * sharpness, axis=1)
    answers = {}
    for rule, decisions in _rules(probs):
        scores = {"msr": confidence.msr(probs)}
        threshold = {"msr": selective.threshold_at_coverage(np.linspace(0.3, 1, 50), 0.6)}
        answers[rule] = Answers(rule, decisions, "none", scores, threshold)
    return View(
        labels, {"none": probs}, answers, patients if clustered else None, patients, cost(K), critical(K),
        None, 500, 0, OPERATING,
    )  # fmt: skip


def _rules(probs: np.ndarray) -> tuple[tuple[str, np.ndarray], ...]:
    return ("argmax", decision.argmax(probs)), ("bayes", decision.bayes(probs, cost(K)))


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("sharpness", [1.0, MILD, STRONG])
def test_intervals_cover_the_truth(sharpness: float, clustered: bool) -> None:
    rng = np.random.default_rng(int(sharpness * 10) + clustered)
    truth = {
        m.key: m.value for m in measure(view(rng, LARGE // (3 if clustered else 1), sharpness, clustered))
    }
    if sharpness == 1.0:
        zero = ("ece", "ece_equal_mass", "classwise_ece", "debiased_calibration_error", "skce")
        truth |= {key: 0.0 for key in truth if key[0] in zero}
    covered = {key: 0 for key in truth if key[0] != "critical_errors"}
    for _ in range(RUNS):
        sample = view(rng, 400, sharpness, clustered)
        for measured in measure(sample):
            if measured.key in covered:
                found = measured.estimate(sample)
                covered[measured.key] += found.low <= truth[measured.key] <= found.high
    shares = {key: count / RUNS for key, count in covered.items()}
    print({"/".join(str(part) for part in key if part): share for key, share in shares.items()})
    # 3 standard errors of 1,000 runs at 95 % are 0.021
    short = {key: share for key, share in shares.items() if share < 0.95 - 0.021}
    assert not short, short
