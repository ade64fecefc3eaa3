"""Chest X-ray with three classes and its twin of another hospital, made and real."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import polars as pl
import pytest

from primum.data.images import ImageTable
from primum.data.sets import load, official_counts
from primum.data.sets.chest_xray_nih import patient

Draw = Callable[[Path, Iterable[str]], None]
Real = Callable[[str], ImageTable]


def official(table: ImageTable) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for split, label, n in table.cases.group_by("official_split", "label").len().rows():
        found.setdefault(split, {})[label] = n
    return found


def test_three_classes_are_the_same_images_in_the_same_splits(tmp_path: Path, draw: Draw) -> None:
    draw(
        tmp_path,
        [
            f"{split}/{folder}/{name}{start + i}{rest}.jpeg"
            for split, start, count in (("train", 100, 12), ("val", 200, 1), ("test", 300, 3))
            for i in range(count)
            for folder, name, rest in (
                ("NORMAL", "IM-0", "-0001"),
                ("PNEUMONIA", "person", "_bacteria_1"),
                ("PNEUMONIA", "person", "_virus_1"),
            )
        ],
    )
    two, three = load("chest_xray", tmp_path), load("chest_xray_subtypes", tmp_path)
    assert (three.name, three.classes) == ("chest_xray_subtypes", ("normal", "bacterial", "viral"))
    same = ["id", "patient", "split", "site", "path"]
    assert three.cases.select(same).equals(two.cases.select(same))
    pairs = set(zip(two.cases["label"], three.cases["label"], strict=True))
    assert pairs == {("NORMAL", "normal"), ("PNEUMONIA", "bacterial"), ("PNEUMONIA", "viral")}


def test_the_other_hospital_is_all_test(tmp_path: Path, draw: Draw) -> None:
    names = ["NORMAL/00000001_000.jpg", "NORMAL/00000001_003.jpg", "PNEUMONIA/00000001_004.jpg"]
    draw(tmp_path / "chest_xray_nih", names)
    table = load("chest_xray_nih", tmp_path)
    assert table.classes == ("NORMAL", "PNEUMONIA")
    assert table.cases["id"].to_list() == names
    assert set(table.cases["split"]) == {"test"}
    assert set(table.cases["site"]) == {"nih"}
    assert set(table.cases["patient"]) == {"00000001"}
    assert table.image(2).size == (6, 6)


def test_files_of_the_first_hospital_are_refused(
    tmp_path: Path, draw: Draw, refused: Callable[..., None]
) -> None:
    refused(lambda: load("chest_xray_nih", tmp_path), "NORMAL was expected")
    draw(tmp_path, ["NORMAL/IM-0115-0001.jpeg"])
    refused(lambda: load("chest_xray_nih", tmp_path), "IM-0115-0001.jpeg arrived")


@pytest.mark.parametrize(
    ("file", "number"), [("00001280_004.jpg", "00001280"), ("00030805_000.png", "00030805")]
)
def test_nih_patients(file: str, number: str) -> None:
    assert patient(file) == number


@pytest.mark.parametrize("name", ["chest_xray", "chest_xray_subtypes"])
def test_official_counts(shared_data: Callable[[str], Path], name: str) -> None:
    table = load(name, shared_data("chest_xray"))
    assert official(table) == official_counts(name)
    test = dict(table.split("test").cases.group_by("label").len().rows())
    assert test == official_counts(name)["test"]
    assert set(table.cases["site"]) == {"guangzhou"}


def test_every_split_has_every_subtype(shared_data: Callable[[str], Path]) -> None:
    table = load("chest_xray_subtypes", shared_data("chest_xray"))
    assert table.cases.group_by("split").agg(pl.col("label").n_unique())["label"].to_list() == [3] * 4


def test_official_counts_of_the_other_hospital(real: Real) -> None:
    table = real("chest_xray_nih")
    assert dict(table.cases.group_by("label").len().rows()) == official_counts("chest_xray_nih")["test"]
    assert set(table.cases["split"]) == {"test"}
    assert table.cases["patient"].n_unique() == 682
    assert table.image(0).mode == "RGB"
