"""What an archive or a table claims is held against what it holds before memory is asked for."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from primum.core import archives, bounds, parquet

Refused = Callable[..., None]


def with_header(path: Path, shape: str, kind: str = "<f8", body: bytes = b"") -> None:
    """An archive of one array ``probs`` whose header says ``shape``."""
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (117 - len(header)) + b"\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "probs.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + body
        )


@pytest.mark.parametrize("shape", ["(1000000000000, 4)", "(10, 4)", "(1000000000000000000000,)"])
def test_more_rows_than_the_file_holds_are_refused_without_memory(
    shape: str, tmp_path: Path, refused: Refused
) -> None:
    with_header(tmp_path / "t.npz", shape, body=b"\0" * 64)
    tracemalloc.start()
    refused(lambda: archives.read(tmp_path / "t.npz", "a table"), "t.npz: the array probs claims more than")
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("shape", "kind", "says"),
    [
        ("(-1,)", "<f8", "not a readable NPZ file"),
        ("(2,)", "|O", "objects arrived"),
        ("(2,", "<f8", "not a readable NPZ file"),
        ("__import__('os')", "<f8", "not a readable NPZ file"),
    ],
)
def test_odd_headers_are_refused(shape: str, kind: str, says: str, tmp_path: Path, refused: Refused) -> None:
    with_header(tmp_path / "t.npz", shape, kind, b"\0" * 64)
    refused(lambda: archives.read(tmp_path / "t.npz", "a table"), says)


def test_a_bomb_is_refused_by_what_it_would_become(
    tmp_path: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "LARGEST", 2**20)
    np.savez_compressed(tmp_path / "t.npz", probs=np.zeros((2**18, 4)))
    assert (tmp_path / "t.npz").stat().st_size < 2**15
    refused(lambda: archives.read(tmp_path / "t.npz", "a table"), "in all were expected")


def test_a_size_that_no_compression_reaches_is_refused(tmp_path: Path, refused: Refused) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(100))
    with zipfile.ZipFile(tmp_path / "t.npz", "w") as archive:
        archive.writestr("probs.npy", buffer.getvalue())
    raw = (tmp_path / "t.npz").read_bytes()
    size, lie = len(buffer.getvalue()).to_bytes(4, "little"), (2**31).to_bytes(4, "little")
    assert raw.count(size) == 4  # compressed and not, in the entry and in the directory
    head, _, tail = raw.rpartition(size)
    (tmp_path / "t.npz").write_bytes(head + lie + tail)
    refused(lambda: archives.read(tmp_path / "t.npz", "a table"), "t.npz")


def test_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    arrays = {"a": np.arange(6).reshape(2, 3), "b": np.array(["x", "yz"]), "c": np.asfortranarray(np.eye(3))}
    np.savez_compressed(tmp_path / "t.npz", **arrays)
    assert archives.shapes(tmp_path / "t.npz", "t") == {"a": (2, 3), "b": (2,), "c": (3, 3)}
    for name, array in archives.read(tmp_path / "t.npz", "t").items():
        assert (array == arrays[name]).all()
    assert list(archives.read(tmp_path / "t.npz", "t", ["b"])) == ["b"]


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"x" * 100, b"PK\x03\x04"])
def test_a_damaged_array_is_refused(content: bytes, tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "maps.npy").write_bytes(content)
    refused(lambda: archives.array(tmp_path / "maps.npy", "maps"), "maps was expected here")


def test_a_single_number_is_no_array(tmp_path: Path, refused: Refused) -> None:
    np.save(tmp_path / "maps.npy", np.array(3.0))
    refused(lambda: archives.array(tmp_path / "maps.npy", "maps"), "an array of numbers, this is none")


def test_a_table_of_more_values_than_the_limit_is_refused_by_its_footer(
    tmp_path: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    pl.DataFrame({"a": [0] * 100_000}).write_parquet(tmp_path / "t.parquet")
    assert (tmp_path / "t.parquet").stat().st_size < 5_000
    monkeypatch.setattr(parquet, "MOST_VALUES", 10_000)
    refused(
        lambda: parquet.read(tmp_path / "t.parquet", "a table"), "at most 10,000 values", "part the table"
    )


def test_what_can_be_made_again_is_read_or_none(tmp_path: Path) -> None:
    assert parquet.cached(tmp_path / "t.parquet") is None
    (tmp_path / "t.parquet").write_bytes(b"PAR1 damaged")
    assert parquet.cached(tmp_path / "t.parquet") is None
    (tmp_path / "t.npz").write_bytes(b"PK damaged")
    assert archives.cached(tmp_path / "t.npz") is None


def test_bounds_name_the_option_and_both_ends(refused: Refused) -> None:
    for value in (-5, 10**30, 1.0, True, "3", None):
        refused(lambda value=value: bounds.seed(value), "--seed: a whole number from 0 to 4294967295")
    for amount in (float("nan"), float("inf"), -1.0, 1e300):
        refused(
            lambda amount=amount: bounds.amount(amount, "--reader-cost"), "--reader-cost: a number from 0"
        )
    assert bounds.seed(2**32 - 1) == 2**32 - 1
    assert bounds.amount(None, "--reader-cost") is None


def test_text_that_is_no_utf8_is_refused_and_ends_no_process(tmp_path: Path, refused: Refused) -> None:
    texts = pa.array([b"a\xff\xfe" * 40, b"b"] * 50).view(pa.string())
    pq.write_table(pa.table({"id": texts}), tmp_path / "t.parquet")
    refused(lambda: parquet.read(tmp_path / "t.parquet", "a table"), "this is not a readable Parquet file")
