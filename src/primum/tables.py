"""Read a table of predictions from any framework, and write our own."""

from __future__ import annotations

import csv
import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from primum import check, files
from primum.arrays import from_arrays
from primum.check import InputError
from primum.frames import TEXT, from_frame, is_number_column
from primum.predictions import Predictions

SCHEMA_KEY = b"primum"
UNREADABLE_ARCHIVE = (
    zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, OSError, ValueError,
)  # fmt: skip
LONGEST_HEADER = 1_000_000


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
    if suffix in (".csv", ".tsv"):
        return from_frame(_read_csv(path, columns, name), columns, name, classes=classes)
    if suffix == ".npz":
        return from_arrays(_read_npz(path, name), columns, name, classes)
    raise InputError(
        f"{name}: a table of predictions ends in .parquet, .csv or .npz, {suffix or 'no ending'} arrived"
    )


def _unreadable(name: str, what: str, error: BaseException) -> InputError:
    line = " ".join(str(error).split())
    return InputError(f"{name}: this is not a readable {what} file ({line[:120]}); write it again")


def _read_parquet(
    path: Path, columns: Mapping[str, str], name: str
) -> tuple[pl.DataFrame, Mapping[str, str], str, dict[str, Any]]:
    try:
        table = pq.read_table(
            path, partitioning=None, page_checksum_verification=True
        )  # no columns out of the names of the folders
        declared = json.loads((table.schema.metadata or {}).get(SCHEMA_KEY, b"{}"))
        frame = pl.DataFrame(pl.from_arrow(table))
    except (pa.ArrowException, pl.exceptions.PolarsError, OSError, ValueError, TypeError) as error:
        raise _unreadable(name, "Parquet", error) from None
    return frame, columns, name, declared if isinstance(declared, dict) else {}


def _read_csv(path: Path, columns: Mapping[str, str], name: str) -> pl.DataFrame:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        line = file.readline(LONGEST_HEADER)
    separator = max(",;\t", key=line.count)
    try:
        header = next(csv.reader([line], delimiter=separator), [])
        text = {columns.get(ours, ours) for ours in TEXT}
        frame = pl.read_csv(
            path, separator=separator, infer_schema_length=None,
            schema_overrides={column: pl.String for column in header if column.strip() in text},
        )  # fmt: skip
    except (csv.Error, pl.exceptions.PolarsError, OSError) as error:
        raise _unreadable(name, "CSV (UTF-8)", error) from None
    names = [column.strip() for column in header]
    twice = sorted({column for column in names if names.count(column) > 1})
    if twice:
        raise InputError(f"{name}: column names must differ, {check.shorten(twice)} stands more than once")
    if names != header and len(names) == frame.width:
        frame.columns = names
        frame = frame.with_columns(pl.col(pl.String).str.strip_chars())
    if frame.height == 0:
        raise InputError(f"{name}: at least one case is needed, the file holds a header only")
    return _decimal_points(frame, columns) if separator == ";" else frame


def _decimal_points(frame: pl.DataFrame, columns: Mapping[str, str]) -> pl.DataFrame:
    """Points for the decimal commas of a table written where the comma is not the separator."""
    ours = {theirs: our for our, theirs in columns.items()}
    commas = [
        column
        for column, kind in frame.schema.items()
        if kind == pl.String and is_number_column(ours.get(column, column))
    ]
    return frame.with_columns(pl.col(commas).str.replace(",", ".", literal=True))


def _read_npz(path: Path, name: str) -> dict[str, NDArray[Any]]:
    try:
        archive = np.load(path, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise InputError(f"{name}: an archive of named arrays was expected, a single array arrived")
        with archive:
            return {key: archive[key] for key in archive.files}
    except InputError:
        raise
    except UNREADABLE_ARCHIVE as error:
        raise _unreadable(name, "NPZ", error) from None


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
    p = predictions
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
    table = pa.table(columns).replace_schema_metadata({SCHEMA_KEY: json.dumps(declared).encode()})
    with files.whole(path) as draft:
        pq.write_table(table, draft, compression="zstd", write_page_checksum=True)


def _fixed(array: NDArray[Any]) -> pa.FixedSizeListArray:
    flat = pa.array(np.ascontiguousarray(array).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, array.shape[1])
