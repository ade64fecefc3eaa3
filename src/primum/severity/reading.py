"""Read a severity matrix: a preset that ships with primum, a YAML file, or a matrix in CSV."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

from primum.core import check, delimited, documents, files
from primum.core.check import InputError
from primum.severity.matrix import SeverityMatrix, cells, class_names, square

KEYS = ("classes", "groups", "cost", "critical", "defer", "unit", "source", "name")


def from_dict(content: Mapping[str, Any], name: str) -> SeverityMatrix:
    """Read the fields of a severity file (``docs/formats.md``); ``name`` is used in messages.

    >>> from_dict({"classes": ["a", "b"], "cost": [[0, 1], [4, 0]], "critical": [["b", "a"]]}, "mine.yaml")
    SeverityMatrix('mine.yaml', a, b, 1 critical cells)
    """
    unknown = [str(key) for key in content if key not in KEYS]
    if unknown:
        raise InputError(f"{name}: unknown key {unknown[0]!r}{check.nearest(unknown[0], KEYS)}")
    if content.get("cost") is None:
        raise InputError(f"{name}: a severity file needs 'cost', a K×K list or three levels with 'groups'")
    texts: dict[str, Any] = {"name": name, "defer": content.get("defer")}
    texts |= {key: str(content[key]) for key in ("unit", "source") if content.get(key) is not None}
    classes = content.get("classes")
    order = None if classes is None else class_names(classes, f"{name}: classes")
    critical = content.get("critical") or []
    if not isinstance(critical, list | tuple):
        raise InputError(f"{name}: critical must be a list of [true, predicted] pairs, {critical!r} arrived")
    if content.get("groups") is not None:
        for key in ("groups", "cost"):
            if not isinstance(content[key], Mapping):
                raise InputError(f"{name}: with groups, '{key}' must be names with values, as in the presets")
        matrix = SeverityMatrix.from_groups(content["groups"], content["cost"], critical, order, **texts)
    else:
        if isinstance(content["cost"], Mapping):
            raise InputError(f"{name}: levels of cost need 'groups', the super-classes they stand between")
        labels = check.class_names(order or (), name)
        cost = square(content["cost"], len(labels), name)
        matrix = SeverityMatrix(labels, cost, cells(critical, labels, name), **texts)
    return matrix if content.get("name") is None else replace(matrix, name=str(content["name"]))


def presets() -> tuple[str, ...]:
    """Names of the severity matrices that ship with primum."""
    folder = resources.files("primum.severity") / "presets"
    return tuple(sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".yaml")))


def read(file_or_preset: str | Path) -> SeverityMatrix:
    """Read a severity matrix from a preset name, a YAML file, or a CSV matrix with class names around it.

    >>> read("chest_xray").classes
    ('NORMAL', 'PNEUMONIA')

    Raises:
        InputError: for a name that is neither, or a file that holds no severity matrix.
    """
    path, shipped = Path(file_or_preset), presets()
    preset = path.stem if path.suffix in ("", ".yaml") and path.parent == Path() else ""
    if preset in shipped and not path.is_file():
        packaged = resources.files("primum.severity") / "presets" / f"{preset}.yaml"
        return from_dict(documents.yaml_values(packaged.read_text(encoding="utf-8"), preset), preset)
    if not path.suffix and not path.exists():
        raise InputError(
            f"severity {str(path)!r} is neither a file nor a preset ({', '.join(shipped)})"
            f"{check.nearest(str(path), shipped)}"
        )
    files.existing(path, "a severity file (YAML or CSV)")
    content = delimited.content(path, "a severity file (YAML or CSV)")
    if path.suffix.lower() in (".csv", ".tsv", ".txt"):
        return _from_csv(content, path.name)
    loaded = documents.yaml_values(content, path.name)
    if not isinstance(loaded, dict):
        raise InputError(f"{path}: a severity file needs keys such as 'classes' and 'cost'")
    return from_dict(loaded, path.name)


def _from_csv(content: str, name: str) -> SeverityMatrix:
    body, separator = delimited.table(content)
    try:
        lines = list(csv.reader(body.splitlines(), delimiter=separator))
    except csv.Error:
        raise InputError(f"{name}: a severity matrix in CSV was expected, this is not CSV") from None
    rows = [row for row in lines if any(cell.strip() for cell in row)]
    columns = [cell.strip() for cell in rows[0][1:]] if rows else []
    titles = [row[0].strip() for row in rows[1:]]
    if titles != columns:
        raise InputError(
            f"{name}: the first row and the first column must hold the same class names, in one order; "
            f"{len(columns)} columns and {len(titles)} rows arrived"
        )
    cost = square([[_number(cell, name) for cell in row[1:]] for row in rows[1:]], len(titles), name)
    return SeverityMatrix(tuple(columns), cost, name=name)


def _number(cell: str, name: str) -> float:
    """A cost, with a decimal point or comma."""
    text = cell.strip()
    try:
        return float(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    except ValueError:
        raise InputError(
            f"{name}: every cost must be a number, {text[:40] or 'an empty cell'!r} arrived; write one in "
            "each cell"
        ) from None
