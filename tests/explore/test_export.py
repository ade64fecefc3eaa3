"""A selection as CSV."""

from __future__ import annotations

import io

import polars as pl

from primum.explore.export import csv


def test_the_chosen_cases_in_their_order(whole) -> None:
    keys = [whole.cases["key"][row] for row in (125, 3)]
    found = pl.read_csv(io.StringIO(csv(whole, keys)))
    assert found["id"].to_list() == ["case-5", "case-3"]
    assert found["domain"].to_list() == ["gaussian_noise 1", "test"]
    assert found["score_msr"].to_list() == [whole.cases["score_msr"][125], whole.cases["score_msr"][3]]
    assert not {"row", "key"} & set(found.columns)
    assert "\x1f" not in csv(whole, keys)


def test_nothing_chosen_is_a_header(whole) -> None:
    assert csv(whole, []).count("\n") == 1


def test_an_unknown_key_is_refused(whole, refused) -> None:
    refused(lambda: csv(whole, ["nobody"]), "no case has this key")
