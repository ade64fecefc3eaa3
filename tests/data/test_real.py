"""The official counts, on the real data sets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl

from primum.data.sets import load
from primum.data.split import leaks

Find = Callable[[str], Path]


def counts(cases: pl.DataFrame, *columns: str) -> dict[tuple[str, ...], int]:
    return {tuple(row[:-1]): row[-1] for row in cases.group_by(*columns).len().rows()}


def test_chest_xray(shared_data: Find) -> None:
    table = load("chest_xray", shared_data("chest_xray"))
    found = counts(table.cases, "official_split", "label")
    assert sum(n for (split, _), n in found.items() if split == "train") == 5216
    assert sum(n for (split, _), n in found.items() if split == "val") == 16
    assert (found["test", "NORMAL"], found["test", "PNEUMONIA"]) == (234, 390)
    assert ((table.cases["split"] == "test") == (table.cases["official_split"] == "test")).all()
    assert leaks(table.cases) == []
    across = table.cases.group_by("patient").agg(pl.col("official_split").replace("val", "train").n_unique())
    assert across["official_split"].max() == 1


def test_brain_tumor_mri(shared_data: Find) -> None:
    table = load("brain_tumor_mri", shared_data("brain_tumor_mri"))
    assert len(table) == 7019
    test = table.split("test")
    official = {("glioma",): 300, ("meningioma",): 306, ("notumor",): 405, ("pituitary",): 300}
    assert counts(test.cases, "label") == official
    assert test.cases["twin_in_train"].sum() == 216
    assert not table.cases.filter(pl.col("split") != "test")["twin_in_train"].any()
    twins = set(test.cases.filter("twin_in_train")["patient"])
    assert set(leaks(table.cases)) == twins
    held = table.cases.filter(pl.col("split").is_in(["val", "cal"]))
    assert not twins & set(held["patient"])


def test_ham10000_with_the_official_test_set(shared_data: Find) -> None:
    root = shared_data("ham10000")
    shared_data("isic2018_test")
    table = load("ham10000", root)
    rest = table.cases.filter(pl.col("split") != "test")
    expected = {"MEL": 1113, "NV": 6705, "BCC": 514, "AKIEC": 327, "BKL": 1099, "DF": 115, "VASC": 142}
    assert counts(rest, "label") == {(name,): n for name, n in expected.items()}
    expected = {"MEL": 171, "NV": 909, "BCC": 93, "AKIEC": 43, "BKL": 217, "DF": 44, "VASC": 35}
    assert counts(table.split("test").cases, "label") == {(name,): n for name, n in expected.items()}
    sites = {"vidir_molemax": 3954, "vidir_modern": 3363, "rosendahl": 2259, "vienna_dias": 439}
    assert counts(rest, "site") == {(name,): n for name, n in sites.items()}
    assert leaks(table.cases) == []
    sides = load("ham10000_malignancy", root)
    assert counts(sides.cases, "label") == {("benign",): 8061, ("malignant",): 1954}
    malignant = sides.cases.filter(pl.col("label") == "malignant")
    assert set(malignant["dx"]) == {"mel", "bcc", "akiec"}
    assert leaks(sides.cases) == []
    assert set(sides.cases["split"]) == {"train", "val", "cal", "test"}
    assert not sides.cases["id"].is_in(table.split("test").cases["id"].to_list()).any()
    assert table.image(0).mode == "RGB"
    assert load("ham10000", root.parent).fingerprint() == table.fingerprint()
