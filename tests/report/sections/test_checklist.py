"""The section of the checklist: counts, words for every status, and no user's text out of its place."""

from __future__ import annotations

import re
from typing import Any

from primum.report.content import read as content_of
from primum.report.page import _environment
from primum.report.sections import checklist
from tests.report.test_page import HOSTILE, Reader, words_of

ITEM = {"source": "LIST", "reference": "Someone, 2024", "topic": "Data", "asks": "who it was"}


def entry(status: str, number: str, said: list[str], supply: str, **changed: Any) -> dict[str, Any]:
    where = ["about.yaml"] * len(said)
    return {
        **ITEM,
        "item": number,
        "status": status,
        "said": said,
        "where": where,
        "how_to_supply": supply,
        **changed,
    }


CONTENT = {
    "checklist": [
        entry("reported", "1", ["First.", "Second."], ""),
        entry("partly", "2", ["Some."], "dates in about.yaml", topic="Purpose"),
        entry("not_reported", "3", [], "readers in about.yaml", topic="Elsewhere"),
        entry("not_reported", "4", [], "a column sex"),
    ],
    "partitions": {
        "test": {
            "n": 8,
            "patients": None,
            "classes": {"well": 6, "sick": 2},
            "characteristics": [
                {"column": "age", "kind": "people", "missing": 1, "median": 50.0, "low": 40.0, "high": 61.5},
                {"column": "sex", "kind": "people", "missing": 0, "values": {"f": 7, "m": 1}, "others": 0},
            ],
        },
        "fit": {"n": 4, "patients": 3, "classes": {"well": 4, "sick": 0}, "characteristics": []},
    },
}


def view_of(audit: dict[str, Any], prefix: str) -> dict[str, Any]:
    part = content_of({"curves": {"checklist": audit.get("checklist")}, "settings": audit})
    return checklist.of(part.sections.checklist, part.settings.partitions, prefix)


def page(content: dict[str, Any], prefix: str = "") -> str:
    template = _environment().from_string(
        '{% import "sections/checklist.html.jinja" as checklist %}{{ checklist.section(view, prefix) }}'
    )
    return template.render(view=view_of(content, prefix), prefix=prefix)


def test_counts_and_topics_in_order() -> None:
    view = view_of(CONTENT, "a-")
    assert view["id"] == "a-checklist"
    assert [(one["text"], one["n"]) for one in view["counts"]] == [
        ("reported", 1),
        ("partly", 1),
        ("not reported", 2),
    ]
    assert [(one["name"], one["summary"]) for one in view["topics"]] == [
        ("Purpose", "1 partly"),
        ("Data", "1 reported, 1 not reported"),
        ("Elsewhere", "1 not reported"),
    ]
    assert sum(len(one["items"]) for one in view["topics"]) == view["total"] == 4


def test_the_page_says_every_status_in_words_and_folds() -> None:
    said = words_of(page(CONTENT))
    assert re.search(r"Of 4 items: 1 reported 1 partly 2 not reported", said)
    for text in (
        "Who it was",
        "LIST 1",
        "First. (about.yaml)",
        "dates in about.yaml",
        "a column sex",
        "Someone, 2024",
    ):
        assert text in said
    tags = [tag for tag, _ in Reader(page(CONTENT)).tags]
    assert tags.count("details") == tags.count("summary") == 4
    heads = [attrs.get("data-head") for tag, attrs in Reader(page(CONTENT)).tags if tag == "td"]
    assert heads.count("What is known") == 4


def test_partitions_side_by_side() -> None:
    table = view_of(CONTENT, "")["partitions"]
    assert table["columns"] == ["judged", "fitted on"]
    assert dict(table["rows"]) == {
        "Cases": ["8", "4"],
        "Patients": ["not known", "3"],
        "Class well": ["6 (75%)", "4 (100%)"],
        "Class sick": ["2 (25%)", "0 (0%)"],
        "age, median (quartiles)": ["50 (40 to 61.5)", "–"],
        "age: missing": ["1 (12%)", "–"],
        "sex: f": ["7 (88%)", "–"],
        "sex: m": ["1 (12%)", "–"],
    }


def test_without_a_checklist_the_page_says_so() -> None:
    said = words_of(page({}))
    assert "No checklist was filled" in said
    assert "Partitions" not in said


def test_text_of_a_user_stays_text() -> None:
    hostile = {"checklist": [entry("partly", "1", [HOSTILE], HOSTILE)], "partitions": {}}
    assert "img" not in [tag for tag, _ in Reader(page(hostile)).tags]
    assert "{{7*7}}" in words_of(page(hostile))
