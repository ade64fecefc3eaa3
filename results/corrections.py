"""Print figures that earlier versions got wrong, on tables made here: ``results/corrections.md`` holds both.

python results/corrections.py

The script uses nothing that the earlier version lacks, so that a checkout of it prints the other column:

git worktree add OLD e73532c; PYTHONPATH=OLD/src python results/corrections.py
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from PIL import Image
from scipy.special import expit

import primum
from primum.auditing.policy.fit import fit
from primum.data.images import ImageTable
from primum.judge.explanation.beyond import Beyond, beyond
from primum.judge.statistics.interval import Resampler
from primum.severity import SeverityMatrix

RUNS = 200
CRITICAL = np.array([[False, False], [True, False]])
COST = SeverityMatrix(("0", "1"), np.array([[0.0, 2.0], [10.0, 0.0]]), CRITICAL)


def main() -> None:
    """Print a row for every figure."""
    for part in (ties, patients, errors, differences, absent, instability, pixels, example):
        for name, figure in part():
            print(f"| {name} | {figure} |", flush=True)


def shown(finding: Any) -> str:
    return "–" if finding.value is None else f"{finding.value:.3f} ({finding.low:.3f} to {finding.high:.3f})"


def ties() -> Iterator[tuple[str, str]]:
    """One hundred cases of confidence 0.6, sixty of them right."""
    labels = ["a", "b", "a", "c", "a", "b", "a", "a", "b", "a"] * 10
    # 0.6 + 0.3 + 0.1 is less than 1 by the last digit of a float, in one order of the columns
    values = np.array([(0.6, 0.3, 0.1) if label == "a" else (0.6, 0.2, 0.2) for label in labels])
    for order in ("abc", "cba", "bca"):
        columns = {f"prob_{name}": values[:, "abc".index(name)] for name in order}
        table = pl.DataFrame({"id": [f"c{i}" for i in range(100)], "label": labels, **columns})
        audit = primum.audit(table)
        area = audit.finding("aurc", score="msr", decision="argmax")
        yield f"one confidence, columns {order}: AURC", f"{area.value:.3f}"
        auroc = audit.finding("failure_auroc", score="msr", decision="argmax")
        yield f"one confidence, columns {order}: failure AUROC", f"{auroc.value:.3f}"
        share = fit(table, capacity=0.5).fit.deferred_share
        yield f"one confidence, columns {order}: deferred at a capacity of 50 %", f"{share:.0%}"


def patients() -> Iterator[tuple[str, str]]:
    """Sixty images of two patients, and of four; and the same as strangers."""
    for count in (2, 4, None):
        rng = np.random.default_rng(1)
        labels = (rng.random(60) < 0.4).astype(int)
        p = expit(1.5 * (2 * labels - 1) + rng.normal(0, 1.2, 60))
        table: dict[str, Any] = {"probs": np.column_stack([1 - p, p]), "labels": labels}
        if count is not None:
            table["patient"] = np.arange(60) % count
        audit = primum.audit(table)
        who = "sixty strangers" if count is None else f"sixty images of {count} patients"
        for code in ("auroc", "brier"):
            yield f"{who}: {code}", shown(audit.finding(code, calibrated="none"))


def errors() -> Iterator[tuple[str, str]]:
    """A thousand images of a hundred patients with few critical errors, and of fifty with none that costs."""
    for count in (0, 1, 2):
        labels, p = np.ones(1000, dtype=int), np.full(1000, 0.9)
        p[np.arange(count) * 10] = 0.1
        labels = np.r_[labels, np.zeros(200, dtype=int)]
        p = np.r_[p, np.full(200, 0.2)]
        table = {
            "probs": np.column_stack([1 - p, p]), "labels": labels,
            "patient": np.r_[np.arange(1000) // 10, 1000 + np.arange(200)],
        }  # fmt: skip
        yield (
            f"{count} errors in 1,000 cases of 100 patients: CER",
            shown(primum.audit(table, COST).finding("cer", decision="argmax")),
        )
    table = {
        "probs": np.tile([[0.9, 0.1], [0.1, 0.9]], (500, 1)), "labels": np.tile([0, 1], 500),
        "patient": np.arange(1000) // 20,
    }  # fmt: skip
    cost = primum.audit(table, COST).finding("expected_cost", decision="argmax")
    yield "no error in 1,000 images of 50 patients: expected cost", shown(cost)


def differences() -> Iterator[tuple[str, str]]:
    """Two equal models on the same hundred cases."""
    apart = {"ece": 0, "classwise_ece": 0, "brier": 0}
    for run in range(RUNS):
        rng = np.random.default_rng(1000 + run)
        labels = (rng.random(100) < 0.4).astype(int)
        base = 1.2 * (2 * labels - 1) + rng.normal(0, 0.7, 100)
        sides = []
        for _ in range(2):
            p = expit(base + rng.normal(0, 0.7, 100))
            sides.append({"probs": np.column_stack([1 - p, p]), "labels": labels})
        for found in primum.compare(*sides, bootstrap=200).findings:
            if found.code in apart and found.calibrated == "none":
                apart[found.code] += not found.low <= 0 <= found.high
    for code, count in apart.items():
        yield f"equal models, n = 100: differences of {code} that exclude 0", f"{count / RUNS:.1%}"


def absent() -> Iterator[tuple[str, str]]:
    """No fit row is of the critical class c."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 500)
    logits = rng.normal(size=(500, 3)) * 1.2
    logits[np.arange(500), labels] += 1.5
    split = np.where((np.arange(500) < 200) & (labels != 2), "cal", "test")
    cost = np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 2.0], [10.0, 10.0, 0.0]])
    critical = np.zeros((3, 3), dtype=bool)
    critical[2, :2] = True
    table = {"logits": logits, "labels": labels, "classes": np.array(["a", "b", "c"]), "split": split}
    audit = primum.audit(table, SeverityMatrix(("a", "b", "c"), cost, critical))
    for rule in ("argmax", "bayes"):
        yield f"a class without fit rows: CER, {rule}", shown(audit.finding("cer", decision=rule))


def instability() -> Iterator[tuple[str, str]]:
    """Instability that knows nothing beyond confidence, where 12 % of answers are wrong whatever it says."""
    below = 0
    for run in range(RUNS):
        rng = np.random.default_rng(run)
        depth = np.abs(rng.normal(0, 4, 600))
        shaky = np.exp(-depth / 2) + 0.2 * rng.normal(size=600)
        wrong = rng.random(600) < np.maximum(0.12, 0.5 * np.exp(-depth))
        found = beyond(wrong, expit(depth), shaky, Resampler(np.arange(600), 2, run), None, run)
        below += isinstance(found, Beyond) and found.p < 0.05
    yield "instability without information: p < 0.05", f"{below / RUNS:.1%}"


def pixels() -> Iterator[tuple[str, str]]:
    """A 12-bit image in a 16-bit PNG, and Hounsfield units in a TIFF of floats, as people are shown them."""
    files = ["a.png", "a.tif"]
    with tempfile.TemporaryDirectory() as folder:
        Image.fromarray(np.array([[0, 2048, 4095]], dtype=np.uint16)).save(Path(folder) / files[0])
        Image.fromarray(np.array([[-1000, 0, 1000]], dtype=np.float32)).save(Path(folder) / files[1])
        columns = {"id": files, "label": ["x", "y"], "patient": files, "site": None, "split": "test"}
        table = ImageTable("made", ("x", "y"), pl.DataFrame(columns | {"path": files}), Path(folder))
        for row, name in enumerate(
            ("12 bits in a 16-bit PNG: 0, 2048, 4095", "a float TIFF: −1000, 0, 1000")
        ):
            yield name, str(np.asarray(table.image(row))[0, :, 0].tolist())


def example() -> Iterator[tuple[str, str]]:
    """The shipped predictions for 624 chest X-rays."""
    path = Path(__file__).parents[1] / "examples" / "chest_xray.parquet"
    audit = primum.audit(path, "chest_xray")
    for code, where in (
        ("cer", {"decision": "argmax"}), ("specificity", {"decision": "argmax"}),
        ("expected_cost", {"decision": "bayes"}), ("auroc", {"calibrated": "none"}),
        ("ece", {"calibrated": "none"}), ("skce", {"calibrated": "none"}),
        ("aurc", {"decision": "argmax", "score": "msr"}),
        ("failure_auroc", {"decision": "argmax", "score": "msr"}),
    ):  # fmt: skip
        yield f"shipped example: {code}, {', '.join(where.values())}", shown(audit.finding(code, **where))


if __name__ == "__main__":
    main()
