"""Seconds and memory of every confidence score that predictions alone give, with all its metrics."""

from __future__ import annotations

import time

import numpy as np
from scipy.special import softmax

from benchmarks.timing import alone
from primum.judge.answers import Answers, View
from primum.judge.confidence import Evidence, Fit, confidences
from primum.judge.metrics.measure_scores import measure_score
from primum.judge.metrics.selective import threshold_at_coverage

CASES, CLASSES, FITTED = 1_000_000, 8, 100_000
Row = tuple[str, str, str, str, str]


def made(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and logits that are too sure of themselves."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, CLASSES)) * 1.5
    labels = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    return labels, 1.3 * logits


def judged() -> tuple[float, int, int]:
    """Seconds from logits to the last interval, the number of scores, and that of their metrics."""
    labels, logits = made(CASES, 0)
    fit_labels, fit_logits = made(FITTED, 1)
    fatal = np.arange(CLASSES) < 2
    critical = fatal[:, None] & ~fatal
    cost = np.where(critical, 10.0, np.where(~fatal[:, None] & fatal, 2.0, 1.0)) * (1 - np.eye(CLASSES))
    start = time.perf_counter()
    probs = softmax(logits, axis=1)
    known, _ = confidences(Evidence(softmax(fit_logits, axis=1), fit_logits))
    fit = Fit(fit_logits, fit_labels, fit_logits.argmax(axis=1) == fit_labels, known)
    found, _ = confidences(Evidence(probs, logits, fit=fit))
    threshold = {name: threshold_at_coverage(score, 0.8) for name, score in found.items()}
    answers = Answers("argmax", logits.argmax(axis=1), "none", found, threshold)
    rows = np.arange(CASES)
    view = View(labels, {"none": probs}, {"argmax": answers}, None, rows, cost, critical, None, 1000, 0)
    metrics = [one.estimate(view) for name in found for one in measure_score(view, answers, name)]
    return time.perf_counter() - start, len(found), len(metrics)


def predictions_only() -> list[Row]:
    """Every score that needs no training rows and no passes, in a process of its own for its memory."""
    seconds, count, metrics = judged()
    _, memory = alone("from benchmarks.scores import judged\njudged()")
    what = f"{count} confidence scores, {metrics} metrics with intervals, 10⁶ × {CLASSES}"
    return [(what, f"{seconds:.1f} s", "peak memory", f"{memory:.2f} GB", "≤ 15 s")]


if __name__ == "__main__":
    for row in predictions_only():
        print(*row, sep=" · ")
