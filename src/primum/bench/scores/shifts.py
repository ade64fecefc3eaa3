"""What a network is asked about: its own test rows, and what they become under a shift."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from primum.core.arrays import Integers
from primum.core.check import InputError
from primum.model.recipe import Data

if TYPE_CHECKING:
    from primum.data.images import ImageTable

UNFIT = re.compile(r"[^A-Za-z0-9._=-]+")
SPLIT = {"fit": "cal", "iid": "test", "corruption": "test", "left_out": "shift"}


@dataclass(frozen=True)
class Variant:
    """Values of a column that are left out of training, calibration and test, together.

    >>> Variant("dx", ("bkl",)).name
    'dx=bkl'
    """

    column: str
    values: tuple[str, ...]

    @property
    def name(self) -> str:
        """As it is shown."""
        return f"{self.column}={','.join(self.values)}"

    @property
    def slug(self) -> str:
        """As a folder."""
        return UNFIT.sub("-", f"{self.column}-{'-'.join(self.values)}")

    @property
    def section(self) -> dict[str, str | list[str]]:
        """As ``leave_out`` of a recipe."""
        return {self.column: self.values[0] if len(self.values) == 1 else list(self.values)}


@dataclass(frozen=True)
class Shift:
    """Rows a network is asked about.

    Attributes:
        kind: ``fit`` (calibration rows), ``iid`` (test rows), ``corruption`` (of the test rows), ``left_out``
            (every row of a value that training never saw) or ``elsewhere`` (another data set).
        name: of the corruption, the value or the data set.
        level: intensity of a corruption, 1 to 5, else None.
    """

    kind: str
    name: str
    level: int | None = None

    @property
    def slug(self) -> str:
        """As a file's name."""
        return UNFIT.sub("-", self.name if self.level is None else f"{self.name}-{self.level}")

    def rows(self, table: ImageTable) -> Integers:
        """Labelled rows of the table a run was trained on, or of the data set elsewhere.

        Raises InputError when there are none.
        """
        labelled = table.label_index >= 0
        if self.kind != "elsewhere":
            labelled &= (table.cases["split"] == SPLIT[self.kind]).to_numpy()
        if not labelled.any():
            raise InputError(f"{table.name}: {self.name} has no labelled rows to ask a network about")
        return np.flatnonzero(labelled)


def complete(source: Data) -> ImageTable:
    """The data set of a recipe, nothing left out."""
    from primum.data import sets as data

    return data.load(source.name, source.root, source.seed)


def elsewhere(shift: Shift, source: Data) -> ImageTable:
    """Another data set, looked for where the recipe's own lies."""
    from primum.data import sets as data

    return data.load(shift.name, source.root, source.seed)
