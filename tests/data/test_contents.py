"""What an image's files hold, known again under any name."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from primum.data import contents
from primum.data.images import ImageTable


def of(root: Path | None, **columns: list[str]) -> ImageTable:
    cases = pl.DataFrame({"id": ["a", "b", "c"], "patient": ["1", "2", "3"], **columns}).with_columns(
        label=pl.lit("x"), site=pl.lit(None, pl.String), split=pl.lit("test")
    )
    if "path" not in cases.columns:
        cases = cases.with_columns(path=pl.lit(None, pl.String))
    return ImageTable("made", ("x", "y"), cases, root)


def test_equal_bytes_are_equal_under_any_name_and_a_missing_file_stops_nothing(tmp_path: Path) -> None:
    for name, content in (("1.png", b"one"), ("2.png", b"two"), ("3.png", b"one")):
        (tmp_path / name).write_bytes(content)
    table = of(tmp_path, path=["1.png", "2.png", "3.png"])
    first, second, third = contents.digests(table)
    assert first == third != second
    assert first == hashlib.sha256(hashlib.sha256(b"one").digest()).hexdigest()
    (tmp_path / "2.png").unlink()
    assert contents.digests(table)[1] not in (first, second)


def test_every_channel_counts(tmp_path: Path) -> None:
    for name in ("a1", "a2", "b1", "c1"):
        (tmp_path / name).write_bytes(name[1].encode())
    table = of(tmp_path, channels=["a1;a2", "b1;a2", "c1;b1"], path=["a1", "b1", "c1"])
    first, second, third = contents.digests(table)
    assert first == second != third


def test_pixels_in_memory_count_where_there_are_no_files() -> None:
    pixels = np.zeros((3, 4, 4, 3), dtype=np.uint8)
    pixels[1] = 7
    first, second, third = contents.digests(replace(of(None), pixels=pixels))
    assert first == third != second
