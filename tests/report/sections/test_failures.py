"""The section of the failures: counts, case studies, what was missing, and no text out of its place."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from primum.judge.failures.taxonomy import taxonomy
from primum.judge.sections.content import Sections
from primum.report.page import _environment
from primum.report.sections import failures as section
from tests.auditing.sections.written import failures
from tests.judge.failures.made import made
from tests.places import DOCS
from tests.report.test_page import HOSTILE, PIXEL, Reader, ids, words_of


def typed(content: Any) -> Any:
    return Sections.from_dict({"failures": content}).failures


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    arguments, _ = made()
    found = taxonomy(**arguments)
    critical = (arguments["labels"] == 2) & (arguments["predicted"] != 2)
    names = [f"case-{number}" for number in range(600)]
    return failures(found, ("a", "b", "c"), names, critical=critical, paths=[f"{name}.png" for name in names])


def page(content: dict[str, Any], prefix: str = "", images: Path | None = None) -> str:
    text = '{% from "sections/failures.html.jinja" import section %}{{ section(view, prefix) }}'
    view = section.of(typed(content), prefix, images)
    return _environment().from_string(text).render(view=view, prefix=prefix)


def test_it_says_how_many_of_each_kind_and_what_to_do(content: dict[str, Any]) -> None:
    said = words_of(page(content))
    assert f"Of {content['failures']} wrong answers" in said
    for one in content["categories"]:
        if one["n"]:
            assert one["advice"] in said
            assert f"{one['n']} failure" in said
    assert "hypotheses for a reader" in said
    assert "marker = True" in said
    assert "Not looked at. Map energy off the lesion: needs maps and lesion masks" in said


def test_three_studies_of_each_kind_with_pictures_from_the_folder_alone(
    content: dict[str, Any], tmp_path: Path
) -> None:
    for row in content["rows"]:
        (tmp_path / row["path"]).write_bytes(PIXEL)
    reader = Reader(page(content, images=tmp_path))
    shown = [attrs for tag, attrs in reader.tags if tag == "img"]
    expected = sum(min(3, one["n"]) for one in content["categories"])
    assert len(shown) == expected
    assert all(str(attrs["src"]).startswith("data:image/png") for attrs in shown)
    assert not [tag for tag, _ in Reader(page(content)).tags if tag == "img"]


def test_bars_are_the_counts(content: dict[str, Any]) -> None:
    reader = Reader(page(content, "left-"))
    assert len(reader.data) == 1
    drawn = json.loads(reader.data[0])
    totals = [sum(values) for values in zip(*(trace["x"] for trace in drawn["data"]), strict=True)]
    assert totals == [one["n"] for one in content["categories"]]
    assert all(name.startswith("left-") for name in ids(reader))
    assert len(set(ids(reader))) == len(ids(reader))


def test_no_failure_is_said_calmly(content: dict[str, Any]) -> None:
    none = copy.deepcopy(content) | {"failures": 0, "rows": []}
    for one in none["categories"]:
        one |= {"n": 0, "critical": 0, "share": None, "low": None, "high": None}
    said = words_of(page(none))
    assert "None of 600 cases was answered wrongly." in said
    assert words_of(page({})).strip()


def test_users_text_stays_text(content: dict[str, Any]) -> None:
    hostile = copy.deepcopy(content)
    for row in hostile["rows"]:
        row |= {"id": HOSTILE, "label": HOSTILE, "predicted": HOSTILE, "sentence": HOSTILE}
    for pull in hostile["pulls"]:
        pull |= {"column": HOSTILE, "value": HOSTILE, "towards": HOSTILE}
    tags = {tag for tag, attrs in Reader(page(hostile)).tags if "onerror" in attrs or (tag == "b" and attrs)}
    assert tags <= {"b"}
    assert "<img src=x" not in page(hostile)
    assert "{{7*7}}" in words_of(page(hostile))


def test_the_share_of_right_names_it_tells_is_the_one_that_was_measured(content: dict[str, Any]) -> None:
    docs = DOCS / "failures.md"
    measured = next(line for line in docs.read_text().splitlines() if line.startswith("| any name |"))
    told = re.search(r"(\d+) of 100 names .* (\d+) with a weaker one", words_of(page(content)))
    assert told is not None
    assert [f"0.{share}" for share in told.groups()] == re.findall(r"\| (0\.\d+)", measured)
