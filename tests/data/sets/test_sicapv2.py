"""SICAPv2 on a small made tree of the official layout, and on the official lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from primum.data.sets import load, official_counts
from primum.data.sets.sicapv2 import CLASSES, graded
from primum.data.split import leaks

Draw = Callable[[Path, Iterable[str]], None]
Refused = Callable[..., None]
HEADER = ["image_name", *CLASSES, "G4C"]


def patches(slides: range) -> list[list[str | int]]:
    """Two patches of each slide, the grades in turn."""
    return [
        [f"16B{slide:07d}_Block_Region_{i}_0_0_xini_1_yini_2.jpg", *(int(k == grade) for k in range(4)), 0]
        for slide in slides
        for i, grade in enumerate((slide % 4, (slide + 1) % 4))
    ]


def write(path: Path, rows: list[list[str | int]], header: list[str] = HEADER) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    for row in [header, *rows]:
        book.active.append(row)
    book.save(path)


@pytest.fixture
def release(tmp_path: Path, draw: Draw) -> Path:
    root = tmp_path / "SICAPv2"
    write(root / "partition/Test/Train.xlsx", patches(range(40)))
    write(root / "partition/Test/Test.xlsx", patches(range(40, 48)))
    write(root / "partition/Validation/Val2/Train.xlsx", patches(range(30)))
    write(root / "partition/Validation/Val2/Test.xlsx", patches(range(30, 40)))
    draw(root, [f"images/{row[0]}" for row in patches(range(48))])
    return tmp_path


def test_official_lists(release: Path) -> None:
    table = load("sicapv2", release)
    assert (table.name, table.classes, len(table)) == ("sicapv2", CLASSES, 96)
    assert set(table.split("test").cases["patient"]) == {f"16B{slide:07d}" for slide in range(40, 48)}
    assert set(table.cases["split"]) == {"train", "val", "cal", "test"}
    assert leaks(table.cases) == []
    assert table.image(95).size == (6, 6)
    first = table.cases.row(0, named=True)
    assert (first["label"], first["cribriform"]) == ("NC", False)


def test_an_official_fold(release: Path) -> None:
    table = load("sicapv2_val2", release / "SICAPv2")
    assert table.name == "sicapv2_val2"
    assert set(table.split("val").cases["patient"]) == {f"16B{slide:07d}" for slide in range(30, 40)}
    assert len(table.split("test")) == 16
    assert len(table.split("train")) + len(table.split("cal")) == 60
    assert leaks(table.cases) == []


def test_images_that_are_named_and_not_there_are_counted(release: Path, refused: Refused) -> None:
    root = release / "SICAPv2"
    for name in ("16B0000045_Block_Region_0_0_0_xini_1_yini_2.jpg",):
        (root / "images" / name).unlink()
        refused(
            lambda: load("sicapv2", root), "partition/Test/Test.xlsx: 16 patches were expected", "1 are", name
        )


def test_a_slide_in_two_lists_is_refused(release: Path, refused: Refused) -> None:
    write(release / "SICAPv2/partition/Validation/Val2/Test.xlsx", patches(range(29, 40)))
    write(release / "SICAPv2/partition/Validation/Val2/Train.xlsx", patches(range(30))[:-1])
    refused(lambda: load("sicapv2_val2", release), "no slide may stand in two of the lists, 1 do")


def test_other_spreadsheets_are_refused(release: Path, refused: Refused) -> None:
    path = release / "SICAPv2/partition/Test/Train.xlsx"
    rows = patches(range(40))
    write(path, rows, ["image", *HEADER[1:]])
    refused(lambda: load("sicapv2", release), "column 'image_name' is not known", "Train.xlsx")
    rows[6][1:5] = [1, 1, 0, 0]
    write(path, rows)
    refused(lambda: load("sicapv2", release), "row 8 has none or several")
    rows[6] = ["other.jpg", 1, 0, 0, 0, 0]
    write(path, rows)
    refused(lambda: load("sicapv2", release), "other.jpg arrived")
    path.write_bytes(b"no spreadsheet")
    refused(lambda: load("sicapv2", release), "does not read")
    path.unlink()
    refused(lambda: load("sicapv2", release), "there is none")
    refused(lambda: load("sicapv2_val3", release), "there is none")
    refused(lambda: load("sicapv2", release / "SICAPv2" / "images"), "partition/Test was expected")


@pytest.mark.parametrize("split", ["train", "test"])
def test_counts_of_the_official_lists(shared_data: Callable[[str], Path], split: str) -> None:
    sheet = pl.read_csv(shared_data("sicapv2_splits") / f"{split}.csv").rename({"Path": "image_name"})
    cases = graded(sheet, f"{split}.csv")
    assert dict(cases.group_by("label").len().rows()) == official_counts("sicapv2")[split]
    assert cases["patient"].n_unique() == {"train": 124, "test": 31}[split]
    assert cases["cribriform"].sum() == {"train": 618, "test": 145}[split]
