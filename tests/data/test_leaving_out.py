"""What is held out is nowhere else: the faults that published code has, ruled out one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from primum.data.images import ImageTable
from primum.data.leaving_out import counts, leave_out
from primum.data.sets import load
from primum.data.split import leaks
from tests.model.made import made


@pytest.fixture
def table() -> ImageTable:
    """400 images of 200 patients: two classes, ``dx`` of five, three sites, an unfilled column."""
    cases, _ = made(400, 2)
    rng = np.random.default_rng(0)
    kinds = rng.choice(["nv", "bkl", "mel", "bcc", "akiec"], 200)[np.arange(400) // 2]
    return ImageTable(
        "made",
        ("benign", "malignant"),
        cases.with_columns(
            pl.Series("dx", kinds),
            pl.Series("label", np.where(np.isin(kinds, ["nv", "bkl"]), "benign", "malignant")),
            pl.Series("site", rng.choice(["north", "south", "west"], 400)),
            pl.Series("sex", [None, *["f", "m"] * 199, "f"]),
            pl.Series("marker", rng.random(200)[np.arange(400) // 2] < 0.5),
        ),
    )


def of(table: ImageTable, split: str) -> pl.DataFrame:
    return table.cases.filter(pl.col("split") == split)


@pytest.mark.parametrize("value", ["bkl", ["bkl"], ["bkl", "akiec"], ["akiec", "bkl", "bkl"]])
def test_a_held_out_subclass_is_whole_in_shift_and_nowhere_else(
    table: ImageTable, value: str | list[str]
) -> None:
    asked = {value} if isinstance(value, str) else set(value)
    found = leave_out(table, "dx", value)
    held = table.cases.filter(pl.col("dx").is_in(sorted(asked)))
    assert set(of(found, "shift")["id"]) == set(held["id"])
    for split in ("train", "val", "cal", "test"):
        assert not set(of(found, split)["dx"]) & asked, f"{split} still has what was held out"
        assert set(of(found, split)["dx"]) == {"nv", "bkl", "mel", "bcc", "akiec"} - asked
        before = of(table, split).filter(~pl.col("dx").is_in(sorted(asked)))
        assert of(found, split)["id"].to_list() == before["id"].to_list()
    assert set(of(found, "shift")["shift"]) == {f"dx={','.join(sorted(asked))}"}
    assert found.cases.filter(pl.col("split") != "shift")["shift"].null_count() == len(table) - len(held)


def test_several_values_written_as_one_are_refused_not_passed_over(refused, table: ImageTable) -> None:
    refused(lambda: leave_out(table, "dx", "bkl,akiec"), "dx 'bkl,akiec' is not known", "akiec, bcc, bkl")
    refused(lambda: leave_out(table, "dx", ["bkl,akiec"]), "'bkl,akiec' is not known")
    refused(lambda: leave_out(table, "dx", ["bkl", "akeic"]), "did you mean 'akiec'?")


def test_no_row_is_in_two_splits_and_none_is_in_test_that_was_not(table: ImageTable) -> None:
    found = leave_out(table, "site", "north")
    assert found.cases["id"].n_unique() == len(found)
    before = dict(zip(table.cases["id"], table.cases["split"], strict=True))
    for row in found.cases.filter(pl.col("split") != "shift").iter_rows(named=True):
        assert row["split"] == before[row["id"]]  # so val is not in test, nor train and test swapped


def test_patients_do_not_cross(table: ImageTable) -> None:
    assert leaks(table.cases) == []
    found = leave_out(table, "site", "north")
    assert leaks(found.cases) == []
    held = set(of(found, "shift")["patient"])
    dropped = table.cases.filter(~pl.col("id").is_in(found.cases["id"].to_list()))
    assert len(dropped) > 0
    assert set(dropped["patient"]) <= held
    assert "north" not in dropped["site"]
    kept = found.cases.filter(pl.col("split") != "shift")
    assert not held & set(kept["patient"])


def test_rows_keep_their_order_and_pixels(table: ImageTable) -> None:
    pixels = np.arange(400, dtype=np.uint8).repeat(12).reshape(400, 2, 2, 3)
    found = leave_out(replace(table, pixels=pixels), "site", "west")
    rows = [table.cases["id"].to_list().index(one) for one in found.cases["id"]]
    assert rows == sorted(rows)
    np.testing.assert_array_equal(found.pixels, pixels[rows])


def test_truth_values_and_numbers_are_named_as_text(table: ImageTable) -> None:
    assert set(of(leave_out(table, "marker", "true"), "shift")["marker"]) == {True}
    aged = replace(table, cases=table.cases.with_columns(age=pl.Series([30] * 200 + [60] * 200)))
    assert set(of(leave_out(aged, "age", "60"), "shift")["age"]) == {60}


def test_an_earlier_shift_stays_said(table: ImageTable) -> None:
    twice = leave_out(leave_out(table, "dx", "bkl"), "site", "north")
    assert set(of(twice, "shift")["shift"]) == {"dx=bkl", "site=north"}


def test_what_cannot_be_held_out_is_refused(refused, table: ImageTable) -> None:
    refused(lambda: leave_out(table, "dxx", "bkl"), "'dxx'", "did you mean 'dx'?")
    refused(lambda: leave_out(table, "patient", "p3"), "'patient'")
    refused(lambda: leave_out(table, "split", "test"), "'split'")
    refused(lambda: leave_out(table, "dx", []), "none arrived")
    refused(lambda: leave_out(table, "sex", "f"), "1 of 400 have none")
    refused(lambda: leave_out(table, "label", "benign"), "leaves benign without training images")
    refused(lambda: leave_out(table, "dx", ["mel", "bcc", "akiec"]), "leaves malignant without training")
    one = replace(table, cases=table.cases.with_columns(site=pl.lit("north")))
    refused(lambda: leave_out(one, "site", "north"), "one value only, 'north'")
    test = pl.when(pl.col("split") == "test").then(pl.lit("east")).otherwise("site")
    elsewhere = replace(table, cases=table.cases.with_columns(site=test))
    refused(lambda: leave_out(elsewhere, "site", "east"), "leaves the split test without images")


def test_no_patient_is_named_in_a_refusal(table: ImageTable) -> None:
    with pytest.raises(ValueError, match="patient") as caught:
        leave_out(table, "patient", "p3")
    assert "p17" not in str(caught.value)


def test_counts_of_a_column_by_class(refused, table: ImageTable) -> None:
    found = counts(table, "sex")
    assert found.columns == ["sex", "images", "benign", "malignant"]
    assert found["sex"].to_list() == ["f", "m", None]
    for row in found.iter_rows(named=True):
        same = table.cases.filter(pl.col("sex").eq_missing(pl.lit(row["sex"])))
        assert row["images"] == len(same) == row["benign"] + row["malignant"]
        assert row["malignant"] == (same["label"] == "malignant").sum()
    refused(lambda: counts(table, "sexx"), "did you mean 'sex'?")


def test_the_sources_of_ham10000(shared_data) -> None:
    table = load("ham10000_malignancy", shared_data("ham10000"))
    found = {row[0]: row[1:] for row in counts(table, "site").rows()}
    assert found == {
        "rosendahl": (2259, 1326, 933),
        "vidir_modern": (3363, 2440, 923),
        "vidir_molemax": (3954, 3928, 26),
        "vienna_dias": (439, 367, 72),
    }
    for site, (images, *_) in found.items():
        held = leave_out(table, "site", site)
        assert len(of(held, "shift")) == images
        assert leaks(held.cases) == []
        assert site not in held.cases.filter(pl.col("split") != "shift")["site"]
    assert len(leave_out(table, "site", "vidir_modern")) == 10_015 - 9
    both = leave_out(table, "dx", ["bkl", "akiec"])
    assert len(of(both, "shift")) == 1099 + 327
    assert set(of(both, "train")["dx"]) == {"mel", "nv", "bcc", "df", "vasc"}


def test_viral_pneumonia_held_out(real) -> None:
    found = leave_out(real("chest_xray"), "subtype", "virus")
    assert len(of(found, "shift")) == 1493
    assert set(of(found, "shift")["label"]) == {"PNEUMONIA"}
    assert set(of(found, "train")["subtype"]) == {"normal", "bacteria"}
    assert leaks(found.cases) == []
