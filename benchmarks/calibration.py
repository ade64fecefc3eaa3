"""Seconds and memory of the kernel calibration error and of choosing a recalibrator."""

from __future__ import annotations

import time

import numpy as np
from scipy.spatial.distance import pdist

from benchmarks.timing import alone, median
from primum.judge.metrics import kernel
from primum.judge.recalibration import recalibrate

CASES, CLASSES, FEW, MANY = 5_000, 8, 300, 1_000_000
Row = tuple[str, str, str, str, str]
MADE = (
    "import numpy as np\nfrom benchmarks.calibration import made\nfrom primum.judge.metrics import kernel\n"
    "labels, probs = made({n})\nkernel.kernel_error(labels, probs, draws={draws})"
)


def made(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels that follow softmax(z), and overconfident probabilities."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(n, CLASSES)) * 1.5
    labels = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    sharp = np.exp(1.3 * logits)
    return labels, sharp / sharp.sum(axis=1, keepdims=True)


def plain(labels: np.ndarray, probs: np.ndarray) -> float:
    """The definition, as a loop over pairs."""
    residual, width = np.eye(CLASSES)[labels] - probs, float(np.median(pdist(probs)))
    total = 0.0
    for i in range(len(labels)):
        for j in range(i):
            total += np.exp(-np.linalg.norm(probs[i] - probs[j]) / width) * (residual[i] @ residual[j])
    return 2 * total / (len(labels) * (len(labels) - 1))


def kernel_errors() -> list[Row]:
    """SKCE alone and with its p-value, each in a process of its own, against the loop scaled to all pairs."""
    labels, probs = made(FEW)
    start = time.perf_counter()
    value = plain(labels, probs)
    loop = (time.perf_counter() - start) * (CASES / FEW) ** 2
    assert abs(value - kernel.kernel_error(labels, probs, draws=0).value) < 1e-6
    labels, probs = made(CASES)
    rows: list[Row] = []
    for draws, said, limit in ((0, "", "≤ 2 s, ≤ 500 MB"), (kernel.DRAWS, ", 200-draw p", "≤ 20 s")):
        seconds = median(lambda draws=draws: kernel.kernel_error(labels, probs, draws=draws), 3)
        _, memory = alone(MADE.format(n=CASES, draws=draws))
        what = f"SKCE{said}, {CASES:,} × {CLASSES}, {1000 * memory:.0f} MB"
        against = f"double loop, {loop:.0f} s" if not draws else f"double loop, {loop * draws:,.0f} s"
        ratio = seconds / (loop * max(draws, 1))
        rows.append((what, f"{seconds:.2f} s", against, f"{ratio:.1e} ×", limit))
    return rows


def choosing() -> list[Row]:
    """Every recalibrator fitted and cross-validated."""
    rows: list[Row] = []
    for n in (2_000, MANY):
        labels, probs = made(n)
        logits = np.log(probs)
        start = time.perf_counter()
        recalibrate.choose(logits, labels, None, 0)
        rows.append(
            (f"recalibration chosen, {n:,} × {CLASSES}", f"{time.perf_counter() - start:.1f} s", "", "", "")
        )
    return rows


if __name__ == "__main__":
    for row in kernel_errors() + choosing():
        print(*row, sep=" · ")
