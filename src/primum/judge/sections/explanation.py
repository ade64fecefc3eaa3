"""What the network looked at: how still the maps hold, and whether that says anything of errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, SerializerFunctionWrapHandler, WrapSerializer

Quartiles = Sequence[float]  # lower quartile, median, upper quartile
AMOUNTS = ("turn", "right", "down", "brightness", "contrast", "noise")


@dataclass(frozen=True, kw_only=True)
class Change:
    """A mild change of the images, and the maps after it.

    Attributes:
        name: in words. turn: degrees. right, down: shares of the side. brightness, contrast: factors.
        noise: standard deviation. Each is None where it stays as it was, and then not in the JSON.
        n: maps compared. answer_changed: share of the images. measures: name → quartiles of the likeness with
            the map of the unchanged image, or None.
    """

    name: str
    turn: float | None = None
    right: float | None = None
    down: float | None = None
    brightness: float | None = None
    contrast: float | None = None
    noise: float | None = None
    n: int | None = None
    answer_changed: float | None = None
    measures: Mapping[str, Quartiles | None]


def _amounts(change: Change, fields: SerializerFunctionWrapHandler) -> dict[str, object]:
    written: dict[str, object] = fields(change)
    return {name: value for name, value in written.items() if name not in AMOUNTS or value is not None}


@dataclass(frozen=True, kw_only=True)
class Untrained:
    """The maps beside those of an untrained network of the same architecture.

    Attributes:
        n: maps compared. attempts: maps asked for. measures: as of :class:`Change`.
        closer_than_own: share of maps no closer to themselves after a change, or None.
    """

    n: int = 0
    attempts: Annotated[int, Field(alias="asked")] = 0
    measures: Mapping[str, Quartiles | None]
    closer_than_own: float | None = None


@dataclass(frozen=True, kw_only=True)
class Lesion:
    """Quartiles over n cases with a mask: energy of the map on the lesion, its area, energy over area."""

    n: int
    energy: Quartiles
    area: Quartiles
    focus: Quartiles


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Stability of the maps of right answers, wrong answers or critical errors.

    Attributes:
        outcome: ``right``, ``wrong`` or ``critical``. n: maps that show something.
        spearman: quartiles, None without a case. masked: cases with a mask. focus: quartiles, or None.
    """

    outcome: str
    n: int
    spearman: Quartiles | None = None
    masked: int = 0
    focus: Quartiles | None = None


@dataclass(frozen=True, kw_only=True)
class Gain:
    """Gain in failure AUROC by the instability of explanations; fields as of a finding."""

    score: str | None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    why: str = ""
    verdict: str = "not_judged"


@dataclass(frozen=True, kw_only=True)
class CaseStudy:
    """One case with its map. title: why it is here. confidence, spearman: of its answer and its map."""

    title: Annotated[str, Field(alias="what")]
    id: str
    label: str
    predicted: str
    critical: bool
    confidence: float
    spearman: float
    map_path: str | None = None
    answer_kept: float | None = None
    lesion_energy: float | None = None
    lesion_area: float | None = None


@dataclass(frozen=True, kw_only=True)
class ExplanationSection:
    """What ``primum explain`` measured, and what it says of errors.

    Attributes:
        method, layer, grid: of the maps. n: maps. blank: maps that show nothing.
        changes, untrained, lesion: as measured on all maps. outcomes: right, wrong, critical.
        beyond: gains beyond confidence. studies: up to three cases.
    """

    method: str | None = None
    layer: str | None = None
    grid: Sequence[int] | None = None
    n: int | None = None
    blank: int | None = None
    changes: Sequence[Annotated[Change, WrapSerializer(_amounts)]] = ()
    untrained: Untrained | None = None
    lesion: Lesion | None = None
    outcomes: Sequence[Outcome] = ()
    beyond: Sequence[Gain] = ()
    studies: Sequence[CaseStudy] = ()
