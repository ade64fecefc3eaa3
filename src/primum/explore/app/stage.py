"""A scene with what was computed once at the start; nothing in it follows a user, so all may share it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any, TypedDict

import numpy as np
import polars as pl

from primum.auditing.policy.document import Policy
from primum.core.arrays import Integers, Singles
from primum.explore import clusters
from primum.explore.projection import Projection
from primum.explore.scene import Scene

MOST_NAMED = 60
COMPUTING = Lock()
Case = Mapping[str, Any]  # a row of ``Scene.cases``, or of a table with some of its columns, by column
Focus = TypedDict("Focus", {"domain": str, "class": str, "cluster": int})  # names a cluster


class Point(TypedDict):
    """A point of a figure as a browser sends it; ``customdata`` is the row of its case."""

    customdata: int


class Click(TypedDict):
    """What was clicked in a figure, or caught with a lasso."""

    points: list[Point]


@dataclass(frozen=True, eq=False)
class Stage:
    """One scene on stage.

    Attributes:
        number: of the scene, from 0; stands in addresses of pictures.
        scene: what is shown.
        projections: dimensions (2, 3) → positions of the cases.
        policy: answers the question "accept or defer" for a new image; default the operating threshold.
    """

    number: int
    scene: Scene
    projections: Mapping[int, Projection]
    policy: Policy | None = None

    @property
    def cases(self) -> pl.DataFrame:
        """One row per point."""
        return self.scene.cases

    @property
    def domains(self) -> tuple[str, ...]:
        """Names of the domains, in order."""
        return tuple(domain.name for domain in self.scene.domains)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Further columns worth colouring or grouping by: several values, and few unless they are numbers."""
        names = []
        for name in self.scene.metadata_columns:
            column = self.cases[name]
            distinct = column.n_unique()
            if name in ("path", "map_path", "split") or column.dtype.is_nested() or distinct < 2:
                continue
            if column.dtype.is_numeric() or distinct <= MOST_NAMED:
                names.append(name)
        return tuple(names)

    @cached_property
    def positions(self) -> Mapping[int, Singles]:
        """Dimensions → (N, dimensions) positions, NaN for cases that are not drawn."""
        positions = {}
        for dimensions, projection in self.projections.items():
            xyz = np.full((len(self.scene), dimensions), np.nan, dtype=np.float32)
            xyz[projection.rows] = projection.xyz
            positions[dimensions] = xyz
        return positions

    @cached_property
    def clusters(self) -> pl.DataFrame:
        """Nine clusters per class and domain, computed when they are first asked for."""
        with COMPUTING:
            return clusters.find_clusters(self.scene)

    def members(self, of: Focus) -> Integers:
        """Rows of the cases of one cluster, named by its domain, class and number."""
        table = self.clusters.filter(
            (pl.col("domain") == of["domain"])
            & (pl.col("class") == of["class"])
            & (pl.col("cluster") == of["cluster"])
        )
        return self.scene.rows([key for keys in table["members"] for key in keys])


def at(stages: Sequence[Stage], number: object) -> Stage:
    """The stage a browser asks for; the first where it asks for one that is not here."""
    return stages[number if isinstance(number, int) and 0 <= number < len(stages) else 0]


Finder = Callable[[object], Stage]  # the number a browser sends → the stage, see :func:`at`
