"""YAML and JSON as people and programs write them, read with limits on size, depth and what aliases make."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NoReturn

import yaml

from primum.core import files
from primum.core.check import InputError

LARGEST_YAML = 64 * 2**20  # bytes: a policy knows a million fit rows by their hashes
LARGEST_JSON = 2**30
MOST_NODES = 3_000_000  # values with those that aliases repeat: a severity of 1,000 classes has 1,000,000
DEEPEST = 50
LONGEST_INTEGER = 2**63
TAGS = ("str", "int", "float", "bool", "null", "seq", "map", "timestamp", "merge")
KEEP = frozenset(f"tag:yaml.org,2002:{tag}" for tag in TAGS)
SURROGATE = re.compile("[\ud800-\udfff]")


def read_yaml(path: Path | str, noun: str) -> Any:
    """Plain values of a YAML file; ``noun`` is what it should be, for the sentence.

    Raises InputError for what is not a file, not UTF-8, not YAML, or beyond a limit of this module.
    """
    place = files.existing(path, noun)
    return yaml_values(_text(place, noun, LARGEST_YAML), place.name)


def yaml_values(text: str, where: str) -> Any:
    """Plain values of YAML text: mappings, lists, text, numbers, dates, true, false and null.

    >>> yaml_values("classes: [benign, malignant]", "study.yaml")
    {'classes': ['benign', 'malignant']}

    Raises:
        InputError: for text that is not YAML, a key that stands twice, a tag of another kind, a value that is
            not what its tag says, integers beyond 64 bits, more than 50 levels, more than 3 million values
            (those an alias repeats count again), and aliases within what they name.
    """
    try:
        loader = _Loader(text, where)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise InputError(f"{where}: this is not valid YAML ({_reason(error)})") from None
    except RecursionError:
        raise InputError(f"{where}: at most {DEEPEST} levels were expected, more arrived") from None


def read_json(path: Path | str, noun: str) -> Any:
    """Plain values of a JSON file; ``noun`` is what it should be, for the sentence.

    Raises InputError for what is not a file, not UTF-8, not JSON, or beyond a limit of this module.
    """
    place = files.existing(path, noun)
    return json_values(_text(place, noun, LARGEST_JSON), place.name)


def json_values(text: str, where: str) -> Any:
    """Plain values of JSON text.

    Raises InputError for text that is not JSON, NaN and infinity (which JSON has no word for), integers
    beyond 64 bits, and more levels than Python can follow.

    >>> json_values('{"seed": 3}', "study.json")
    {'seed': 3}
    """
    try:
        content = json.loads(text, parse_int=_integer, parse_constant=_constant)
        # only an escape can bring half a character in: the text itself was read as UTF-8
        if "\\ud" in text or "\\uD" in text:
            json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InputError(f"{where}: text holds half a character (a lone surrogate); write it again") from None
    except ValueError as error:
        raise InputError(f"{where}: this is not valid JSON ({error})") from None
    except RecursionError:
        raise InputError(f"{where}: fewer levels were expected, thousands arrived") from None
    return content


class _Loader(yaml.SafeLoader):
    """The safe loader, counting values and levels while it reads, before anything is made of them."""

    def __init__(self, text: str, where: str) -> None:
        super().__init__(text)
        self.where = where
        self.nodes = self.depth = 0
        self.sizes: dict[str, int] = {}
        self.merged: set[int] = set()

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            if event.anchor in self.anchors and event.anchor not in self.sizes:
                raise InputError(f"{self.where}: the alias in line {line} stands within what it names")
            # an alias costs what it repeats: nine levels of nine are a billion values in a kilobyte
            self.nodes += self.sizes.get(event.anchor or "", 0)
            self._limited(line)
            return super().compose_node(parent, index)
        before = self.nodes
        self.nodes += 1
        self.depth += 1
        self._limited(line)
        node = super().compose_node(parent, index)
        self.depth -= 1
        if event.anchor is not None:
            self.sizes[event.anchor] = self.nodes - before
        return node

    def _limited(self, line: int) -> None:
        if self.depth > DEEPEST:
            raise InputError(f"{self.where}: at most {DEEPEST} levels were expected, line {line} has more")
        if self.nodes > MOST_NODES:
            raise InputError(
                f"{self.where}: at most {MOST_NODES:,} values were expected, by line {line} there are more "
                "(aliases repeat what they name)"
            )

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
        line = node.start_mark.line + 1
        if node.tag.startswith("tag:yaml.org,2002:") and node.tag not in KEEP:
            tag = node.tag.removeprefix("tag:yaml.org,2002:")
            raise InputError(
                f"{self.where}: plain values were expected, line {line} has the tag !!{tag[:60]}"
            )
        try:
            value = super().construct_object(node, deep)
        except (ValueError, TypeError, AttributeError, KeyError, OverflowError):
            tag = node.tag.rpartition(":")[2]
            excerpt = node.value[:40] if isinstance(node, yaml.ScalarNode) else "several values"
            raise InputError(
                f"{self.where}: {WORDS.get(tag, tag)} was expected in line {line}, {excerpt!r} arrived; "
                "put text in quotes"
            ) from None
        if type(value) is int and not -LONGEST_INTEGER <= value < LONGEST_INTEGER:
            raise InputError(f"{self.where}: the whole number in line {line} has more than 64 bits")
        if isinstance(value, str) and SURROGATE.search(value):
            raise InputError(f"{self.where}: the text in line {line} holds half a character; write it again")
        return value

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Put in what ``<<`` merges: own keys count before merged ones, and those before later ones.

        The library's own way takes the first of two values of a merged mapping that itself merges one.
        """
        if id(node) in self.merged:
            return
        self.merged.add(id(node))
        pairs: dict[tuple[str, str], tuple[yaml.Node, yaml.Node]] = {}
        merging: list[yaml.Node] = []
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                line = key.start_mark.line + 1
                raise InputError(f"{self.where}: a key in line {line} is no text; write KEY: VALUE lines")
            if key.tag.endswith(":merge"):
                merging += value.value if isinstance(value, yaml.SequenceNode) else [value]
                continue
            if (key.tag, key.value) in pairs:
                line = pairs[key.tag, key.value][0].start_mark.line + 1
                raise InputError(
                    f"{self.where}: the key {key.value[:40]!r} stands twice, first in line {line}; keep one"
                )
            pairs[key.tag, key.value] = key, value
        for mapping in merging:
            if not isinstance(mapping, yaml.MappingNode):
                line = mapping.start_mark.line + 1
                raise InputError(f"{self.where}: '<<' takes KEY: VALUE lines, line {line} has another")
            self.flatten_mapping(mapping)
            for key, value in mapping.value:
                pairs.setdefault((key.tag, key.value), (key, value))
        node.value = list(pairs.values())


WORDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "timestamp": "a date",
    "null": "nothing",
    "seq": "a list",
    "map": "KEY: VALUE lines",
    "str": "text",
    "merge": "KEY: VALUE lines",
}


def _text(place: Path, noun: str, largest: int) -> str:
    size = place.stat().st_size
    if size > largest:
        raise InputError(
            f"{place}: {noun} of at most {largest // 2**20} MiB was expected, {size // 2**20} MiB arrived"
        )
    try:
        # Windows programs begin UTF-8 with a byte order mark
        return place.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputError(
            f"{place}: {noun} in UTF-8 was expected, line {line} holds a byte of another encoding; save "
            "it as UTF-8"
        ) from None


def _integer(digits: str) -> int:
    # int() of long digits takes quadratic time, so they are counted first
    if len(digits) > 20 or not -LONGEST_INTEGER <= int(digits) < 2 * LONGEST_INTEGER:
        raise ValueError("a whole number of more than 64 bits")
    return int(digits)


def _constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


def _reason(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
    return problem if mark is None else f"{problem}, line {mark.line + 1}"
