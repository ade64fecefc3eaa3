"""A data set held against its release."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from primum.core.check import InputError
from primum.data import checking
from primum.data.images import ImageTable
from primum.data.sets import DATA_SETS, LOADERS, data_set, official_counts
from primum.severity import read
from tests.data.test_duplicates import painting


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with official splits: one test image re-encoded in train, one train copy under two labels."""
    seed = 0
    for split, label in (
        ("train", "a"),
        ("train", "b"),
        ("val", "a"),
        ("val", "b"),
        ("test", "a"),
        ("test", "b"),
    ):
        (tmp_path / split / label).mkdir(parents=True)
        for number in range(4):
            painting(seed := seed + 1).save(tmp_path / split / label / f"{number}.png")
    for label in "ab":
        (tmp_path / "cal" / label).mkdir(parents=True)
        painting(seed := seed + 1).save(tmp_path / "cal" / label / "0.png")
    painting(17).save(tmp_path / "train" / "a" / "twin.jpg")  # of test/a/0.png
    painting(5).save(tmp_path / "train" / "a" / "other.png")  # of train/b/0.png
    (tmp_path / "val" / "a" / "bad.png").write_bytes(b"no picture")
    return tmp_path


def test_everything_that_is_wrong_is_said(tree: Path) -> None:
    found = checking.check("folder", tree)
    content = found.content
    assert json.loads(json.dumps(content)) == content
    assert content["n"] == 29
    assert content["splits"] == {"train": 10, "val": 9, "cal": 2, "test": 8}
    assert [entry["id"] for entry in content["unreadable"]] == ["val/a/bad.png"]
    assert content["copies"] == {"groups": 2, "images": 4, "exact_groups": 1, "conflicting_groups": 1}
    assert content["across"] == [{"split": "test", "other": "train", "groups": 1, "images": 1}]
    assert content["test_with_copies"] == 1
    assert content["patients"] is None
    assert content["verdict"] == "the split leaks: 1 test image has a copy in train, val or cal, of 8"
    assert found.copies["id"].to_list() == [
        "train/a/other.png",
        "train/b/0.png",
        "train/a/twin.jpg",
        "test/a/0.png",
    ]
    assert found.copies["kind"].to_list() == ["exact", "exact", "near", "near"]
    assert found.copies["conflicting"].to_list() == [True, True, False, False]
    assert found.copies["across"].to_list() == [False, False, True, True]


def test_a_patient_in_two_splits_is_counted_and_not_named(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tree / "m.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "label", "patient", "split"])
        for path in sorted(tree.rglob("[0-9].png")):
            split, label, _ = path.relative_to(tree).parts
            rows.writerow([path.relative_to(tree), label, f"P-{path.stem}-{split}-{label}", split])
    table = checking.sets.load("manifest", tree / "m.csv")
    moved = table.cases.with_columns(
        patient=pl.when(pl.col("id").is_in(["train/a/0.png", "test/a/0.png"]))
        .then(pl.lit("P-secret"))
        .otherwise("patient")
    )
    monkeypatch.setattr("primum.data.sets.load", lambda name, root, seed: replace(table, cases=moved))
    found = checking.check("manifest", tree / "m.csv")
    assert found.content["patients"]["in_two_splits"] == 1
    assert "1 patient stands in two splits" in found.content["verdict"]
    assert "secret" not in json.dumps(found.content)


def test_splits_that_a_loader_cuts_anew_are_pooled(tree: Path) -> None:
    table = checking.sets.load("folder", tree)
    stated = {"train": {"a": 12, "b": 9}, "val": {"a": 0, "b": 0}, "test": {"a": 4, "b": 5}}
    found = {
        (entry["split"], entry["class"]): (entry["found"], entry["expected"])
        for entry in checking.counts(table, stated)
    }
    assert found == {
        ("train + val", "a"): (12, 12),
        ("train + val", "b"): (9, 9),
        ("test", "a"): (4, 4),
        ("test", "b"): (4, 5),
    }
    every = checking.counts(table, {"all": {"a": 16, "b": 13}})
    assert [(entry["split"], entry["found"]) for entry in every] == [("all", 16), ("all", 13)]
    assert {entry["expected"] for entry in checking.counts(table, {})} == {None}


def test_a_data_set_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="set root="):
        checking.check("brain_tumor_mri", tmp_path / "none")
    with pytest.raises(InputError, match="did you mean 'chest_xray'"):
        checking.check("chest_xry", tmp_path)


def test_the_official_counts_of_real_sets(real: Callable[[str], ImageTable]) -> None:
    for name in ("chest_xray", "ham10000"):
        table = real(name)
        for entry in checking.counts(table, official_counts(name)):
            assert entry["found"] == entry["expected"], entry
    table = real("brain_tumor_mri")
    off = [
        entry
        for entry in checking.counts(table, official_counts("brain_tumor_mri"))
        if entry["found"] != entry["expected"]
    ]
    assert off == [{"split": "train", "class": "notumor", "found": 1591, "expected": 1595}]


def test_every_data_set_is_listed_once_with_a_preset_of_its_classes() -> None:
    assert sorted(name for entry in DATA_SETS for name in entry.loaders) == sorted(LOADERS)
    for entry in DATA_SETS:
        assert set(entry.counts) <= set(entry.loaders)
        if entry.severity is not None:
            assert set(read(entry.severity).classes) == set(entry.classes), entry.loaders
    assert data_set("breakhis_subtypes_40x").classes == ("A", "F", "PT", "TA", "DC", "LC", "MC", "PC")
