"""A table is taken apart by split and by shift."""

from __future__ import annotations

import numpy as np
import polars as pl

from primum.explore.domains import split_table


def with_columns(table, **columns):
    from dataclasses import replace

    return replace(table, metadata=table.metadata.with_columns(**columns))


def test_splits_go_their_ways(made) -> None:
    split = np.array(["train"] * 20 + ["val"] * 10 + ["cal"] * 10 + ["test"] * 20)
    found = split_table(with_columns(made(), split=pl.Series(split)), "all")
    assert [(one.name, len(one.predictions)) for one in found.domains] == [("all", 20)]
    assert found.domains[0].predictions.ids[0] == "case-40"
    assert found.fit is not None
    assert found.fit.ids.to_list() == [f"case-{i}" for i in range(30, 40)]
    assert found.train is not None
    assert len(found.train) == 20
    without = split_table(
        with_columns(made(), split=pl.Series(np.where(split == "cal", "test", split))), "all"
    )
    assert without.fit is not None
    assert without.fit.ids[0] == "case-20"  # val rows where there are no cal rows


def test_a_table_of_one_split_is_looked_at_whole(made) -> None:
    for split in ("test", "val"):
        (only,) = split_table(with_columns(made(), split=pl.lit(split)), "one").domains
        assert len(only.predictions) == 60


def test_each_shift_and_intensity_is_a_domain(made) -> None:
    shift = pl.Series([None] * 20 + ["motion_blur"] * 40)
    level = pl.Series([None] * 20 + [2] * 20 + [1] * 20)
    found = split_table(with_columns(made(), shift=shift, shift_level=level), "test").domains
    assert [(one.name, one.shift, one.level) for one in found] == [
        ("test", None, None),
        ("motion_blur 1", "motion_blur", 1),
        ("motion_blur 2", "motion_blur", 2),
    ]
    assert found[1].predictions.ids[0] == "case-40"


def test_a_value_held_out_has_no_intensity(made) -> None:
    (only,) = split_table(with_columns(made(), shift=pl.lit("site=rosendahl")), "shift").domains
    assert (only.name, only.shift, only.level) == ("site=rosendahl", "site=rosendahl", None)


def test_what_a_bench_calls_iid_is_not_shifted(made) -> None:
    table = with_columns(made(), shift=pl.lit("test"), shift_kind=pl.lit("iid"))
    (only,) = split_table(table, "test").domains
    assert (only.name, only.shift) == ("test", None)


def test_an_intensity_outside_1_to_5_is_refused(made, refused) -> None:
    for wrong in (0, 6, 2.5):
        table = with_columns(made(), shift=pl.lit("jpeg"), shift_level=pl.lit(wrong))
        refused(lambda table=table: split_table(table, "x"), "shift_level", "from 1 to 5", "row 1")
    text = with_columns(made(), shift=pl.lit("jpeg"), shift_level=pl.lit("strong"))
    refused(lambda: split_table(text, "x"), "'strong' arrived")
    fine = with_columns(made(), shift=pl.lit("jpeg"), shift_level=pl.lit("3"))
    assert split_table(fine, "x").domains[0].level == 3
