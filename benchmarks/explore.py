"""What a user of the explorer waits for: the projections once, every later start, a move of the slider."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.timing import command, median
from primum import tables
from primum.explore import deferral
from primum.explore.projection import project
from primum.explore.scene import Domain, Scene, build_scene
from primum.predictions import Predictions
from primum.severity import SeverityMatrix

WIDTH, CLASSES = 1_280, tuple("abcdefg")
AGAIN = """import sys
from pathlib import Path
from primum.explore import runs
from primum.explore.app import server
from primum.explore.app.stage import Stage
from primum.explore.projection import project
table, cache = map(Path, sys.argv[1:])
(one,) = runs.read([table], cache=cache)
placed = {size: project(one, dimensions=size, cache=cache) for size in (3, 2)}
server.make_app([Stage(0, one, placed)])
"""


def explorer() -> Iterator[tuple[str, str, str, str, str]]:
    """What one move of the slider costs, the start after the first, t-SNE and UMAP; each as it is done."""
    yield slider()
    yield again()
    for name, n in (("t-SNE", 3_000), ("UMAP", 10_000)):
        scene = build_scene("made", [Domain("test", predictions(n))])
        for size in (3, 2):
            wall, work = timed(lambda scene=scene, size=size: project(scene, dimensions=size))  # type: ignore[misc]
            title = f"{name} of {n:,} × {WIDTH:,}, {size}-D"
            yield title, f"{wall:.1f} s", "processor time", f"{work:.1f} s", "≤ 120 s"


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock and of the processor, of one call."""
    wall, work = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - work


def again() -> tuple[str, str, str, str, str]:
    """A start after the first, interpreter included: 10,000 cases with embeddings, up to the ready page."""
    n = 10_000
    with tempfile.TemporaryDirectory() as folder:
        table, cache = Path(folder) / "test.parquet", Path(folder) / "cache"
        tables.write(predictions(n), table)
        start = [sys.executable, "-c", AGAIN, str(table), str(cache)]
        first, _ = timed(lambda: subprocess.run(start, check=True))
        later = command(start, 3)
    title = f"start after the first, {n:,} × {WIDTH:,}"
    return (title, f"{later:.2f} s", "the first", f"{first:.0f} s", "≤ 3 s")


def slider() -> tuple[str, str, str, str, str]:
    """Every number and the curve, 100,000 cases of patients."""
    scene = many(100_000)
    measured = median(lambda: deferral.measure_threshold(scene, None, "msr", 0.6, 0.5))
    swept = median(lambda: deferral.sweep(scene, None, "msr", 0.5))
    return ("slider, 100,000 cases", f"{measured * 1e3:.0f} ms", "its curve", f"{swept * 1e3:.0f} ms", "")


def many(n: int) -> Scene:
    """A scene with costs and patients, without embeddings to speak of."""
    cost = 2.0 - 2 * np.eye(len(CLASSES))
    critical = np.zeros(cost.shape, dtype=bool)
    critical[0, 1:] = True
    matrix = SeverityMatrix(CLASSES, cost, critical)
    return build_scene("many", [Domain("test", predictions(n, 2))], severity=matrix)


def predictions(n: int, width: int = WIDTH) -> Predictions:
    """n made cases; the embeddings of a class lie together, in a space of 60 directions and noise."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, len(CLASSES), n)
    logits = rng.normal(size=(n, len(CLASSES))) * 1.5
    logits[np.arange(n), labels] += 2
    inner = rng.normal(size=(n, 60)) + 3 * rng.normal(size=(len(CLASSES), 60))[labels]
    embeddings = inner @ rng.normal(size=(60, width)) / 8 + rng.normal(size=(n, width)) * 0.3
    metadata = pl.DataFrame({"patient": [f"p{i // 2}" for i in range(n)]})
    ids = pl.Series([f"c{i}" for i in range(n)])
    return Predictions(
        ids, CLASSES, labels, logits.astype(np.float32), embeddings=embeddings.astype(np.float32),
        metadata=metadata,
    )  # fmt: skip


if __name__ == "__main__":
    for row in explorer():
        print(*row, sep=" | ", flush=True)
