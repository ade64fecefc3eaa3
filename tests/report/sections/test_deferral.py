"""The deferral section: what it says of a policy, and that it stands with whatever is missing."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from primum import tables
from primum.auditing.options import options
from primum.auditing.policy.application import apply
from primum.auditing.policy.description import describe, names
from primum.auditing.policy.fit import fit
from primum.auditing.policy.rows import scored
from primum.auditing.policy.terms import StatedReader
from primum.auditing.preparation import prepare
from primum.judge.deferral.costs import Reader
from primum.judge.recalibration.recalibrators import unchanged
from primum.judge.sections.content import Sections
from primum.report import page
from primum.report.sections import deferral as section
from primum.tables.selection import select
from tests.auditing.policy.made import ASKED
from tests.auditing.sections.written import deferral
from tests.conftest import made_table

HOSTILE = "</script><img src=x onerror=alert(1)>"


def typed(content: Any) -> Any:
    return Sections.from_dict({"deferral": content}).deferral


def content(*asked: str, severity: str | None = "phantom", split: bool = True) -> dict[str, Any]:
    made = made_table(1200, skill=3.5)
    read = tables.read(made if split else made.drop("split"), name="table")
    opts = options(read.classes, "table", severity)
    prepared = prepare(select(read), opts)
    fitted = [fit(made, severity, **ASKED[name]) for name in asked]
    policies = []
    for name, policy in zip(names(fitted), fitted, strict=True):
        applied = apply(policy, prepared.test)
        policies.append(describe(applied, name, applied.findings(opts.severity, StatedReader(0.5))))

    def answers(rows: Any) -> Any:
        return (
            None if rows is None else scored(rows, "argmax", "none", unchanged, opts.severity, opts.critical)
        )

    both = answers(prepared.test), answers(prepared.rows.fit)
    found = deferral(prepared.view, both[0], both[1], Reader(0.5) if severity else None, policies)
    return dict(json.loads(json.dumps(found, allow_nan=False)))


def rendered(shown: dict[str, Any], prefix: str = "") -> str:
    template = page._environment().from_string(
        '{% from "sections/deferral.html.jinja" import section %}{{ section(view, prefix) }}'
    )
    return template.render(view=section.of(typed(shown), prefix), prefix=prefix)


def words_of(text: str) -> str:
    found: list[str] = []
    reader = HTMLParser()
    reader.handle_data = found.append  # type: ignore[method-assign]
    reader.feed(re.sub(r"<script.*?</script>", "", text, flags=re.S))
    return " ".join(" ".join(found).replace("\N{NO-BREAK SPACE}", " ").split())


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    return content(*ASKED)


def test_it_says_what_each_policy_promises_and_achieved(whole: dict[str, Any]) -> None:
    said = words_of(rendered(whole))
    assert said.count("When should the model stay silent?") == 1
    for text in (
        "At most 18 % deferred · msr", "accept at or above", "defer every case", "certified",
        "with 95 % confidence, at most 10 % of accepted critical cases are critical errors".capitalize(),
        "not certifiable with n = ", "site A", "Critical cases accepted", "Share deferred",
        "A reader cost of 0.5 a case", "The numbers: a reader who costs nothing",
        "Thresholds come from the fit rows",
    ):  # fmt: skip
        assert text in said, text
    for policy in whole["policies"]:
        for note in policy["notes"]:
            assert note[:1].upper() + note[1:] in said


def test_every_policy_has_a_row_of_its_own(whole: dict[str, Any]) -> None:
    shown = section.of(typed(whole), "")
    names = [one["name"] for one in shown["policies"]]
    assert len(set(names)) == len(ASKED)
    assert [row.name for row in shown["achieved"].rows] == names


def test_policies_of_an_audit_without_names_keep_rows_of_their_own(whole: dict[str, Any]) -> None:
    first = {key: value for key, value in whole["policies"][0].items() if key != "name"}
    shown = section.of(typed({**whole, "policies": [first] * 3}), "")
    names = [one["name"] for one in shown["policies"]]
    assert len(set(names)) == 3
    assert [row.name for row in shown["achieved"].rows] == names


def test_ids_are_its_own_and_carry_the_prefix(whole: dict[str, Any]) -> None:
    ids = re.findall(r'\bid="([^"]*)"', rendered(whole, "second-"))
    assert len(ids) == len(set(ids))
    assert all(one.startswith("second-") for one in ids)


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        ({}, "No failure-cost curve was drawn"),
        (lambda: content(severity=None), "100 % is the number of errors"),
        (lambda: content(split=False), "thresholds are read from these rows themselves, which flatters them"),
        (lambda: content(), "No policy was given"),
    ],
)
def test_it_stands_with_what_is_missing(shown: Any, text: str) -> None:
    assert text in words_of(rendered(shown() if callable(shown) else shown))


def test_no_text_gets_out_of_its_place(whole: dict[str, Any]) -> None:
    hostile = json.loads(json.dumps(whole))
    hostile["scores"][0]["score"] = hostile["policies"][0]["score"] = HOSTILE
    hostile["policies"][0]["notes"] = [HOSTILE]
    hostile["policies"][0]["fit"]["name"] = HOSTILE
    assert "<img src=x" not in rendered(hostile)
