"""The table of several members, against a case worked by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import binomtest

from tests.auditing.sections.written import members

# As in tests/judge/test_disagreement.py: A right in 0 1 2 4 7 8, B in 0 2 3 4 5.
LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2])
A = np.array([0, 0, 0, 1, 1, 2, 0, 2, 2, 0])
B = np.array([0, 1, 0, 0, 1, 1, 2, 0, 1, 0])
GROUPS = [("site=x", np.arange(5)), ("site=y", np.arange(5, 10))]


def made(**rest):
    return members(LABELS, np.stack([A, B]), ["a", "b"], ["u", "v", "w"], groups=GROUPS, **rest)


def share(hits, n):
    interval = binomtest(hits, n).proportion_ci(0.95, "exact")
    return {"count": hits, "n": n, "value": hits / n, "low": interval.low, "high": interval.high}


def test_worked_by_hand():
    found = made()
    assert json.loads(json.dumps(found)) == found
    assert found["differ"] == pytest.approx(share(6, 10))
    assert found["all_right"] == pytest.approx(share(3, 10))
    assert found["none_right"] == pytest.approx(share(2, 10))
    assert found["oracle"] == pytest.approx(share(8, 10))
    (pair,) = found["pairs"]
    assert pair.pop("share") == pytest.approx(share(3, 5))
    assert pair == {"first": "a", "second": "b", "differ": 6, "first_right": 3, "second_right": 2,
                    "neither_right": 1, "p": 1.0}  # fmt: skip
    rows = {row["name"]: row for row in found["rows"]}
    assert [(row["kind"], row["name"], row["n"]) for row in found["rows"]] == [
        ("all", "all cases", 10), ("class", "u", 4), ("class", "v", 3), ("class", "w", 3),
        ("group", "site=x", 5), ("group", "site=y", 5),
    ]  # fmt: skip
    counts = {
        name: [(one["right"]["count"], one["only_right"]) for one in row["members"]]
        for name, row in rows.items()
    }
    assert counts == {
        "all cases": [(6, 3), (5, 2)], "u": [(3, 1), (3, 1)], "v": [(1, 0), (2, 1)], "w": [(2, 2), (0, 0)],
        "site=x": [(4, 1), (4, 1)], "site=y": [(2, 2), (1, 1)],
    }  # fmt: skip
    assert rows["w"]["members"][0]["right"] == pytest.approx(share(2, 3))
    assert {name: row["none_right"] for name, row in rows.items()} == {
        "all cases": 2, "u": 0, "v": 1, "w": 1, "site=x": 0, "site=y": 2,
    }  # fmt: skip
    assert rows["v"]["oracle"] == pytest.approx(share(2, 3))
    assert found["audited"] is None
    assert rows["v"]["audited"] is None


def test_the_audited_ensemble_stands_beside_its_members():
    found = made(audited=("both", LABELS))
    assert found["audited"] == "both"
    assert all(row["audited"]["value"] == 1.0 for row in found["rows"])


def test_a_class_without_a_case_has_no_row_and_members_that_agree_no_share():
    found = members(LABELS[:7], np.stack([A, A])[:, :7], ["a", "b"], ["u", "v", "w"])
    assert [row["name"] for row in found["rows"]] == ["all cases", "u", "v"]
    assert found["pairs"][0]["share"] is None
    assert found["differ"]["count"] == 0
    assert found["differ"]["high"] > 0.3


def test_patients_widen_the_intervals():
    plain, clustered = made(), made(clusters=np.arange(10) // 2)
    assert clustered["clustered"]
    assert not plain["clustered"]
    assert clustered["none_right"]["value"] == plain["none_right"]["value"]
    widths = [found["oracle"]["high"] - found["oracle"]["low"] for found in (plain, clustered)]
    assert widths[1] >= widths[0]
