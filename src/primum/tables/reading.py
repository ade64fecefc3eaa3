"""Read a table of predictions from any framework, or any table as it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from primum.core import archives, delimited, documents, files, parquet
from primum.core.check import InputError
from primum.core.columns import LIKELY, TAKEN, UNNAMED, plain
from primum.predictions import Predictions
from primum.tables.arrays import from_arrays
from primum.tables.frames import TEXT, from_frame
from primum.tables.writing import SCHEMA_KEY

Columns = Mapping[str, str] | Sequence[Mapping[str, str]] | None
COMMAS = ("prob_", "logit_", "score_")  # columns in which a comma parts no thousands


def read(
    source: object,
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

    >>> arrays = {"probs": [[0.9, 0.1], [0.2, 0.8]], "labels": [0, 1], "classes": ["benign", "malignant"]}
    >>> table = read(arrays)
    >>> table.predicted.tolist()
    [0, 1]

    Raises:
        InputError: one sentence that says what was expected, what arrived, where, and what to do.
    """
    if isinstance(source, Predictions):
        return source
    if isinstance(source, str | Path):
        return _read_file(Path(source), columns or {}, name or Path(source).name, classes)
    label = name or "table"
    if isinstance(source, Mapping):
        return from_arrays(source, columns or {}, label, classes)
    if isinstance(source, pl.DataFrame):
        return from_frame(source, columns or {}, label, classes=classes)
    if hasattr(source, "columns") and hasattr(source, "iloc"):
        return from_frame(_from_pandas(source, label), columns or {}, label, classes=classes)
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
    # names are read as text from the start: as a number 007 would be 7
    text = {columns.get(column, column) for column in TEXT}
    numbers = [title for column, title in columns.items() if column.startswith(COMMAS)]
    return delimited.frame(path, "a table of predictions", _spellings(text), (*COMMAS, *numbers))


def _spellings(text: set[str]) -> Callable[[str], bool]:
    """Whether a column holds names: ours, and those that are read or guessed as ours."""
    spellings = {name for column in TEXT for name in (*TAKEN.get(column, ()), *LIKELY.get(column, ()))}
    return lambda column: column in text or plain(column) in spellings or column in UNNAMED


def frame_of(source: object, text: Sequence[str]) -> pl.DataFrame:
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
    """Names of columns for a first and a second table: one mapping for both, or one for each.

    >>> each({"id": "Image Name"})
    ({'id': 'Image Name'}, {'id': 'Image Name'})
    """
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
