"""One shift judged, where a question has no answer."""

from __future__ import annotations

import numpy as np
import pytest

from primum.bench.scores.metrics import CONFIDENT, Cases, Scored, judge


@pytest.mark.parametrize(
    ("true", "why"),
    [(0, "no failure is critical"), (1, "every failure is critical"), (None, "")],
)
def test_confident_failures_are_compared_only_where_some_are_critical(true, why):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 200) if true is None else np.full(200, true)
    decisions = np.where(rng.random(200) < 0.3, 1 - labels, labels)
    cases = Cases(
        np.arange(200).astype(str), labels, None, rng.poisson(1, (200, 50)).astype(np.float32),
        1 - np.eye(2), np.array([[False, False], [True, False]]),
    )  # fmt: skip
    found = judge(cases, [Scored(rng.random(200), decisions, 0.5)])
    assert found.metrics[CONFIDENT].why_not == why
