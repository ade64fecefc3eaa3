"""A policy file: read back as it was, readable, and refused in one sentence when it is not one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from primum.auditing.policy.document import ORDER, Policy
from primum.auditing.policy.fit import fit
from primum.auditing.policy.terms import Promise
from primum.core import hashes
from tests.auditing.policy.made import ASKED
from tests.conftest import made_table

TABLE = made_table(500, skill=3.0)


def fitted(name: str = "capacity") -> Policy:
    return fit(TABLE, "phantom", **ASKED[name])


@pytest.mark.parametrize("name", ASKED)
def test_both_ways(name: str, tmp_path: Path) -> None:
    policy = fitted(name)
    policy.to_yaml(tmp_path / "p.yaml")
    assert Policy.read(tmp_path / "p.yaml") == policy
    assert set(policy.to_dict()) - {"attainable"} == {"schema", *ORDER}
    about_all = policy.promise is not None and policy.promise.denominator == "all"
    assert bool(policy.attainable) == about_all


def test_a_file_from_before_tries_were_counted_is_read() -> None:
    known = fitted("certified")
    older = {key: value for key, value in known.to_dict().items() if key not in ("tried", "attainable")}
    older["fit"] = {key: value for key, value in older["fit"].items() if "units" not in key}
    assert Policy.from_dict(older) == replace(
        known, tried=(), attainable=(), fit=replace(known.fit, units=None, deferred_units=None)
    )


def test_it_is_small_and_names_nobody(tmp_path: Path) -> None:
    text = fitted().to_yaml()
    assert "direction: accept at or above" in text
    hashes = re.compile(r"[A-Za-z0-9+/=]{32,}")  # in which anything may stand by chance
    assert not re.search(r"case-\d|\bp\d", hashes.sub("", text))
    without = {line for line in text.splitlines() if "_hashes" not in line}
    assert sum(len(line) for line in without) < 2500
    row_hashes = fitted().fit.row_hashes
    assert len(row_hashes) == 8 * fitted().fit.n


@pytest.mark.parametrize(
    ("promise", "said"),
    [
        (
            Promise(denominator="accepted", unit="case"),
            "with 95 % confidence, at most 2 % of accepted critical cases are critical errors",
        ),
        (
            Promise(alpha=0.05, denominator="all", unit="one"),
            "with 95 % confidence, at most 5 % of all critical cases are accepted critical errors, "
            "one case per patient",
        ),
        (
            Promise("expected_cost", 0.1, 0.1, denominator="accepted", unit="worst"),
            "with 90 % confidence, the mean cost of patients with an accepted case is at most 10 % of the "
            "largest cost, each patient's worst",
        ),
    ],
)  # fmt: skip
def test_the_promise_in_words(promise: Promise, said: str) -> None:
    assert promise.said == said


def test_hashes_know_their_own_and_nobody_else() -> None:
    packed = hashes.packed(["a", "b", "c"], "key")
    assert hashes.count(packed) == 3
    assert hashes.shared(packed, ["c", "x", "a"], "key") == 2
    assert hashes.shared(packed, ["a", "b", "c"], "other key") == 0
    assert hashes.count("no base64!") == hashes.count("AAAA") == -1


def changed(**fields: Any) -> dict[str, Any]:
    return {**fitted().to_dict(), **fields}


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ([1], ("a policy of schema primum.policy/1 was expected",)),
        ({"schema": "primum.audit/1"}, ("a policy of schema",)),
        (changed(scor="msr"), ("unknown field 'scor'", "did you mean 'score'")),
        ({k: v for k, v in changed().items() if k != "fit"}, ("the field 'fit' is missing",)),
        (changed(kind="best"), ("'kind'", "'best' arrived")),
        (
            changed(thresholds={"all": {"threshold": "high", "deferred_share": 0}}),
            ("threshold", "'high' arrived"),
        ),
    ],
)  # fmt: skip
def test_what_is_no_policy_is_refused(
    content: Any, texts: tuple[str, ...], refused: Callable[..., None]
) -> None:
    refused(lambda: Policy.from_dict(content, "p.yaml"), "p.yaml", *texts)


def test_unreadable_files_are_refused(tmp_path: Path, refused: Callable[..., None]) -> None:
    refused(lambda: Policy.read(tmp_path / "none.yaml"), "a policy (YAML)", "no such file")
    (tmp_path / "bad.yaml").write_text("a: [")
    refused(lambda: Policy.read(tmp_path / "bad.yaml"), "not valid YAML")


def test_damaged_hashes_are_refused(refused: Callable[..., None]) -> None:
    for name, damage in {
        "row_hashes": lambda text: text[8:],
        "patient_hashes": lambda text: f"{text}!!",
    }.items():
        content = fitted().to_dict()
        content["fit"][name] = damage(content["fit"][name])
        refused(
            lambda content=content: Policy.from_dict(content, "p.yaml"), "p.yaml", f"fit.{name}", "damaged"
        )


DAMAGED = {
    "counts of foreign classes": ("fit", "counts", {"nobody": 3}, "fit.counts"),
    "no threshold": ("thresholds", None, {}, "thresholds"),
    "a threshold that is no number": (
        "thresholds", None, {"all": {"threshold": float("nan"), "deferred_share": 0}}, "thresholds",
    ),
    "thresholds of groups without a column": (
        "thresholds", None, {"A": {"threshold": 0.5, "deferred_share": 0}}, "thresholds",
    ),
    "critical cells of foreign classes": ("critical", None, [["nobody", "melanoma"]], "critical"),
    "more cleared than there is": (
        "attainable", None, [{"alpha": 0.1, "cleared": 1.2, "deferred_share": 0.1}], "attainable",
    ),
    "one class": ("classes", None, ["melanoma"], "at least two classes"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_fields_that_do_not_fit_each_other_are_refused(name: str, refused: Callable[..., None]) -> None:
    content, (first, second, value, says) = fitted().to_dict(), DAMAGED[name]
    if second is None:
        content[first] = value
    else:
        content[first][second] = value
    refused(lambda: Policy.from_dict(content, "p.yaml"), "p.yaml", says)


def test_groups_have_no_single_threshold(refused: Callable[..., None]) -> None:
    refused(lambda: fitted("groups").threshold, "a threshold for each site")


def test_yaml_holds_what_no_threshold_is(tmp_path: Path) -> None:
    policy = fitted("not-certifiable")
    assert yaml.safe_load(policy.to_yaml())["thresholds"]["all"]["threshold"] == float("inf")
    assert policy.verdict == "not_certifiable"
    assert policy.notes[0].startswith("not certifiable with n = ")
