"""Read a table of predictions from any framework, and write our own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from primum.core import archives, delimited, documents, files, parquet
from primum.core.arrays import Array
from primum.core.check import InputError
from primum.core.columns import LIKELY, TAKEN, UNNAMED, plain
from primum.predictions import Predictions
from primum.tables.arrays import from_arrays
from primum.tables.frames import TEXT, from_frame

Columns = Mapping[str, str] | Sequence[Mapping[str, str]] | None
SCHEMA_KEY = "primum"
COMMAS = ("prob_", "logit_", "score_")  # columns in which a comma parts no thousands


def read(
    source: Any,
    columns: Mapping[str, str] | None = None,
    name: str | None = None,
    classes: Sequence[str] | None = None,
) -> Predictions:
    """Read predictions from wherever they are.

    Args:
        source: path of a Parquet, CSV or NPZ file, a polars or pandas DataFrame, a mapping of arrays
            (``logits`` or ``probs`` (N, K), ``labels`` (N,), ``classes`` (K,), optionally ``ids``,
            ``passes``, ``embeddings`` and metadata), or :class:`Predictions`.
        columns: our column (or array) name → the table's own, for a vendor's names.
        name: what to call the table in messages; default is the file name.
        classes: the class names where the table does not tell them: then one probability is enough.

    Raises:
        InputError: one sentence that says what was expected, what arrived, where, and what to do.
    """
    if isinstance(source, Predictions):
        return source
    if isinstance(source, str | Path):
        return _read_file(Path(source), columns or {}, name or Path(source).name, classes)
    called = name or "table"
    if isinstance(source, Mapping):
        return from_arrays(source, columns or {}, called, classes)
    if isinstance(source, pl.DataFrame):
        return from_frame(source, columns or {}, called, classes=classes)
    if hasattr(source, "columns") and hasattr(source, "iloc"):
        return from_frame(_from_pandas(source, called), columns or {}, called, classes=classes)
    raise InputError(
        f"a path, a polars or pandas DataFrame, a mapping of arrays or Predictions was expected, "
        f"{type(source).__name__} arrived"
    )


def _read_file(
    path: Path, columns: Mapping[str, str], name: str, classes: Sequence[str] | None
) -> Predictions:
    files.existing(path, "a table of predictions (Parquet, CSV or NPZ)")
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return from_frame(*_read_parquet(path, columns, name), classes)
    if suffix in delimited.ENDINGS:
        return from_frame(_read_text(path, columns), columns, name, classes=classes)
    if suffix == ".npz":
        return from_arrays(archives.read(path, "a table of predictions (NPZ)"), columns, name, classes)
    raise InputError(
        f"{name}: a table of predictions ends in .parquet, .csv, .tsv, .txt or .npz, "
        f"{suffix or 'no ending'} arrived"
    )


def _read_parquet(
    path: Path, columns: Mapping[str, str], name: str
) -> tuple[pl.DataFrame, Mapping[str, str], str, dict[str, Any]]:
    frame, metadata = parquet.read(path, "a table (Parquet)")
    declared = documents.json_values(metadata.get(SCHEMA_KEY, "{}"), f"{name}: its schema metadata")
    return frame, columns, name, declared if isinstance(declared, dict) else {}


def _read_text(path: Path, columns: Mapping[str, str]) -> pl.DataFrame:
    """A text file with our columns of names as text, under whatever names the file has them."""
    text = {columns.get(ours, ours) for ours in TEXT}
    numbers = [theirs for ours, theirs in columns.items() if ours.startswith(COMMAS)]
    return delimited.frame(path, "a table of predictions", _spellings(text), (*COMMAS, *numbers))


def _spellings(text: set[str]) -> Callable[[str], bool]:
    """Whether a column holds names: ours, and those that are read or guessed as ours."""
    known = {spelling for ours in TEXT for spelling in (*TAKEN.get(ours, ()), *LIKELY.get(ours, ()))}
    return lambda column: column in text or plain(column) in known or column in UNNAMED


def frame_of(source: Any, text: Sequence[str]) -> pl.DataFrame:
    """Any table as it stands: a file (CSV, Parquet) or a data frame; columns of those names as text."""
    if isinstance(source, Path):
        if source.suffix.lower() == ".parquet":
            files.existing(source, "a table (CSV or Parquet)")
            return _read_parquet(source, {}, source.name)[0]
        if source.suffix.lower() in delimited.ENDINGS:
            return delimited.frame(source, "a table (CSV or Parquet)", _spellings(set(text)))
        raise InputError(
            f"{source.name}: a table ends in .csv, .tsv, .txt or .parquet, "
            f"{source.suffix or 'no ending'} arrived"
        )
    if isinstance(source, pl.DataFrame):
        return source
    if hasattr(source, "columns") and hasattr(source, "iloc"):
        return _from_pandas(source, "table")
    raise InputError(f"a file or a data frame was expected, {type(source).__name__} arrived")


def each(columns: Columns) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Names of columns for a first and a second table: one mapping for both, or one for each."""
    if columns is None or isinstance(columns, Mapping):
        return columns or {}, columns or {}
    first, second = columns
    return first, second


def _from_pandas(frame: Any, name: str) -> pl.DataFrame:
    columns: dict[str, pl.Series] = {}
    for column in frame.columns:
        if str(column) in columns:
            raise InputError(f"{name}: column names must differ, {column} stands more than once")
        try:
            columns[str(column)] = pl.Series(str(column), pl.from_pandas(frame[column]))
        except (pa.ArrowException, pl.exceptions.PolarsError, TypeError, ValueError):
            raise InputError(
                f"{name}: column {column} mixes types or holds objects; make it text or numbers"
            ) from None
    return pl.DataFrame(columns)


def write(predictions: Predictions, path: Path | str) -> None:
    """Write one Parquet file, whole or not at all: fixed-size lists, class names in the schema metadata."""
    write_together({path: predictions})


def write_together(named: Mapping[Path | str, Predictions] | Mapping[Path, Predictions]) -> None:
    """Write path → predictions as :func:`write` does, all or none."""
    with files.together(list(named)) as drafts:
        for draft, predictions in zip(drafts.values(), named.values(), strict=True):
            pq.write_table(_arrow(predictions), draft, compression="zstd", write_page_checksum=True)


def _arrow(p: Predictions) -> pa.Table:
    names = np.array([*p.classes, None], dtype=object)
    columns: dict[str, Any] = {
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
    declared = {
        "classes": list(p.classes), "kind": p.kind, "source": dict(p.source), "notes": list(p.notes),
    }  # fmt: skip
    return pa.table(columns).replace_schema_metadata({SCHEMA_KEY: json.dumps(declared)})


def _fixed(array: Array) -> pa.FixedSizeListArray:
    flat = pa.array(np.ascontiguousarray(array).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, array.shape[1])
