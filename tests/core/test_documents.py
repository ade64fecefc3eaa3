"""YAML and JSON beyond what is meant are refused in one sentence, soon, and without much memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from primum.core import documents
from tests.fuzz.mutations import BOMB

Refused = Callable[..., None]

ODD_YAML = {
    "a: !!int abc": "a whole number was expected in line 1, 'abc' arrived",
    "a: 1\nb: !!float x": "a number was expected in line 2",
    "a: !!bool maybe": "true or false was expected",
    "a: !!timestamp x": "a date was expected",
    "a: 2026-02-30": "a date was expected in line 1, '2026-02-30' arrived; put text in quotes",
    "a: 2026-01-01 25:61:61": "a date was expected",
    "a: " + "9" * 5000: "a whole number was expected in line 1, '9999",
    "a: " + "9" * 20: "has more than 64 bits",
    "a: 0x" + "f" * 60: "has more than 64 bits",
    "[" * 3000 + "]" * 3000: "at most 50 levels were expected, line 1 has more",
    "{a: " * 3000 + "1" + "}" * 3000: "at most 50 levels",
    "- " * 3000 + "a": "at most 50 levels",
    BOMB: "at most 3,000,000 values were expected",
    "&a [*a]": "stands within what it names",
    "a: &b {c: *b}": "stands within what it names",
    "a: *nowhere": "this is not valid YAML",
    "a: !!binary aGk=": "plain values were expected, line 1 has the tag !!binary",
    "a: !!set {b}": "the tag !!set",
    "a: !!python/object/apply:os.getcwd []": "tag !!python/object/apply:os.getcwd",
    'a: "\\ud800"': "holds half a character",
    "a: 1\na: 2": "the key 'a' stands twice, first in line 1",
    "? [1, 2]\n: 3": "a key in line 1 is no text",
    "a: 1\n--- \nb: 2": "this is not valid YAML",
    "a: [b": "this is not valid YAML",
    "\x07": "this is not valid YAML",
    "<<: 3": "'<<' takes KEY: VALUE lines, line 1 has another",
}


@pytest.mark.parametrize("text", ODD_YAML, ids=lambda text: text[:20].encode("unicode_escape").decode())
def test_odd_yaml_is_refused(text: str, refused: Refused) -> None:
    began = time.monotonic()
    refused(lambda: documents.yaml_values(text, "a.yaml"), "a.yaml: ", ODD_YAML[text])
    assert time.monotonic() - began < 10


def test_plain_yaml_is_read_as_ever() -> None:
    text = (
        "base: &b {x: 1, y: .inf}\nown:\n  <<: *b\n  x: 2\nlist: [*b, *b]\nday: 2026-02-28\nnone: ~\nt: '1'\n"
    )
    values = documents.yaml_values(text, "a.yaml")
    assert values["own"] == {"x": 2, "y": float("inf")}
    assert values["list"] == [values["base"]] * 2
    assert (str(values["day"]), values["none"], values["t"]) == ("2026-02-28", None, "1")
    assert documents.yaml_values("", "a.yaml") is None


def test_a_merged_mapping_may_be_merged_again() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b\n  <<: *a\n  x: 2\nc:\n  <<: *b\n  y: 3\nd:\n  <<: *b\n"
    values = documents.yaml_values(text, "a.yaml")
    assert values["c"] == {"x": 2, "y": 3}
    assert values["d"] == {"x": 2, "y": 1}


ODD_JSON = {
    "[" * 100_000: "levels",
    "9" * 5000: "more than 64 bits",
    '{"a": NaN}': "NaN is no JSON",
    '{"a": -Infinity}': "-Infinity is no JSON",
    '"\\ud800"': "half a character",
    '{"a": ': "this is not valid JSON",
    "": "this is not valid JSON",
}


@pytest.mark.parametrize("text", ODD_JSON, ids=lambda text: text[:20])
def test_odd_json_is_refused(text: str, refused: Refused) -> None:
    refused(lambda: documents.json_values(text, "a.json"), "a.json: ", ODD_JSON[text])


def test_plain_json_is_read_as_ever() -> None:
    assert documents.json_values('{"a": [1, -2.5, "\\ud83d\\ude00", null]}', "a.json") == {
        "a": [1, -2.5, "😀", None]
    }


def test_other_encodings_and_large_files_are_refused(
    tmp_path: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(b"a: 1\nb: \xff")
    refused(lambda: documents.read_yaml(file, "limits"), "limits in UTF-8", "line 2 holds a byte")
    file.write_bytes(b"\xef\xbb\xbfa: 1")
    assert documents.read_yaml(file, "limits") == {"a": 1}
    monkeypatch.setattr(documents, "LARGEST_YAML", 2**20)
    file.write_bytes(b"#" * (3 * 2**20))
    refused(lambda: documents.read_yaml(file, "limits"), "at most 1 MiB was expected, 3 MiB arrived")
