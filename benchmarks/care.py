"""What careful reading and writing costs valid input, as a share of the time of an audit of it."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import yaml

import primum
from benchmarks.timing import median
from primum.core import archives, documents, files, parquet

CASES, CLASSES = 20_000, 8
LIMIT = "≤ 2 % of the audit"
Row = tuple[str, str, str, str, str]


def care() -> list[Row]:
    """Each reader, and the writer of three files together, against the plain calls of the libraries."""
    rng = np.random.default_rng(0)
    names = [f"c{k}" for k in range(CLASSES)]
    probs = rng.dirichlet(np.ones(CLASSES), CASES)
    labels = rng.integers(0, CLASSES, CASES)
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as place:
        folder = Path(place)
        frame = pl.DataFrame({f"prob_{name}": probs[:, k] for k, name in enumerate(names)}).with_columns(
            id=pl.int_range(pl.len()).cast(pl.String), label=pl.Series([names[k] for k in labels])
        )
        table, archive, severity = folder / "t.parquet", folder / "t.npz", folder / "s.yaml"
        frame.write_parquet(table)
        np.savez(archive, probs=probs, labels=labels)
        cost = (10.0 * (1 - np.eye(CLASSES))).tolist()
        severity.write_text(yaml.safe_dump({"classes": names, "cost": cost, "critical": [["c0", "c1"]]}))
        began = time.perf_counter()
        audited = primum.audit(table, severity)
        audited.save(folder / "out")
        whole = time.perf_counter() - began
        content = {
            name: (folder / "out" / name).read_bytes()
            for name in ("audit.json", "cases.parquet", "report.html")
        }

        def plainly() -> None:
            for name, data in content.items():
                (folder / "plain" / name).write_bytes(data)

        def carefully() -> None:
            with files.together([folder / "out" / name for name in content]) as drafts:
                for draft, data in zip(drafts.values(), content.values(), strict=True):
                    draft.write_bytes(data)

        (folder / "plain").mkdir()
        text = severity.read_text()
        pairs = {
            "Parquet": (
                lambda: parquet.read(table, "t"),
                lambda: pl.DataFrame(pl.from_arrow(pq.read_table(table))),
            ),
            "NPZ": (lambda: archives.read(archive, "t"), lambda: _load(archive)),
            "YAML": (lambda: documents.read_yaml(severity, "t"), lambda: yaml.safe_load(text)),
            "three files written together": (carefully, plainly),
        }
        rows = []
        for name, (ours, theirs) in pairs.items():
            careful, plain = median(ours, 15), median(theirs, 15)
            share = f"{100 * max(careful - plain, 0) / whole:.2f} % of {whole:.1f} s"
            plainer = f"plain, {1000 * plain:.2f} ms"
            rows.append((f"careful {name}", f"{1000 * careful:.2f} ms", plainer, share, LIMIT))
        return rows


def _load(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
