"""What a bench of scores runs: data sets × networks × seeds, and the shifts each network meets."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

from primum.bench.scores.shifts import Shift, Variant
from primum.bench.sections import Section, Setting, check_keys, read_data, read_entries, read_file, read_seeds
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
    def setting(self) -> Setting:
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
    """A bench of scores.

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
    def settings(self) -> list[Setting]:
        """Every data set and network, in the order of the file."""
        return list(dict.fromkeys(run.setting for run in self.runs))

    def of(self, setting: Setting) -> list[Run]:
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
    return build(read_file(path), str(path), root)


def build(content: object, where: str, root: Path | None = None) -> Plan:
    """Build a plan from plain values; ``where`` is used in messages. Raises InputError."""
    content = check_keys(content, KEYS, where)
    data, networks = (read_entries(content.get(key), key, where) for key in ("data", "networks"))
    seeds = read_seeds(content.get("seeds", [0, 1, 2]), where)
    passes = _passes(content.get("passes", 50), where)
    scores, reference = _scores(content, where)
    losses: dict[str, dict[str, object]] = {PLAIN: {"name": "cross_entropy"}}
    if content.get("deep_gamblers") is not None:
        losses[GAMBLERS] = {"name": "deep_gamblers", **_section(content, "deep_gamblers", where)}
    confidnet = {}
    if content.get("confidnet") is not None:
        confidnet = {"confidnet": _section(content, "confidnet", where)}
    runs: list[Run] = []
    for (dataset, entry), (network, architecture) in itertools.product(data.items(), networks.items()):
        place = f"{where}, {dataset} × {network}"
        unshifted = {key: value for key, value in entry.items() if key not in SHIFTED}
        source, severity = read_data(unshifted, root, place)
        for variant, shifts in _variants(entry, source, place):
            section = source if variant is None else source | {"leave_out": variant.section}
            for (loss, settings), seed in itertools.product(losses.items(), seeds):
                recipe = Recipe.parse(
                    {
                        "name": f"{dataset}-{network}-{loss}", "data": section, "network": architecture,
                        "loss": {**settings, "severity": severity}, "training": content.get("training", {}),
                        "seed": seed, **(confidnet if loss == PLAIN else {}),
                    }, place,
                )  # fmt: skip
                runs.append(
                    Run(
                        dataset,
                        network,
                        variant=variant,
                        loss=loss,
                        seed=seed,
                        recipe=recipe,
                        severity=severity,
                        shifts=shifts,
                    )
                )
    return Plan(str(content.get("name", Path(where).stem)), tuple(runs), passes, scores, reference)


def _variants(entry: Section, source: Section, where: str) -> list[tuple[Variant | None, tuple[Shift, ...]]]:
    """What is trained on one data set, each with the shifts its network meets."""
    complete = [FIT, IID, *_corruptions(entry.get("corruptions"), where), *_elsewhere(entry, source, where)]
    variants = _left_out(entry.get("leave_out"), where)
    pairs = [(variant, (FIT, IID, Shift("left_out", variant.name))) for variant in variants]
    return [(None, tuple(complete)), *pairs]


def _corruptions(section: object, where: str) -> list[Shift]:
    if section is None:
        return []
    from primum.data.corruptions import CORRUPTIONS

    names = section.get("names") if isinstance(section, dict) else None
    if not isinstance(section, dict) or set(section) - {"names", "intensities"} or not _filled(names):
        raise InputError(
            f"{where}: 'corruptions' is {{names: [motion_blur, …], intensities: [1, 2, 3, 4, 5]}}, "
            f"{section!r} arrived"
        )
    levels = section.get("intensities", list(LEVELS))
    if not _filled(levels) or any(type(level) is not int or level not in LEVELS for level in levels):
        raise InputError(f"{where}: 'intensities' are whole numbers from 1 to 5, {levels!r} arrived")
    names = [check.one_of(str(name), tuple(CORRUPTIONS), f"{where}: corruption") for name in section["names"]]
    pairs = itertools.product(dict.fromkeys(names), sorted(set(levels)))
    return [Shift("corruption", name, level) for name, level in pairs]


def _left_out(section: object, where: str) -> list[Variant]:
    if section is None:
        return []
    if not isinstance(section, list) or not all(
        isinstance(item, dict) and len(item) == 1 for item in section
    ):
        raise InputError(
            f"{where}: 'leave_out' is a list of columns with one value each, such as [{{site: rosendahl}}, "
            f"{{dx: bkl}}], {section!r} arrived"
        )
    variants = [
        Variant(str(column), tuple(sorted(map(str, value if isinstance(value, list) else [value]))))
        for item in section
        for column, value in item.items()
    ]
    if not all(variant.values for variant in variants):
        raise InputError(f"{where}: 'leave_out' needs a value for every column, an empty list arrived")
    if len({variant.slug for variant in variants}) != len(variants):
        raise InputError(f"{where}: 'leave_out' names a value twice, or two that read alike as folders")
    return variants


def _elsewhere(entry: Section, source: Section, where: str) -> list[Shift]:
    from primum.data.sets import LOADERS

    names = entry.get("elsewhere") or []
    if not isinstance(names, list):
        raise InputError(f"{where}: 'elsewhere' is a list of data sets, {names!r} arrived")
    for name in names:
        check.one_of(str(name), tuple(LOADERS), f"{where}: data set elsewhere")
        if name == source.get("name"):
            raise InputError(f"{where}: 'elsewhere' names {name}, the data set the networks are trained on")
    return [Shift("elsewhere", str(name)) for name in dict.fromkeys(names)]


def _scores(content: Section, where: str) -> tuple[tuple[str, ...] | None, str | None]:
    """The scores to compare, None for all, and the one they are held against."""
    from primum.judge.confidence import RANKED

    section, reference = content.get("scores"), content.get("reference")
    if section is not None and not _filled(section):
        raise InputError(f"{where}: 'scores' is a list of names, {section!r} arrived")
    scores = None if section is None else tuple(dict.fromkeys(str(name) for name in section))
    for name in scores or ():
        check.one_of(name, RANKED, f"{where}: score")
    if reference is not None:
        check.one_of(str(reference), scores or RANKED, f"{where}: reference")
    return scores, None if reference is None else str(reference)


def _passes(value: object, where: str) -> int:
    # A single pass has no spread, so that no score over passes could be computed from it.
    if type(value) is not int or not 0 <= value <= bounds.PASSES or value == 1:
        raise InputError(f"{where}: 'passes' is a whole number from 2, or 0 for none, {value!r} arrived")
    return value


def _section(content: Section, key: str, where: str) -> dict[str, object]:
    if not isinstance(content[key], dict):
        raise InputError(f"{where}: {key!r} needs keys and values (or {{}}), {content[key]!r} arrived")
    return dict(content[key])


def _filled(section: object) -> bool:
    return isinstance(section, list) and bool(section)
