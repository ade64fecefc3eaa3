"""Parquet files, of which every claim is held against a limit before memory is asked for.

pyarrow reads and writes them: Polars 2.1 does not verify the checksums of pages (a flipped bit of a number is
read as another number) and does not tell what a footer claims of sizes, which must be known before reading.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from primum.core import files
from primum.core.check import InputError

ARROW = b"ARROW:schema"  # of pyarrow itself
MOST_VALUES = 2**32  # of all columns, those of lists counted each
LARGEST = 32 * 2**30  # bytes of all columns, unpacked
UNREADABLE = (
    pa.ArrowException, pl.exceptions.PolarsError, OSError, ValueError, TypeError, OverflowError, MemoryError,
    NotImplementedError,
)  # fmt: skip


def read(path: Path | str, noun: str, only: Sequence[str] = ()) -> tuple[pl.DataFrame, Mapping[str, str]]:
    """The table of a Parquet file and the texts of its schema metadata; checksums are held where there are.

    Args:
        path: the file; no columns come out of the names of its folders.
        noun: what it should be, for the sentence.
        only: columns to read, those of them that are there; default all.

    Raises:
        InputError: for what is no Parquet file, is damaged, or has more than 4 billion values or 32 GiB.
    """
    place = files.existing(path, noun)
    try:
        with pq.ParquetFile(place, page_checksum_verification=True) as opened:
            _bounded(opened.metadata, place)
            columns = [name for name in opened.schema_arrow.names if name in only] if only else None
            table = opened.read(columns)
        table.validate(full=True)  # text that is no UTF-8 would end the process, not the reading
        frame = pl.DataFrame(pl.from_arrow(table))
        metadata = _texts(table.schema)
    except InputError:
        raise
    except UNREADABLE as error:
        reason = " ".join(str(error).split())[:80] or type(error).__name__
        raise InputError(
            f"{place.name}: this is not a readable Parquet file ({reason}); write it again"
        ) from None
    except pl.exceptions.PanicException:
        raise InputError(
            f"{place.name}: this Parquet file holds a type that no table has; write it again"
        ) from None
    return frame, metadata


def cached(path: Path) -> pl.DataFrame | None:
    """The table of a file of ours that can be made again; None where it is not there or damaged."""
    if not path.exists():
        return None
    try:
        return read(path, "a stored table")[0]
    except InputError:
        return None


def header(path: Path | str, noun: str) -> tuple[list[str], Mapping[str, str]]:
    """Names of the columns of a Parquet file and its schema metadata; no value is read.

    Raises InputError for what is no Parquet file.
    """
    place = files.existing(path, noun)
    try:
        schema = pq.read_schema(place)
        return list(schema.names), _texts(schema)
    except UNREADABLE:
        raise InputError(f"{place.name}: this is not a readable Parquet file; write it again") from None


def _texts(schema: pa.Schema) -> dict[str, str]:
    return {key.decode(): text.decode() for key, text in (schema.metadata or {}).items() if key != ARROW}


def _bounded(claims: pq.FileMetaData, place: Path) -> None:
    groups = [claims.row_group(i) for i in range(claims.num_row_groups)]
    values = sum(group.column(i).num_values for group in groups for i in range(group.num_columns))
    size = sum(group.total_byte_size for group in groups)
    # rows too: a table without columns may claim any number of them
    if values > MOST_VALUES or size > LARGEST or claims.num_rows > MOST_VALUES:
        raise InputError(
            f"{place.name}: at most {MOST_VALUES:,} values and {LARGEST // 2**30} GiB were expected, "
            f"{max(values, claims.num_rows):,} values and {size / 2**30:.0f} GiB arrived; part the table"
        )
