"""Print one table of everything measured: ``python -m benchmarks``."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table
from scipy.special import softmax
from sklearn.metrics import roc_auc_score

from benchmarks.calibration import choosing, kernel_errors
from benchmarks.care import care
from benchmarks.copies import checking
from benchmarks.corruptions import corruptions
from benchmarks.explore import explorer
from benchmarks.losses import overhead
from benchmarks.maps import maps
from benchmarks.passes import dropout
from benchmarks.scores import predictions_only
from benchmarks.stages import stages
from benchmarks.timing import alone, command, median
from primum.judge.metrics import accuracy, calibration, selective

CASES, CLASSES = 1_000_000, 8
BIN = Path(sys.executable).parent
RUN = "from primum.cli import main\ntry:\n    main()\nexcept SystemExit as done:\n    assert not done.code"
Row = tuple[str, str, str, str, str]


def ranking() -> list[Row]:
    """AURC and AUGRC together against one argsort; AUROC with its interval against scikit-learn's without."""
    rng = np.random.default_rng(0)
    score, wrong = rng.random(CASES), rng.random(CASES) < 0.1
    sort = median(lambda: np.argsort(score))
    areas = median(lambda: selective.risk_coverage(wrong, selective.rank(score)))
    ours = median(lambda: accuracy.auroc_of_ranking(wrong, selective.rank(score)))
    theirs = median(lambda: roc_auc_score(wrong, score), 3)
    return [
        ("AURC + AUGRC, 10⁶ cases", f"{areas:.3f} s", "numpy.argsort", f"{areas / sort:.2f} ×", "≤ 3 ×"),
        ("AUROC with interval, 10⁶", f"{ours:.3f} s", "sklearn, no interval", f"{ours / theirs:.2f} ×", ""),
    ]


def calibration_error() -> list[Row]:
    """Top-label ECE against torchmetrics."""
    import torch
    from torchmetrics.functional.classification import multiclass_calibration_error

    rng = np.random.default_rng(0)
    probs = softmax(rng.normal(size=(CASES, CLASSES)), axis=1)
    labels = rng.integers(0, CLASSES, CASES)
    ours = median(lambda: calibration.ece(labels, probs), 3)
    tensors = torch.tensor(probs), torch.tensor(labels)
    theirs = median(lambda: multiclass_calibration_error(*tensors, num_classes=CLASSES, n_bins=15), 3)
    return [("ECE, 10⁶ × 8", f"{ours:.3f} s", "torchmetrics", f"{ours / theirs:.2f} ×", "")]


def audits() -> list[Row]:
    """A whole audit with 1,000 replicates, its memory, and how it grows."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        seconds = {}
        for n in (CASES // 10, CASES):
            path = Path(folder) / f"{n}.parquet"
            table(n).write_parquet(path)
            matrix = Path(folder) / "severity.yaml"
            matrix.write_text(SEVERITY)
            arguments = ["audit", str(path), "--severity", str(matrix), "--out", f"{folder}/out"]
            code = f"import sys; sys.argv={['primum', *arguments]!r}\n{RUN}"
            seconds[n], memory = alone(code)
            limit = "≤ 120 s, ≤ 6 GB" if n == CASES else ""
            size = f"{memory:.2f} GB"
            rows.append(
                (f"primum audit, {n:,} × 8, B = 1,000", f"{seconds[n]:.1f} s", "peak memory", size, limit)
            )
        growth = seconds[CASES] / seconds[CASES // 10]
        rows.append(("primum audit, 10⁵ → 10⁶", "", "growth", f"{growth:.1f} ×", "about 10 × or less"))
    return rows


SEVERITY = """classes: [c0, c1, c2, c3, c4, c5, c6, c7]
groups: {malignant: [c0, c1], benign: [c2, c3, c4, c5, c6, c7]}
cost: {fine: 1, false_alarm: 2, critical: 10}
critical: [[malignant, benign]]
"""


def table(n: int) -> pl.DataFrame:
    """n made cases of 8 classes."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, n)
    logits = rng.normal(size=(n, CLASSES)) * 1.5
    logits[np.arange(n), labels] += 2
    probs = softmax(logits, axis=1)
    names = [f"c{k}" for k in range(CLASSES)]
    columns = {f"prob_{name}": probs[:, k] for k, name in enumerate(names)}
    return pl.DataFrame({"id": np.arange(n).astype(str), "label": np.array(names)[labels], **columns})


def startup() -> list[Row]:
    """What a user waits for before anything happens."""
    imported = command([str(BIN / "python"), "-c", "import primum"])
    empty = command([str(BIN / "python"), "-c", "pass"])
    shown = command([str(BIN / "primum"), "--help"])
    return [
        ("import primum", f"{imported:.3f} s", "bare python", f"{imported / empty:.1f} ×", "≤ 0.3 s"),
        ("primum --help", f"{shown:.3f} s", "bare python", f"{shown / empty:.1f} ×", "≤ 0.5 s"),
    ]


def main() -> None:
    """Run every benchmark and print the table."""
    cores = os.cpu_count()
    shown = Table(title=f"Python {platform.python_version()}, {cores} cores, {platform.machine()}")
    for column in ("what", "ours", "against", "ratio or size", "limit"):
        shown.add_column(column)
    for part in (
        startup,
        ranking,
        calibration_error,
        kernel_errors,
        choosing,
        overhead,
        dropout,
        stages,
        maps,
        predictions_only,
        corruptions,
        checking,
        explorer,
        care,
        audits,
    ):
        for row in part():
            shown.add_row(*row)
    Console(width=120).print(shown)


if __name__ == "__main__":
    main()
