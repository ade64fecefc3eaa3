"""What a bench of losses runs: data sets × networks × losses × strengths × seeds, read from YAML."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

from primum.bench.sections import Section, Setting, check_keys, read_data, read_entries, read_file, read_seeds
from primum.core import check
from primum.core.check import InputError
from primum.model.recipe import Recipe

REFERENCE = "cross-entropy"
KEYS = ("name", "data", "networks", "losses", "training", "seeds", "reference")
NEEDED = ("data", "networks", "losses")


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
    def setting(self) -> Setting:
        """Data set and network: what losses are compared within."""
        return self.data, self.network

    @property
    def candidate(self) -> tuple[str, str]:
        """Loss and strength: what runs of several seeds share."""
        return self.loss, self.strength


@dataclass(frozen=True)
class Plan:
    """A bench: its name, every training, and the loss that every loss is compared with."""

    name: str
    runs: tuple[Run, ...]
    reference: str

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
        InputError: for an unknown key, data set or loss (with the nearest name), a wrong value, or names
            that cannot be folders.
    """
    return build(read_file(path), str(path), root)


def build(content: object, where: str, root: Path | None = None) -> Plan:
    """Build a plan from plain values; ``where`` is used in messages. Raises InputError."""
    content = check_keys(content, KEYS, where)
    data, networks, losses = (read_entries(content.get(key), key, where) for key in NEEDED)
    seeds = read_seeds(content.get("seeds", [0, 1, 2]), where)
    reference = str(content.get("reference", REFERENCE))
    if "reference" not in content and reference not in losses:
        raise InputError(
            f"{where}: the other losses are held against {reference} unless 'reference' says otherwise, "
            f"and no loss has that name; add 'reference: {next(iter(losses))}' or such a loss"
        )
    check.one_of(reference, tuple(losses), f"{where}: reference")
    runs = []
    for (dataset, entry), (network, architecture), (loss, section) in itertools.product(
        data.items(), networks.items(), losses.items()
    ):
        place = f"{where}, {dataset} × {network} × {loss}"
        source, severity = read_data(entry, root, place)
        for strength, values in candidates(section):
            for seed in seeds:
                recipe = Recipe.parse(
                    {
                        "name": f"{dataset}-{network}-{loss}", "data": source, "network": architecture,
                        "loss": {"severity": severity, **values}, "training": content.get("training", {}),
                        "seed": seed,
                    }, place,
                )  # fmt: skip
                runs.append(
                    Run(
                        dataset,
                        network,
                        loss=loss,
                        strength=strength,
                        seed=seed,
                        recipe=recipe,
                        severity=severity,
                    )
                )
    if len(candidates(losses[reference])) > 1:
        raise InputError(f"{where}: the reference {reference} must be one loss, it has a list of strengths")
    return Plan(str(content.get("name", Path(where).stem)), tuple(runs), reference)


def candidates(loss: Section) -> list[tuple[str, dict[str, object]]]:
    """Every choice among a loss's lists: its label, and the section with one value each.

    >>> candidates({"name": "focal", "gamma": [1, 2]})
    [('gamma=1', {'name': 'focal', 'gamma': 1}), ('gamma=2', {'name': 'focal', 'gamma': 2})]
    """
    lists = {key: value for key, value in loss.items() if isinstance(value, list)}
    choices = []
    for values in itertools.product(*lists.values()):
        choice = dict(zip(lists, values, strict=True))
        choices.append((",".join(f"{key}={value}" for key, value in choice.items()), {**loss, **choice}))
    return choices
