"""Which fit rows serve for what: the veto, learning, and reading the threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from primum.auditing.preparation import codes
from primum.core.arrays import Array, Bools, Integers
from primum.judge.deferral.learned import halves
from primum.predictions import Predictions


@dataclass(frozen=True, eq=False)
class Portions:
    """Fit rows by what they serve for; cases of one patient serve for the same.

    Attributes:
        veto: (N,) rows that set the veto's threshold. learning: (N,) rows whose labels are learned from
            before the threshold is read. reading: (N,) all others, on which it is read.
    """

    veto: Bools
    learning: Bools
    reading: Bools

    def take(self, rows: Array) -> Portions:
        """The same for integer or boolean ``rows``."""
        return Portions(self.veto[rows], self.learning[rows], self.reading[rows])


def divide(rows: Predictions, *, veto: bool, learning: bool, seed: int) -> Portions:
    """Half of the patients (else cases) to learn from, a quarter for the veto, as far as each is asked for.

    The veto's quarter lies in the learning half where there is one: its threshold looks at no label and at no
    score that was learned there, and both are fixed before a row of the rest is looked at.
    """
    units: Integers = codes(rows.ids if rows.patients is None else rows.patients)
    nobody = np.zeros(len(rows), dtype=np.bool_)
    half = halves(units, seed) if veto or learning else nobody
    quarter = nobody.copy()
    if veto:
        quarter[half] = halves(units[half], seed + 1)
    learned = half if learning else nobody
    return Portions(quarter, learned, ~(quarter | learned))
