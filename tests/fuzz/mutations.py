"""Changes of valid inputs that keep most of their structure, so that they reach deep."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import polars as pl
import yaml

ODD: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1e308,
    -0.0,
    math.nan,
    math.inf,
    -math.inf,
    10**9,
    10**18,
    -(2**63),
    "",
    " ",
    "x",
    "NaN",
    "1e999",
    "2026-02-30",
    "null",
    "\x1b[31mred\x07",
    "a\u202eb",
    "ü" * 40,
    "x" * 2000,
    [],
    {},
    [[]],
    [None],
    {"a": {"b": []}},
    [1, 2, 3],
    ["a", "a"],
    {"": 1},
    "../../etc/passwd",
    "/dev/null",
    "<img src=x>",
    "{{7*7}}",
    "line\nbreak",
]
RAW_YAML = (
    "!!int abc",
    "!!float x",
    "!!bool maybe",
    "!!timestamp x",
    "!!timestamp 2026-02-30",
    "!!binary x",
    "!!set {a}",
    "!!python/object/apply:os.getcwd []",
    "9" * 5000,
    "[" * 3000 + "]" * 3000,
    "{a: " * 3000 + "}" * 3000,
    "2026-02-30",
    "2026-13-01 25:61:61",
    "1:2:3",
    "0o777",
    "0x" + "f" * 60,
    "&a [*a]",
    "*nowhere",
    '"\\ud800"',
    "? [1, 2]\n: 3",
    "<<: 3",
    "- a\nb: c",
    "%YAML 9.9\n---",
    "a: 1\na: 2",
    "\t- x",
    "'",
)
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
)


NAMES = ("x", "", "label2", "prob_", "logit_x", "score_", "passes", "logits")


def change(path: Path, rng: Random) -> str:
    """Change a file, or put something else in its place; what was done, in a few words."""
    kinds: dict[str, list[Callable[[Path, Random], str]]] = {
        ".yaml": [in_yaml, in_yaml, in_yaml, raw_yaml],
        ".json": [in_json, in_json, raw_json],
        ".csv": [in_text, in_text, in_frame, encoding],
        ".parquet": [in_frame, in_frame, in_frame, in_bytes],
        ".npz": [in_arrays, in_arrays, in_bytes, claims],
    }
    chosen = rng.choice([*kinds.get(path.suffix, [in_bytes]) * 4, in_bytes, cut, replaced])
    return f"{path.name}: {chosen(path, rng)}"


def in_yaml(path: Path, rng: Random) -> str:
    text = path.read_text(errors="replace")
    try:
        content = None if "&" in text else yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, AttributeError, KeyError, RecursionError):
        content = None
    if content is None:  # changed before, into a bomb perhaps
        return "nothing"
    content, told = in_values(content, rng)
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
    return told


def in_json(path: Path, rng: Random) -> str:
    try:
        content = json.loads(path.read_text(errors="replace"))
    except (ValueError, RecursionError):  # changed before
        return "nothing"
    content, told = in_values(content, rng)
    path.write_text(json.dumps(content))
    return told


def in_values(content: Any, rng: Random) -> tuple[Any, str]:
    """Plain values with one of them changed, removed, renamed or doubled."""
    places: list[tuple[Any, Any]] = []

    def walk(values: Any) -> None:
        for key, value in values.items() if isinstance(values, dict) else enumerate(values):
            places.append((values, key))
            if isinstance(value, dict | list):
                walk(value)

    if not isinstance(content, dict | list) or not content:
        return rng.choice(ODD), "whole replaced"
    walk(content)
    if rng.random() < 0.05:
        return rng.choice(ODD), "whole replaced"
    values, key = rng.choice(places)
    what = rng.choice(("replace", "replace", "replace", "remove", "rename", "wrap", "swap"))
    if what == "remove":
        del values[key]
    elif what == "rename" and isinstance(values, dict):
        values[f"{key}x"] = values.pop(key)
    elif what == "wrap":
        values[key] = [values[key]]
    elif what == "swap":
        other, at = rng.choice(places)
        values[key] = other[at] if not isinstance(other[at], dict | list) else rng.choice(ODD)
    else:
        values[key] = rng.choice(ODD)
    return content, f"{what} at {str(key)[:20]}"


def raw_yaml(path: Path, rng: Random) -> str:
    """A value of YAML's own kinds, or a bomb, in place of a value or at the end."""
    lines = path.read_text(errors="replace").splitlines() or [""]
    if rng.random() < 0.2:
        path.write_text(BOMB)
        return "bomb of aliases"
    raw = rng.choice(RAW_YAML)
    at = rng.randrange(len(lines))
    head, colon, _ = lines[at].partition(":")
    lines[at] = f"{head}: {raw}" if colon else raw
    path.write_text("\n".join(lines) + "\n")
    return f"raw {raw[:20]!r} in line {at + 1}"


def raw_json(path: Path, rng: Random) -> str:
    raw = rng.choice(
        ("[" * 100_000, "9" * 5000, "NaN", '"\\ud800"', "{", "1e999", '{"a":1,"a":2}', "\ufeff{}")
    )
    path.write_text(raw)
    return f"raw {raw[:10]!r}"


def in_text(path: Path, rng: Random) -> str:
    """Text of a table with one line or cell changed."""
    lines = path.read_text(errors="replace").splitlines() or [""]
    at = rng.randrange(len(lines))
    what = rng.choice(
        ("drop header", "cell", "cell", "double", "cut line", "quote", "separator", "only header")
    )
    if what == "drop header":
        lines = lines[1:]
    elif what == "only header":
        lines = lines[:1]
    elif what == "cell":
        cells = lines[at].split(",")
        cells[rng.randrange(len(cells))] = str(rng.choice(ODD))
        lines[at] = ",".join(cells)
    elif what == "double":
        lines.insert(at, lines[at])
    elif what == "cut line":
        lines[at] = lines[at][: len(lines[at]) // 2]
    elif what == "quote":
        lines[at] = '"' + lines[at]
    else:
        lines = [line.replace(",", rng.choice(";\t|,,")) for line in lines]
    path.write_text("\n".join(lines) + "\n")
    return what


def encoding(path: Path, rng: Random) -> str:
    text = path.read_text(errors="replace") + "ü\n"
    name = rng.choice(("utf-16", "latin-1", "utf-8-sig", "utf-32"))
    path.write_bytes(text.encode(name, errors="replace"))
    return name


def in_frame(path: Path, rng: Random) -> str:
    """A table with one column of other values, another type, another name, or none."""
    csv = path.suffix == ".csv"
    try:
        frame = pl.read_csv(path, infer_schema_length=None) if csv else pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException):  # changed before
        return "nothing"
    column = rng.choice(frame.columns)
    n = frame.height
    what = rng.choice(("values", "values", "rename", "drop", "null", "one", "type", "rows", "swap", "double"))
    if what == "rename":
        frame = frame.drop(set(NAMES) - {column}, strict=False).rename({column: rng.choice(NAMES)})
    elif what == "drop":
        frame = frame.drop(column)
    elif what == "rows":
        frame = frame.head(rng.choice((0, 1, 2, 3)))
    elif what == "double":
        frame = pl.concat([frame, frame])
    elif what == "swap":
        other = rng.choice(frame.columns)
        frame = frame.with_columns(frame[other].alias(column))
    else:
        some = {
            "values": lambda: [
                rng.choice(ODD) if rng.random() < 0.1 else value for value in frame[column].to_list()
            ],
            "null": lambda: [None] * n,
            "one": lambda: [rng.choice((0, 1, "x", 1.0, True))] * n,
            "type": lambda: rng.choice(
                ([[1.0, 2.0]] * n, [{"a": 1}] * n, [b"\xff"] * n, [[]] * n, list(range(n)))
            ),
        }[what]()
        try:
            changed = pl.Series(column, some, strict=False)
        except (TypeError, OverflowError, pl.exceptions.PolarsError):
            changed = pl.Series(column, dtype=pl.Object)
        plain = changed.dtype != pl.Object
        frame = frame.with_columns(changed if plain else pl.Series(column, [str(value) for value in some]))
    if csv:
        nested = [name for name, kind in frame.schema.items() if kind.is_nested() or kind == pl.Binary]
        frame.with_columns(pl.Series(name, map(str, frame[name])) for name in nested).write_csv(path)
    else:
        frame.write_parquet(path)
    return f"{what} of {column[:20]}"


def in_arrays(path: Path, rng: Random) -> str:
    """An archive with one array of another shape, type or name."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except Exception:  # changed before, in whatever way
        return "nothing"
    name = rng.choice(list(arrays))
    array = arrays[name]
    what = rng.choice(
        ("scalar", "shape", "empty", "nan", "text", "complex", "object", "drop", "rename", "half", "bool")
    )
    changed: dict[str, Callable[[], Any]] = {
        "scalar": lambda: np.array(3.0),
        "shape": lambda: array.reshape(1, -1),
        "empty": lambda: array[:0],
        "nan": lambda: np.full(array.shape, np.nan),
        "text": lambda: array.astype(str),
        "complex": lambda: np.full(array.shape, 1j),
        "object": lambda: np.array([object()] * 3, dtype=object),
        "half": lambda: array[: len(array) // 2],
        "bool": lambda: np.ones(array.shape, bool),
    }
    if what == "drop":
        del arrays[name]
    elif what == "rename":
        arrays["x"] = arrays.pop(name)
    else:
        arrays[name] = changed[what]()
    np.savez(path, **arrays)
    return f"{what} of {name}"


def claims(path: Path, rng: Random) -> str:
    """A header that claims more rows than the file holds."""
    raw = path.read_bytes()
    at = raw.find(b"'shape': (")
    if at < 0:
        return "no claim"
    end = raw.index(b")", at)
    claim = rng.choice((b"9" * 12 + b",", b"9" * (end - at - 11) + b",", b"-1,", b"0,"))
    grown = b"'shape': (" + claim.ljust(end - at - 10)[: max(end - at - 10, 1)]
    path.write_bytes(raw[:at] + grown[: end - at] + raw[end:])
    return "claim of more rows"


def in_bytes(path: Path, rng: Random) -> str:
    raw = bytearray(path.read_bytes())
    for _ in range(rng.choice((1, 4, 32))):
        if raw:
            raw[rng.randrange(len(raw))] = rng.randrange(256)
    path.write_bytes(bytes(raw))
    return "bytes"


def cut(path: Path, rng: Random) -> str:
    raw = path.read_bytes()
    path.write_bytes(raw[: rng.randrange(len(raw) + 1)])
    return "cut"


def replaced(path: Path, rng: Random) -> str:
    """Something else than a file in its place; never a device."""
    path.unlink()
    what = rng.choice(("nothing", "folder", "pipe", "loop", "dangling", "empty", "of another kind"))
    if what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "loop":
        path.symlink_to(path.name)
    elif what == "dangling":
        path.symlink_to("nowhere")
    elif what == "empty":
        path.touch()
    elif what == "of another kind":
        path.write_bytes(
            rng.choice((b"%PDF-1.4", b"PK\x03\x04", b"PAR1", b"\x93NUMPY", b"\x80\x04K\x01.", b"\0" * 99))
        )
    return what
