"""The failures as the page and the table of cases get them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import binomtest

from primum.auditing.sections.failures import LISTED, case_columns
from primum.judge.failures.evidence import CATEGORIES, UNDETERMINED
from primum.judge.failures.taxonomy import taxonomy
from tests.auditing.sections.written import failures
from tests.judge.failures.made import KINDS, made

CLASSES = ("a", "b", "c")
IDS = [f"case-{number}" for number in range(600)]


@pytest.fixture(scope="module")
def found():
    return taxonomy(**made()[0])


def test_counts_shares_and_rows_agree(found) -> None:
    critical = (found.judged.labels == 2) & (found.judged.predicted != 2)
    content = failures(found, CLASSES, IDS, critical=critical, paths=[f"{name}.png" for name in IDS])
    assert json.loads(json.dumps(content)) == content
    assert content["n"] == 600
    assert content["failures"] == len(found.rows)
    assert [one["category"] for one in content["categories"]] == [*CATEGORIES, UNDETERMINED]
    assert sum(one["n"] for one in content["categories"]) == len(found.rows)
    assert sum(one["critical"] for one in content["categories"]) == critical.sum()
    for one in content["categories"]:
        interval = binomtest(one["n"], len(found.rows)).proportion_ci(0.95, "exact")
        assert (one["low"], one["high"]) == pytest.approx((interval.low, interval.high))
    rows = content["rows"]
    assert len(rows) == min(LISTED, len(found.rows))
    assert [row["critical"] for row in rows] == sorted((row["critical"] for row in rows), reverse=True)
    fatal = [row["confidence"] for row in rows if row["critical"]]
    assert fatal == sorted(fatal, reverse=True)
    first = rows[0]
    number = IDS.index(first["id"])
    assert first["path"] == f"case-{number}.png"
    assert first["label"] == CLASSES[found.judged.labels[number]]
    assert set(first["evidence"]) == set(CATEGORIES)


def test_the_first_three_of_every_kind_are_listed_among_many() -> None:
    arguments, _ = made()
    flipped = np.arange(300, 560)
    arguments["predicted"] = arguments["predicted"].copy()
    arguments["predicted"][flipped] = (arguments["labels"][flipped] + 1) % 3
    content = failures(taxonomy(**arguments), CLASSES, IDS)
    assert content["failures"] > LISTED == len(content["rows"])
    listed = [row["category"] for row in content["rows"]]
    for one in content["categories"]:
        assert listed.count(one["category"]) >= min(3, one["n"])
    assert {row["critical"] for row in content["rows"]} == {None}


def test_columns_stand_beside_the_judged_rows(found) -> None:
    columns = case_columns(found)
    assert {len(column) for column in columns.values()} == {600}
    wrong = found.judged.labels != found.judged.predicted
    for column in columns.values():
        assert [value is not None for value in column] == wrong.tolist()
    assert {f"evidence_{name}" for name in (*KINDS, "close_call", "tied_to_column")} <= set(columns)
    assert "evidence_off_lesion" not in columns
    row = int(found.rows[3])
    assert columns["failure_category"][row] == found.category[3]
    assert columns["evidence_close_call"][row] == pytest.approx(found.score("close_call")[3])


def test_without_a_failure_shares_are_null() -> None:
    arguments, _ = made()
    content = failures(taxonomy(**arguments | {"predicted": arguments["labels"]}), CLASSES, IDS)
    assert content["rows"] == []
    assert {one["share"] for one in content["categories"]} == {None}
