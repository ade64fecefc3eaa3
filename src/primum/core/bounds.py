"""How much may be asked for, stated in one place and checked before memory is."""

from __future__ import annotations

import math

from primum.core.check import LARGEST_COST, InputError

SEED = 2**32 - 1  # NumPy, torch and Lightning take no larger one
REPLICATES = 100_000  # of a bootstrap
PASSES = 10_000  # of MC dropout
SIDE = 4_096  # pixels of the side of a network's input
EPOCHS = 100_000
BATCH = 65_536  # images a step
JOBS = 1_024  # at once


def whole_number(value: object, option: str, low: int, high: int) -> int:
    """A whole number from ``low`` to ``high``; ``option`` names it in the sentence. Raises InputError.

    >>> whole_number(8, "--jobs", 1, JOBS)
    8
    """
    if type(value) is not int or not low <= value <= high:
        arrived = str(value)[:40]
        raise InputError(f"{option}: a whole number from {low} to {high} was expected, {arrived} arrived")
    return value


def seed(value: object, option: str = "--seed") -> int:
    """A seed. Raises InputError for anything but a whole number from 0 to 2³² − 1."""
    return whole_number(value, option, 0, SEED)


def amount(value: float | None, option: str, high: float = LARGEST_COST) -> float | None:
    """A number from 0 to ``high``, or None. Raises InputError for others, NaN and infinity.

    >>> amount(0.5, "--reader-cost")
    0.5
    """
    if value is not None and not (math.isfinite(value) and 0 <= value <= high):
        raise InputError(f"{option}: a number from 0 to {high:g} was expected, {value:g} arrived")
    return value
