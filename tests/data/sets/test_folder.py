"""A tree with one folder per class, with or without official splits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from primum.data.sets import load
from primum.data.split import leaks


def names(*folders: str, count: int = 30) -> list[str]:
    return [f"{folder}/{number:02d}.png" for folder in folders for number in range(count)]


def test_without_split_folders_all_four_are_cut(tmp_path: Path, draw) -> None:
    draw(tmp_path, names("sick", "well"))
    table = load("folder", tmp_path, seed=0)
    assert table.classes == ("sick", "well")
    assert len(table) == 60
    assert set(table.cases["split"]) == {"train", "val", "cal", "test"}
    assert all(row["label"] == row["path"].split("/")[0] for row in table.cases.iter_rows(named=True))
    assert table.cases["patient"].n_unique() == 60
    assert table.image(0).size == (6, 6)


def test_the_same_seed_cuts_the_same_files(tmp_path: Path, draw) -> None:
    draw(tmp_path, names("sick", "well"))
    first = load("folder", tmp_path, seed=0).cases
    assert first.equals(load("folder", tmp_path, seed=0).cases)
    assert not first.equals(load("folder", tmp_path, seed=1).cases)


@pytest.mark.parametrize(("train", "test"), [("train", "test"), ("Training", "Testing"), ("TRAIN", "Test")])
def test_official_splits_stay_and_val_and_cal_come_from_train(
    tmp_path: Path, draw, train: str, test: str
) -> None:
    draw(tmp_path, names(f"{train}/sick", f"{train}/well") + names(f"{test}/sick", f"{test}/well", count=3))
    cases = load("folder", tmp_path).cases
    above = cases["path"].str.split("/").list.first()
    assert set(cases["split"].filter(above == test)) == {"test"}
    assert set(cases["split"].filter(above == train)) == {"train", "val", "cal"}
    assert len(cases) == 66


def test_an_official_val_stays_and_only_cal_is_cut(tmp_path: Path, draw) -> None:
    draw(
        tmp_path,
        names("train/a", "train/b", count=300)
        + names("validation/a", "validation/b", "test/a", "test/b", count=2),
    )
    cases = load("folder", tmp_path).cases
    above = cases["path"].str.split("/").list.first().to_numpy()
    split = cases["split"].to_numpy()
    assert set(split[above == "validation"]) == {"val"}
    assert set(split[above == "train"]) == {"train", "cal"}
    assert abs(np.mean(split[above == "train"] == "cal") - 0.2) < 0.05


def test_four_official_splits_are_left_alone(tmp_path: Path, draw) -> None:
    draw(
        tmp_path, names("train/a", "train/b", "val/a", "val/b", "cal/a", "cal/b", "test/a", "test/b", count=2)
    )
    cases = load("folder", tmp_path).cases
    assert (cases["path"].str.split("/").list.first() == cases["split"]).all()
    assert leaks(cases) == []


def test_hidden_files_and_what_is_no_image_are_passed_over(tmp_path: Path, draw) -> None:
    draw(tmp_path, names("a", "b"))
    for stray in (".DS_Store", "a/.DS_Store", "a/Thumbs.db", "a/._00.png", "b/notes.txt"):
        (tmp_path / stray).write_bytes(b"stray")
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "x.png").write_bytes(b"stray")
    assert len(load("folder", tmp_path)) == 60


def test_equal_file_names_in_two_classes_are_two_cases(tmp_path: Path, draw) -> None:
    draw(tmp_path, names("a", "b"))
    assert load("folder", tmp_path).cases["id"].n_unique() == 60


def test_folders_of_another_kind_are_refused(tmp_path: Path, draw, refused) -> None:
    refused(lambda: load("folder", tmp_path / "none"), "none", "was expected here")
    empty = tmp_path / "empty"
    empty.mkdir()
    refused(lambda: load("folder", empty), "empty", "no image was found")
    (empty / "a").mkdir()
    refused(lambda: load("folder", empty), "empty", "no image was found")
    draw(tmp_path / "one", names("a"))
    refused(lambda: load("folder", tmp_path / "one"), "at least two class folders", "found a")
    draw(tmp_path / "mixed", names("train/a", "train/b", "c"))
    refused(lambda: load("folder", tmp_path / "mixed"), "split folder", "both arrived")
    draw(tmp_path / "few", names("a", "b", count=4))
    refused(lambda: load("folder", tmp_path / "few"), "at least 20", "8 arrived")
