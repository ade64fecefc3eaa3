"""Paired comparisons on the same cases."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import t

import primum
from primum.auditing.policy.application import apply
from primum.auditing.policy.fit import fit
from primum.core.check import InputError
from primum.severity import read


@pytest.fixture(scope="module")
def pair(make: Callable[..., Any]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Two models that see the same cases, the second with most of the first's noise."""
    first = make(500, skill=1.6)
    probs = [column for column in first.columns if column.startswith("prob_")]
    right = pl.concat_str([pl.lit("prob_"), pl.col("label")])
    better = first.with_columns(
        [
            pl.when(right == column).then(pl.col(column) * 1.8).otherwise(pl.col(column)).alias(column)
            for column in probs
        ]
    )
    total = pl.sum_horizontal(probs)
    return first, better.with_columns([(pl.col(column) / total).alias(column) for column in probs])


def test_a_model_does_not_differ_from_itself(pair: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    same = primum.compare(pair[0], pair[0], severity="phantom", bootstrap=200)
    for finding in same.findings:
        if finding.verdict != "not_applicable":
            assert finding.value == pytest.approx(0, abs=1e-12)
            assert finding.low < 0 < finding.high  # type: ignore[operator]


def test_differences_are_those_of_the_two_audits(pair: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    found = primum.compare(*pair, severity="phantom", by=["site"], bootstrap=300)
    seen = 0
    for finding in found.findings:
        if finding.verdict == "not_applicable" or finding.calibrated == "best":
            continue
        where = {"decision": finding.decision, "score": finding.score, "calibrated": finding.calibrated}
        sides = [
            side.finding(finding.code, finding.group, **where).value for side in (found.first, found.second)
        ]
        assert finding.value == pytest.approx(sides[1] - sides[0], abs=1e-9)
        assert finding.low <= finding.value <= finding.high  # type: ignore[operator]
        seen += 1
    assert seen > 40


def test_pairing_narrows_the_interval(pair: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    found = primum.compare(*pair, severity="phantom", bootstrap=500)
    for code, where in (
        ("expected_cost", {"decision": "argmax"}),
        ("accuracy", {"decision": "argmax"}),
        ("aurc", {"decision": "argmax", "score": "msr"}),
        ("nll", {"calibrated": "none"}),
    ):
        (difference,) = [
            f for f in found.findings
            if f.code == code and f.group == "all" and all(getattr(f, k) == v for k, v in where.items())
        ]  # fmt: skip
        sides = [side.finding(code, **where) for side in (found.first, found.second)]
        unpaired = sum((side.high - side.low) ** 2 for side in sides) ** 0.5  # type: ignore[operator]
        assert difference.high - difference.low < 0.9 * unpaired, code  # type: ignore[operator]
        better = difference.value < 0 if difference.better == "lower" else difference.value > 0  # type: ignore[operator]
        assert better, code


def test_rows_are_paired_by_id(pair: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    straight = primum.compare(*pair, severity="phantom", bootstrap=200)
    shuffled = primum.compare(
        pair[0], pair[1].sample(fraction=1, shuffle=True, seed=1), severity="phantom", bootstrap=200
    )
    for a, b in zip(straight.findings, shuffled.findings, strict=True):
        assert (a.code, a.value, a.low) == (b.code, b.value, b.low)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.head(t.height - 3), "stand on one side only"),
        (lambda t: t.with_columns(pl.col("label").reverse()), "labels of"),
        (lambda t: t.rename({"prob_naevus": "prob_nevus"}), "class"),
    ],
)
def test_other_cases_labels_or_classes_are_refused(pair: Any, change: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        primum.compare(pair[0], change(pair[1]), severity="phantom", bootstrap=100)


def test_patients_of_one_side_are_those_of_both(pair: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    first, second = (side.with_columns(patient=pl.col("split") + pl.col("id").str.slice(-2)) for side in pair)
    for given in ((first, second.drop("patient")), (first.drop("patient"), second)):
        alone = primum.compare(*given, severity="phantom", bootstrap=200)
        both = primum.compare(first, second, severity="phantom", bootstrap=200)
        assert [one.to_dict() for one in alone.findings] == [one.to_dict() for one in both.findings]


def test_other_patients_are_refused(pair: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    first, second = (side.with_columns(patient=pl.col("id")) for side in pair)
    second = second.with_columns(patient=pl.col("split"))
    with pytest.raises(InputError, match="the patients of 350 cases differ"):
        primum.compare(first, second, severity="phantom", bootstrap=200)


def test_three_files(pair: tuple[pl.DataFrame, pl.DataFrame], tmp_path: Path) -> None:
    found = primum.compare(*pair, severity="phantom", bootstrap=100)
    out = found.save(tmp_path / "out")
    assert sorted(path.name for path in out.iterdir()) == ["audit.json", "cases.parquet", "report.html"]
    content = json.loads((out / "audit.json").read_text())
    assert content["schema"] == "primum.comparison/1"
    assert content["first"]["schema"] == content["second"]["schema"] == "primum.audit/1"


def test_two_policies_are_compared_on_their_own_answers(make: Callable[..., Any]) -> None:
    first, second = make(600, skill=1.0), make(600, skill=2.5)
    tables = [
        side.with_columns(id=pl.lit("case") + pl.arange(600).cast(pl.String)) for side in (first, second)
    ]
    second = tables[1].with_columns(label=tables[0]["label"])
    cal, test = slice(0, 300), slice(300, 600)
    sides = [(side[cal], side[test]) for side in (tables[0], second)]
    policies = [
        fit(mine, "phantom", capacity=share) for (mine, _), share in zip(sides, (0.1, 0.3), strict=True)
    ]
    found = primum.compare(
        sides[0][1], sides[1][1], severity="phantom", by=["site"], bootstrap=200,
        policies=(policies[0], policies[1]),
    )  # fmt: skip
    paid = {}
    for (_, rows), policy in zip(sides, policies, strict=True):
        applied = apply(policy, rows)
        cost = read("phantom").ordered(applied.table.classes, "").cost
        lost = cost[applied.table.labels, applied.decided.decisions] * applied.decided.accepted
        paid[policy.capacity] = (applied.table.ids.to_list(), lost, ~applied.decided.accepted)
    (ids, lost_first, deferred_first), (same, lost_second, deferred_second) = paid.values()
    assert ids == same
    of_policies = [one for one in found.findings if one.why.startswith("first: ")]
    codes = {one.code: one for one in of_policies if one.group == "all"}
    at_site = (applied.table.metadata["site"] == "B").to_numpy()
    (alone,) = [one for one in of_policies if (one.code, one.group) == ("deferred_share", "site=B")]
    assert alone.value == pytest.approx((deferred_second[at_site] * 1.0 - deferred_first[at_site]).mean())
    assert codes["failure_cost"].value == pytest.approx((lost_second - lost_first).mean())
    assert codes["deferred_share"].value == pytest.approx(deferred_second.mean() - deferred_first.mean())
    gain, patients = lost_second - lost_first, applied.table.patients
    of_patient = pl.DataFrame({"patient": patients, "gain": gain - gain.mean()}).group_by("patient").sum()
    sums = of_patient["gain"].to_numpy()
    carrying = int((sums != 0).sum())
    error = carrying / (carrying - 1) * np.sqrt(sums @ sums) / len(ids)
    free = min(carrying - 1, 1.5 * (sums @ sums) ** 2 / (sums**4).sum())
    width = codes["failure_cost"].high - codes["failure_cost"].low  # type: ignore[operator]
    assert width == pytest.approx(2 * t.ppf(0.975, free) * error)
    assert found.first.finding("deferred_share", score="msr").value == pytest.approx(deferred_first.mean())
