"""Sections of a bench file that both benches read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from primum import severity
from primum.core import bounds, check, documents
from primum.core.check import InputError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
Section = Mapping[str, Any]  # of a YAML file: whatever its author wrote
Setting = tuple[str, str]  # data set and network: what is compared with one another


def read_file(path: Path | str) -> object:
    """Plain values of a bench file; refuses what is not YAML."""
    return documents.read_yaml(path, "a bench (YAML)")


def check_keys(content: object, allowed: Sequence[str], where: str) -> Section:
    """The content of a bench file; refuses what is no mapping, or holds another key than the allowed ones."""
    if not isinstance(content, dict):
        raise InputError(f"{where}: a bench needs keys such as {check.shorten(allowed)}")
    for key in content:
        check.one_of(str(key), allowed, f"{where}: key")
    return content


def read_entries(section: object, key: str, where: str) -> dict[str, Section]:
    """The named entries of a section; refuses names that cannot be folders.

    >>> read_entries({"tiny": {"name": "resnet10t"}}, "networks", "bench.yaml")
    {'tiny': {'name': 'resnet10t'}}
    """
    if not isinstance(section, dict) or not section:
        raise InputError(f"{where}: {key!r} must name at least one entry, as 'NAME: {{…}}' lines")
    for name, entry in section.items():
        if not NAME.fullmatch(str(name)):
            raise InputError(
                f"{where}: {key} are called by letters, digits, '.', '_' and '-', since runs lie in folders "
                f"of that name; {name!r} arrived"
            )
        if not isinstance(entry, dict):
            raise InputError(f"{where}: {key} {name!r} needs keys and values, {entry!r} arrived")
    return {str(name): entry for name, entry in section.items()}


def read_data(entry: Section, root: Path | None, where: str) -> tuple[dict[str, object], str]:
    """A recipe's data section, and the severity the data set is judged by."""
    from primum.data.sets import LOADERS

    source: dict[str, object] = dict(entry)
    if "severity" not in source:
        raise InputError(f"{where}: the data set needs 'severity', a preset or a file it is judged by")
    preset = str(source.pop("severity"))
    matrix = severity.read(preset)
    if not matrix.critical.any():
        raise InputError(
            f"{where}: severity {preset} has no critical cells, so there is no critical error rate to "
            "compare; add 'critical' to it"
        )
    if "name" in source:
        check.one_of(str(source["name"]), tuple(LOADERS), f"{where}: data set")
    if root is not None and source.get("root") is None:
        source["root"] = root
    return source, preset


def read_seeds(values: object, where: str) -> list[int]:
    """The seeds of a bench file; refuses repeated ones.

    >>> read_seeds([0, 1], "bench.yaml")
    [0, 1]
    """
    if not isinstance(values, list) or not values or len({str(seed) for seed in values}) != len(values):
        raise InputError(f"{where}: 'seeds' is a list of different whole numbers from 0, {values!r} arrived")
    return [bounds.seed(seed, f"{where}: 'seeds'") for seed in values]
