"""``about.yaml``: what is read, what counts as empty, what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from primum.auditing.study import LONGEST, Study
from tests.places import ROOT


def test_empty_fields_say_nothing() -> None:
    given = {
        "intended_use": "  ",
        "funding": None,
        "external_test": "",
        "dates": 2019,
        "readers": " two\n readers ",
    }
    assert Study.parse(given).reported() == {"dates": "2019", "readers": "two readers"}


def test_a_file_as_people_write_it(tmp_path: Path) -> None:
    file = tmp_path / "about.yaml"
    file.write_text(
        "dates: 2019-01-07\nexternal_test: yes\nsetting: >\n  two\n  clinics\n", encoding="utf-8-sig"
    )
    said = Study.read(file).reported()
    assert said == {"dates": "2019-01-07", "external_test": True, "setting": "two clinics"}
    file.write_text("# nothing yet\n")
    assert Study.read(file).reported() == {}


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ({"intended_usr": "x"}, ["unknown key 'intended_usr'", "did you mean 'intended_users'?"]),
        ({"zzz": "x"}, ["unknown key 'zzz'", "intended_use"]),
        ({1: "x"}, ["unknown key '1'"]),
        ({"readers": ["a", "b"]}, ["'readers' should be text"]),
        ({"readers": True}, ["'readers' should be text", "True"]),
        ({"external_test": "perhaps"}, ["'external_test' should be yes or no", "'perhaps'"]),
        ({"dates": "d" * (LONGEST + 1)}, ["'dates' takes at most 2000 characters, 2001 arrived"]),
        (["a"], ["lines such as"]),
        ("text", ["lines such as"]),
    ],
)
def test_refusals(content: Any, texts: list[str], refused: Callable[..., None]) -> None:
    refused(lambda: Study.parse(content), "about", *texts)


def test_refused_files_are_named(tmp_path: Path, refused: Callable[..., None]) -> None:
    refused(lambda: Study.read(tmp_path / "none.yaml"), "none.yaml", "no such file")
    file = tmp_path / "about.yaml"
    for content in (b"dates: [", b"dates: a\n\tb: c"):
        file.write_bytes(content)
        refused(lambda: Study.read(file), "about.yaml", "not valid YAML")
    file.write_bytes(b"\xff\xfe\x00")
    refused(lambda: Study.read(file), "about.yaml", "a byte of another encoding")


def test_the_longest_text_is_taken() -> None:
    assert len(Study.parse({"dates": "d" * LONGEST}).reported()["dates"]) == LONGEST


def test_every_field_is_documented_twice_and_the_example_is_read() -> None:
    documented = (ROOT / "docs" / "formats.md").read_text()
    for field in Study.model_fields:
        assert f"`{field}`" in documented
        assert re.search(rf"\b{field}\b", Study.__doc__ or "")
    said = Study.read(ROOT / "examples" / "about.yaml").reported()
    assert said["external_test"] is False
    assert "funding" not in said
