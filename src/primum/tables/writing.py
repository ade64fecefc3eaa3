"""Write tables of predictions in our own format (``docs/formats.md``)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from primum.core import files
from primum.core.arrays import Array
from primum.predictions import Predictions

SCHEMA_KEY = "primum"


def write(predictions: Predictions, path: Path | str) -> None:
    """Write one Parquet file, whole or not at all: fixed-size lists, class names in the schema metadata."""
    write_together({path: predictions})


def write_together(tables: Mapping[Path | str, Predictions] | Mapping[Path, Predictions]) -> None:
    """Write path → predictions as :func:`write` does, all or none."""
    with files.together(list(tables)) as drafts:
        for draft, predictions in zip(drafts.values(), tables.values(), strict=True):
            pq.write_table(_arrow(predictions), draft, compression="zstd", write_page_checksum=True)


def _arrow(p: Predictions) -> pa.Table:
    # An unknown label is -1 and so takes the last entry, null.
    names = np.array([*p.classes, None], dtype=object)
    columns: dict[str, pa.Array] = {
        "id": p.ids.to_arrow(),
        "label": pa.array(names[p.labels], pa.string()),
        "logits": _fixed(np.asarray(p.logits)),
    }
    if p.decision is not None:
        columns["decision"] = pa.array(names[p.decision], pa.string())
    for name, score in p.scores.items():
        columns[f"score_{name}"] = pa.array(score)
    for column in p.metadata.columns:
        columns[column] = p.metadata[column].to_arrow()
    if p.passes is not None:
        columns["passes"] = _fixed(p.passes.transpose(1, 0, 2).reshape(len(p), -1))
    if p.embeddings is not None:
        columns["embedding"] = _fixed(np.asarray(p.embeddings))
    if p.stages is not None:
        singles = [np.asarray(stage, np.float32) for stage in p.stages]
        columns["stages"] = _fixed(np.concatenate(singles, axis=1))
    settings: dict[str, Any] = {
        "classes": list(p.classes), "kind": p.kind, "source": dict(p.source), "notes": list(p.notes),
    }  # fmt: skip
    if p.stages is not None:
        settings["stages"] = [int(stage.shape[1]) for stage in p.stages]
    return pa.table(columns).replace_schema_metadata({SCHEMA_KEY: json.dumps(settings)})


def _fixed(array: Array) -> pa.FixedSizeListArray:
    flat = pa.array(np.ascontiguousarray(array).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, array.shape[1])
