"""BreaKHis on a small made tree of the official archive."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from primum.data.sets import LOADERS, data_set, load, official_counts
from primum.data.sets.breakhis import BENIGN, CLASSES, deal
from primum.data.split import leaks

Draw = Callable[[Path, Iterable[str]], None]
FOLDERS = {"A": "adenosis", "F": "fibroadenoma", "PT": "phyllodes_tumor", "TA": "tubular_adenoma"} | {
    "DC": "ductal_carcinoma",
    "LC": "lobular_carcinoma",
    "MC": "mucinous_carcinoma",
    "PC": "papillary_carcinoma",
}
MAGNIFICATIONS = (40, 100, 200, 400)


def images() -> list[str]:
    """Three biopsies of every subtype, of which the first has two slides and the adenosis a fibroadenoma."""
    slides = []
    for k, subtype in enumerate(FOLDERS):
        slides += [
            (subtype, f"14-{1000 * (k + 1) + i}{letters}") for i, letters in enumerate(("AB", "", "C"))
        ]
        slides.append((subtype, f"14-{1000 * (k + 1)}CD"))
    slides.append(("F", "14-1001EF"))
    slides.append(("PC", "15-190EF"))
    return [
        f"histology_slides/breast/{'benign' if subtype in BENIGN else 'malignant'}/SOB/{FOLDERS[subtype]}/"
        f"SOB_{'B' if subtype in BENIGN else 'M'}_{subtype}_{slide}/{zoom}X/"
        f"SOB_{'B' if subtype in BENIGN else 'M'}_{subtype}-{slide}-{zoom}-{number:03d}.png"
        for subtype, slide in slides
        for zoom in MAGNIFICATIONS
        for number in (1, 2)
    ]


@pytest.fixture
def archive(tmp_path: Path, draw: Draw) -> Path:
    draw(tmp_path / "BreaKHis_v1", images())
    (tmp_path / "BreaKHis_v1" / "histology_slides" / "README.txt").write_text("")
    return tmp_path


def test_a_name_holds_everything(archive: Path) -> None:
    table = load("breakhis_subtypes", archive)
    assert table.name == "breakhis_subtypes"
    assert table.classes == ("A", "F", "PT", "TA", "DC", "LC", "MC", "PC")
    assert len(table) == 34 * 8
    row = table.cases.row(by_predicate=pl.col("id") == "SOB_B_F-14-1001EF-400-002", named=True)
    assert (row["label"], row["subtype"], row["magnification"]) == ("F", "F", 400)
    assert (row["patient"], row["biopsy"]) == ("14-1001EF", "14-1001")
    assert table.cases["patient"].n_unique() == 34
    assert table.cases["biopsy"].n_unique() == 25
    assert table.image(0).size == (6, 6)


def test_two_classes(archive: Path) -> None:
    cases = load("breakhis", archive / "BreaKHis_v1").cases
    assert set(cases.filter(pl.col("label") == "benign")["subtype"]) == set(BENIGN)
    assert (cases["label"] == "benign").sum() == 17 * 8


@pytest.mark.parametrize("task", CLASSES)
def test_every_magnification_has_the_same_cut(archive: Path, task: str) -> None:
    whole = load(task, archive, seed=3).cases
    for zoom in MAGNIFICATIONS:
        part = load(f"{task}_{zoom}x", archive, seed=3)
        assert part.name == f"{task}_{zoom}x"
        assert part.cases.equals(whole.filter(pl.col("magnification") == zoom))


def test_slides_of_one_biopsy_stay_together(archive: Path) -> None:
    cases = load("breakhis", archive).cases
    assert leaks(cases) == []
    assert leaks(cases.with_columns(patient=pl.col("biopsy"))) == []
    train = cases.filter(pl.col("split") == "train")
    assert set(train["subtype"]) == set(FOLDERS)
    other = load("breakhis", archive, seed=1).cases
    assert (cases["split"] != other["split"]).any()


def test_groups_are_dealt_in_the_stated_shares_whatever_the_order() -> None:
    groups = np.repeat([f"{i:03d}" for i in range(200)], 3)
    labels = np.repeat(np.array(["few", "many"])[(np.arange(200) >= 20).astype(int)], 3)
    split = deal(labels, groups, 0)
    assert {name: int((split == name).sum()) for name in ("train", "test", "val", "cal")} == {
        "train": 360, "test": 90, "val": 60, "cal": 90,
    }  # fmt: skip
    order = np.random.default_rng(0).permutation(600)
    np.testing.assert_array_equal(deal(labels[order], groups[order], 0), split[order])


def test_other_trees_are_refused(tmp_path: Path, draw: Draw, refused: Callable[..., None]) -> None:
    refused(lambda: load("breakhis", tmp_path), "histology_slides was expected")
    (tmp_path / "histology_slides").mkdir()
    refused(lambda: load("breakhis", tmp_path), "none was found")
    draw(tmp_path, ["histology_slides/SOB_B_DC-14-1-40-001.png"])
    refused(lambda: load("breakhis", tmp_path), "SOB_B_DC-14-1-40-001.png arrived")
    (tmp_path / "histology_slides" / "SOB_B_DC-14-1-40-001.png").unlink()
    draw(tmp_path, [f"histology_slides/{fold}/SOB_M_DC-14-1-40-001.png" for fold in ("fold1", "fold2")])
    refused(lambda: load("breakhis", tmp_path), "lies there twice")


def test_official_counts_add_up() -> None:
    for name in (name for name in LOADERS if name.startswith("breakhis")):
        assert tuple(official_counts(name)["all"]) == data_set(name).classes
    assert official_counts("breakhis")["all"] == {"benign": 2480, "malignant": 5429}
    of_zoom = {
        zoom: sum(official_counts(f"breakhis_subtypes_{zoom}x")["all"].values()) for zoom in MAGNIFICATIONS
    }
    assert of_zoom == {40: 1995, 100: 2081, 200: 2013, 400: 1820}
    assert official_counts("breakhis_400x")["all"] == {"benign": 588, "malignant": 1232}
