"""The section on several members: what it says, and that no name gets out of its place."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from primum.judge.sections.content import Sections
from primum.report.page import _environment
from primum.report.sections import members as section
from tests.auditing.sections.written import members

HOSTILE = "<b>&\"'</script>{{7*7}}"


def typed(content: Any) -> Any:
    return Sections.from_dict({"members": content}).members


def content(count: int = 2, classes: int = 3, n: int = 60, audited: bool = False, name: str = "m") -> Any:
    rng = np.random.default_rng(0)
    labels = np.arange(n) % classes
    given = np.where(rng.random((count, n)) < 0.7, labels, (labels + 1) % classes)
    names = [f"{name}{at}" for at in range(count)]
    found = members(
        labels, given, names, [f"{name} class {k}" for k in range(classes)],
        audited=("whole", labels) if audited else None,
    )  # fmt: skip
    return json.loads(json.dumps(found))


def page(given: Any, prefix: str = "") -> str:
    template = '{% import "sections/members.html.jinja" as s %}{{ s.section(view, "") }}'
    return str(_environment().from_string(template).render(view=section.of(typed(given), prefix)))


def test_it_says_who_is_right_and_shows_every_count() -> None:
    given = content()
    text = page(given).replace("\N{NO-BREAK SPACE}", " ")
    pair = given["pairs"][0]
    assert f"The two members give different answers to {pair['differ']} of 60 cases" in text
    assert f"m0 alone is right in {pair['first_right']}, m1 alone in {pair['second_right']}" in text
    assert f"Both are wrong in {given['none_right']['count']}." in text
    for row in given["rows"]:
        assert f"{row['name']}, n = {row['n']}" in text
        for one in row["members"]:
            assert f"only it right: {one['only_right']}" in text
    assert 'id="members"' in text
    assert 'id="second-members"' in page(given, "second-")


def test_the_audited_table_is_a_column_of_its_own() -> None:
    assert ">whole<" in page(content(audited=True))
    assert ">whole<" not in page(content())


def test_members_that_agree() -> None:
    labels = np.arange(20) % 2
    found = members(labels, np.stack([labels, labels]), ["a", "b"], ["x", "y"])
    text = page(found)
    assert "same answer to every case" in text
    assert "no such case" in text


@pytest.mark.parametrize("count", [2, 3, 6])
def test_pictures_hold_the_pairs_that_differ_most(count: int) -> None:
    given = content(count)
    view = section.of(typed(given), "")
    drawn = json.loads(str(view["pictures"][0].spec))
    shown = len(drawn["data"][0]["y"])
    assert shown == min(len(given["pairs"]), section.MOST_PAIRS)
    totals = np.sum([bar["x"] for bar in drawn["data"]], axis=0)
    assert totals.tolist() == sorted((pair["differ"] for pair in given["pairs"]), reverse=True)[:shown]
    assert len(view["pairs"]) == count * (count - 1) // 2


def test_many_classes_are_cut_to_those_that_tell_members_apart() -> None:
    view = section.of(typed(content(classes=60, n=600)), "")
    assert len(view["strengths"].rows) == section.MOST_ROWS + 1
    assert view["hidden"] == 60 - section.MOST_ROWS
    assert "36 further classes" in page(content(classes=60, n=600))


def test_no_name_gets_out_of_its_place() -> None:
    text = page(content(name=HOSTILE))
    assert "<b>&" not in text
    assert "{{7*7}}" in text
    assert text.count("</script>") == 1, "the one that ends the data of the picture"
