"""What a bench runs: data sets × networks × losses × strengths × seeds, read from YAML."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from primum import severity
from primum.core import bounds, check, documents
from primum.core.check import InputError
from primum.model.recipe import Recipe

REFERENCE = "cross-entropy"
KEYS = ("name", "data", "networks", "losses", "training", "seeds", "reference")
NEEDED = ("data", "networks", "losses")
CALLED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Run:
    """One training of a bench.

    Attributes:
        data, network, loss: what the bench file calls them.
        strength: the values this run takes of the loss's lists, such as ``"strength=10"``; "" without a list.
        seed: of the training.
        recipe: what is trained.
        severity: preset or file the data set is judged by.
    """

    data: str
    network: str
    loss: str
    strength: str
    seed: int
    recipe: Recipe
    severity: str

    @property
    def folder(self) -> Path:
        """Where the run lies, relative to the folder of the bench."""
        parts = (self.data, self.network, self.loss, self.strength, f"seed-{self.seed}")
        return Path("runs", *(part for part in parts if part))

    @property
    def setting(self) -> tuple[str, str]:
        """Data set and network: what losses are compared within."""
        return self.data, self.network


@dataclass(frozen=True)
class Plan:
    """A bench, whole.

    Attributes:
        name: of the bench.
        runs: every training. reference: the loss the others are held against.
    """

    name: str
    runs: tuple[Run, ...]
    reference: str

    @property
    def settings(self) -> list[tuple[str, str]]:
        """Every data set and network, in the order of the file."""
        return list(dict.fromkeys(run.setting for run in self.runs))

    def of(self, setting: tuple[str, str]) -> list[Run]:
        """The runs of one data set and network."""
        return [run for run in self.runs if run.setting == setting]


def read(path: Path | str, root: Path | None = None) -> Plan:
    """Read a bench file (docs/formats.md).

    Args:
        path: YAML.
        root: folder that holds the data sets whose entry names no ``root`` of its own.

    Raises:
        InputError: for an unknown key, data set or loss (with the nearest name), a wrong value, or names
            that cannot be folders.
    """
    return plan(*content_of(path), root)


def content_of(path: Path | str) -> tuple[Any, str]:
    """Plain values of a bench file, and what it is called in messages; refuses what is not YAML."""
    return documents.read_yaml(path, "a bench (YAML)"), str(path)


def plan(content: Any, where: str, root: Path | None = None) -> Plan:
    """Build a plan from plain values; ``where`` is used in messages. Raises InputError."""
    keys(content, KEYS, where)
    parts = {key: named(content.get(key), key, where) for key in NEEDED}
    seeds = seeds_of(content.get("seeds", [0, 1, 2]), where)
    reference = str(content.get("reference", REFERENCE))
    if "reference" not in content and reference not in parts["losses"]:
        raise InputError(
            f"{where}: the other losses are held against {reference} unless 'reference' says otherwise, "
            f"and no loss has that name; add 'reference: {next(iter(parts['losses']))}' or such a loss"
        )
    check.one_of(reference, tuple(parts["losses"]), f"{where}: reference")
    runs = []
    for (data, shown), (network, built), (loss, given) in itertools.product(
        *(p.items() for p in parts.values())
    ):
        here = f"{where}, {data} × {network} × {loss}"
        source, judged_by = data_section(shown, root, here)
        for strength, values in candidates(given):
            section = {"severity": judged_by, **values}
            for seed in seeds:
                recipe = Recipe.parse(
                    {
                        "name": f"{data}-{network}-{loss}", "data": source, "network": built, "loss": section,
                        "training": content.get("training", {}), "seed": seed,
                    }, here,
                )  # fmt: skip
                runs.append(Run(data, network, loss, strength, seed, recipe, judged_by))
    if len(list(candidates(parts["losses"][reference]))) > 1:
        raise InputError(f"{where}: the reference {reference} must be one loss, it has a list of strengths")
    return Plan(str(content.get("name", Path(where).stem)), tuple(runs), reference)


def keys(content: Any, known: Sequence[str], where: str) -> None:
    """Refuse what is no mapping, or holds another key than the known ones."""
    if not isinstance(content, dict):
        raise InputError(f"{where}: a bench needs keys such as {check.shorten(known)}")
    for key in content:
        check.one_of(str(key), known, f"{where}: key")


def candidates(loss: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Every choice among a loss's lists: its label, and the section with one value each."""
    lists = {key: value for key, value in loss.items() if isinstance(value, list)}
    found = []
    for values in itertools.product(*lists.values()):
        chosen = dict(zip(lists, values, strict=True))
        found.append((",".join(f"{key}={value}" for key, value in chosen.items()), {**loss, **chosen}))
    return found


def named(section: Any, key: str, where: str) -> dict[str, dict[str, Any]]:
    """The named entries of a bench file's section; refuses names that cannot be folders."""
    if not isinstance(section, dict) or not section:
        raise InputError(f"{where}: {key!r} must name at least one entry, as 'NAME: {{…}}' lines")
    for name, entry in section.items():
        if not CALLED.fullmatch(str(name)):
            raise InputError(
                f"{where}: {key} are called by letters, digits, '.', '_' and '-', since runs lie in folders "
                f"of that name; {name!r} arrived"
            )
        if not isinstance(entry, dict):
            raise InputError(f"{where}: {key} {name!r} needs keys and values, {entry!r} arrived")
    return {str(name): entry for name, entry in section.items()}


def data_section(given: Mapping[str, Any], root: Path | None, where: str) -> tuple[dict[str, Any], str]:
    """A recipe's data section, and the severity the data set is judged by."""
    from primum.data.sets import LOADERS

    source = dict(given)
    if "severity" not in source:
        raise InputError(f"{where}: the data set needs 'severity', a preset or a file it is judged by")
    judged_by = str(source.pop("severity"))
    matrix = severity.read(judged_by)
    if not matrix.critical.any():
        raise InputError(
            f"{where}: severity {judged_by} has no critical cells, so there is no critical error rate to "
            "compare; add 'critical' to it"
        )
    if "name" in source:
        check.one_of(str(source["name"]), tuple(LOADERS), f"{where}: data set")
    if root is not None and source.get("root") is None:
        source["root"] = root
    return source, judged_by


def seeds_of(given: Any, where: str) -> Sequence[int]:
    """The seeds of a bench file; refuses repeated ones."""
    if not isinstance(given, list) or not given or len({str(seed) for seed in given}) != len(given):
        raise InputError(f"{where}: 'seeds' is a list of different whole numbers from 0, {given!r} arrived")
    return [bounds.seed(seed, f"{where}: 'seeds'") for seed in given]
