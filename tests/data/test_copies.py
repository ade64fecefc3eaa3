"""Copies of a whole table, and what is kept of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from primum.data import copies
from primum.data.images import ImageTable
from tests.data.test_duplicates import painting


def table_of(root: Path | None, paths: list[str], pixels: np.ndarray | None = None) -> ImageTable:
    n = len(paths)
    cases = pl.DataFrame(
        {
            "id": [f"i{k}" for k in range(n)],
            "label": ["a", "b"] * (n // 2) + ["a"] * (n % 2),
            "patient": [f"p{k}" for k in range(n)],
            "site": [None] * n,
            "split": ["train"] * (n - 1) + ["test"],
            "path": paths if pixels is None else [None] * n,
        },
        schema_overrides={"site": pl.String, "path": pl.String},
    )
    return ImageTable("made", ("a", "b"), cases, root, pixels)


@pytest.fixture
def table(tmp_path: Path) -> ImageTable:
    """Two byte copies (0, 3), the same picture re-encoded (4), two others, and one that is no picture."""
    names = ["0.png", "1.png", "2.png", "3.png", "4.jpg", "5.png"]
    for name, seed in zip(names, (0, 1, 2, 0, 0, None), strict=True):
        if seed is None:
            (tmp_path / name).write_bytes(b"not a picture")
        else:
            painting(seed).save(tmp_path / name)
    return table_of(tmp_path, names)


def test_exact_and_near_copies_are_one_group(table: ImageTable) -> None:
    found = copies.find(table)
    assert found.group.tolist() == [0, -1, -1, 0, 0, -1]
    assert found.content[0] == found.content[3] != found.content[4]
    assert found.content[5] == -1
    assert list(found.unreadable) == [5]
    assert "5.png" in found.unreadable[5]


def test_made_images_are_compared_too() -> None:
    pixels = np.stack([np.asarray(painting(seed).resize((64, 64))) for seed in (0, 1, 0)])
    assert copies.find(table_of(None, [""] * 3, pixels)).group.tolist() == [0, -1, 0]


def test_equal_blank_images_are_copies_by_their_bytes(tmp_path: Path) -> None:
    for name, grey in (("0.png", 9), ("1.png", 9), ("2.png", 10)):
        Image.new("L", (20, 20), grey).save(tmp_path / name)
    assert copies.find(table_of(tmp_path, ["0.png", "1.png", "2.png"])).group.tolist() == [0, 0, -1]


def test_channels_count_with_all_their_bytes(tmp_path: Path) -> None:
    for seed in (0, 1, 2):
        painting(seed).convert("L").save(tmp_path / f"{seed}.png")
    table = table_of(tmp_path, ["0.png", "0.png", "1.png"])
    listed = pl.Series("channels", ["0.png;1.png", "0.png;1.png", "1.png;2.png"])
    several = ImageTable("made", table.classes, table.cases.with_columns(listed), tmp_path)
    assert copies.find(several).group.tolist() == [0, 0, -1]


def test_what_was_found_is_kept_for_the_same_images(
    table: ImageTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = copies.cached(table, tmp_path / "kept")
    monkeypatch.setattr(copies, "find", None)  # a second look would fail
    other_split = table.cases.with_columns(split=pl.lit("val"), label=pl.lit("a"))
    again = copies.cached(ImageTable("made", ("a", "b"), other_split, table.root), tmp_path / "kept")
    assert again.group.tolist() == first.group.tolist()
    assert again.content.tolist() == first.content.tolist()
    assert len(list((tmp_path / "kept").iterdir())) == 1
    with pytest.raises(TypeError):
        copies.cached(table.take(np.arange(3)), tmp_path / "kept")
