"""What a bench of scores runs: data sets × networks × seeds, and the shifts each network meets."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from primum.bench.plan import content_of, data_section, keys, named, seeds_of
from primum.bench.scores.shifts import Shift, Variant
from primum.core import bounds, check
from primum.core.check import InputError
from primum.model.recipe import Recipe

KEYS = (
    "name", "data", "networks", "training", "seeds", "passes", "confidnet", "deep_gamblers", "scores",
    "reference",
)  # fmt: skip
SHIFTED = ("corruptions", "leave_out", "elsewhere")
PLAIN, GAMBLERS = "cross-entropy", "deep-gamblers"
IID, FIT = Shift("iid", "test"), Shift("fit", "cal")
LEVELS = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Run:
    """One training of a bench of scores.

    Attributes:
        data, network: what the bench file calls them.
        variant: what was left out of the training, or None.
        loss: ``cross-entropy`` or ``deep-gamblers``.
        seed: of the training.
        recipe: what is trained.
        severity: preset or file the data set is judged by.
        shifts: what the network is asked about, :data:`FIT` (its calibration rows) first.
    """

    data: str
    network: str
    variant: Variant | None
    loss: str
    seed: int
    recipe: Recipe
    severity: str
    shifts: tuple[Shift, ...]

    @property
    def folder(self) -> Path:
        """Where the run lies, relative to the folder of the bench."""
        variant = "whole" if self.variant is None else f"without-{self.variant.slug}"
        return Path("runs", self.data, self.network, variant, self.loss, f"seed-{self.seed}")

    @property
    def setting(self) -> tuple[str, str]:
        """Data set and network: what scores are compared within."""
        return self.data, self.network

    @property
    def drops(self) -> bool:
        """Whether the network has dropout, so that it can be asked many times."""
        return bool(self.recipe.network.dropout or self.recipe.network.trunk_dropout)

    def stored(self, out: Path, shift: Shift) -> Path:
        """Where the answers about a shift lie."""
        return out / self.folder / "scores" / f"{shift.slug}.parquet"


@dataclass(frozen=True)
class Plan:
    """A bench of scores, whole.

    Attributes:
        name: of the bench.
        runs: every training.
        passes: S of MC dropout, 0 for none.
        scores: names of the scores to compare, or None for all.
        reference: the score the others are held against, or None: mcd_msr where there is one, else msr.
    """

    name: str
    runs: tuple[Run, ...]
    passes: int
    scores: tuple[str, ...] | None
    reference: str | None

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
        InputError: for an unknown key, data set, corruption or score (with the nearest name), or a wrong
            value.
    """
    return plan(*content_of(path), root)


def plan(content: Any, where: str, root: Path | None = None) -> Plan:
    """Build a plan from plain values; ``where`` is used in messages. Raises InputError."""
    keys(content, KEYS, where)
    data, networks = (named(content.get(key), key, where) for key in ("data", "networks"))
    seeds, passes = (
        seeds_of(content.get("seeds", [0, 1, 2]), where),
        _passes(content.get("passes", 50), where),
    )
    wanted, reference = _scores(content, where)
    losses = {PLAIN: {"name": "cross_entropy"}}
    if content.get("deep_gamblers") is not None:
        losses[GAMBLERS] = {"name": "deep_gamblers", **_section(content, "deep_gamblers", where)}
    beside = {} if content.get("confidnet") is None else {"confidnet": _section(content, "confidnet", where)}
    runs: list[Run] = []
    for (called, given), (network, built) in itertools.product(data.items(), networks.items()):
        here = f"{where}, {called} × {network}"
        entry = {key: value for key, value in given.items() if key not in SHIFTED}
        source, judged_by = data_section(entry, root, here)
        for variant, shifts in _variants(given, source, here):
            section = source if variant is None else source | {"leave_out": variant.section}
            for (loss, own), seed in itertools.product(losses.items(), seeds):
                recipe = Recipe.parse(
                    {
                        "name": f"{called}-{network}-{loss}", "data": section, "network": built,
                        "loss": {**own, "severity": judged_by}, "training": content.get("training", {}),
                        "seed": seed, **(beside if loss == PLAIN else {}),
                    }, here,
                )  # fmt: skip
                runs.append(Run(called, network, variant, loss, seed, recipe, judged_by, shifts))
    return Plan(str(content.get("name", Path(where).stem)), tuple(runs), passes, wanted, reference)


def _variants(
    given: Mapping[str, Any], source: Mapping[str, Any], where: str
) -> list[tuple[Variant | None, tuple[Shift, ...]]]:
    """What is trained on one data set, each with the shifts its network meets."""
    whole = [FIT, IID, *_corruptions(given.get("corruptions"), where), *_elsewhere(given, source, where)]
    variants = _left_out(given.get("leave_out"), where)
    of_variants = [(one, (FIT, IID, Shift("left_out", one.name))) for one in variants]
    return [(None, tuple(whole)), *of_variants]


def _corruptions(given: Any, where: str) -> list[Shift]:
    if given is None:
        return []
    from primum.data.corruptions import CORRUPTIONS

    if not isinstance(given, dict) or set(given) - {"names", "intensities"} or not _some(given.get("names")):
        raise InputError(
            f"{where}: 'corruptions' is {{names: [motion_blur, …], intensities: [1, 2, 3, 4, 5]}}, "
            f"{given!r} arrived"
        )
    levels = given.get("intensities", list(LEVELS))
    if not _some(levels) or any(type(level) is not int or level not in LEVELS for level in levels):
        raise InputError(f"{where}: 'intensities' are whole numbers from 1 to 5, {levels!r} arrived")
    names = [check.one_of(str(name), tuple(CORRUPTIONS), f"{where}: corruption") for name in given["names"]]
    pairs = itertools.product(dict.fromkeys(names), sorted(set(levels)))
    return [Shift("corruption", name, level) for name, level in pairs]


def _left_out(given: Any, where: str) -> list[Variant]:
    if given is None:
        return []
    single = isinstance(given, list) and all(isinstance(one, dict) and len(one) == 1 for one in given)
    if not single:
        raise InputError(
            f"{where}: 'leave_out' is a list of columns with one value each, such as [{{site: rosendahl}}, "
            f"{{dx: bkl}}], {given!r} arrived"
        )
    found = [
        Variant(str(column), tuple(sorted(map(str, value if isinstance(value, list) else [value]))))
        for one in given
        for column, value in one.items()
    ]
    if not all(one.values for one in found):
        raise InputError(f"{where}: 'leave_out' needs a value for every column, an empty list arrived")
    if len({one.slug for one in found}) != len(found):
        raise InputError(f"{where}: 'leave_out' names a value twice, or two that read alike as folders")
    return found


def _elsewhere(given: Mapping[str, Any], source: Mapping[str, Any], where: str) -> list[Shift]:
    from primum.data.sets import LOADERS

    names = given.get("elsewhere") or []
    if not isinstance(names, list):
        raise InputError(f"{where}: 'elsewhere' is a list of data sets, {names!r} arrived")
    for name in names:
        check.one_of(str(name), tuple(LOADERS), f"{where}: data set elsewhere")
        if name == source.get("name"):
            raise InputError(f"{where}: 'elsewhere' names {name}, the data set the networks are trained on")
    return [Shift("elsewhere", str(name)) for name in dict.fromkeys(names)]


def _scores(content: Mapping[str, Any], where: str) -> tuple[tuple[str, ...] | None, str | None]:
    """The scores to compare, None for all, and the one they are held against."""
    from primum.judge.confidence import RANKED

    given, reference = content.get("scores"), content.get("reference")
    if given is not None and not _some(given):
        raise InputError(f"{where}: 'scores' is a list of names, {given!r} arrived")
    wanted = None if given is None else tuple(dict.fromkeys(str(name) for name in given))
    for name in wanted or ():
        check.one_of(name, RANKED, f"{where}: score")
    if reference is not None:
        check.one_of(str(reference), wanted or RANKED, f"{where}: reference")
    return wanted, None if reference is None else str(reference)


def _passes(given: Any, where: str) -> int:
    if type(given) is not int or not 0 <= given <= bounds.PASSES or given == 1:
        raise InputError(f"{where}: 'passes' is a whole number from 2, or 0 for none, {given!r} arrived")
    return given


def _section(content: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    if not isinstance(content[key], dict):
        raise InputError(f"{where}: {key!r} needs keys and values (or {{}}), {content[key]!r} arrived")
    return dict(content[key])


def _some(given: Any) -> bool:
    return isinstance(given, list) and bool(given)
