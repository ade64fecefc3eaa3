"""What the user asked of an audit, checked once and shared by ``audit`` and ``compare``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from primum import severity
from primum.auditing.limits import check_limits, read_limits
from primum.core import bounds, check, names
from primum.core.arrays import Bools, Floats
from primum.core.check import InputError
from primum.severity import SeverityMatrix

OPERATING_COVERAGE = 0.8
FEWEST = 100  # replicates that an interval can be read from


@dataclass(frozen=True, eq=False)
class Options:
    """Options of an audit, in the order of one table's classes.

    Attributes:
        severity: costs, or None. critical: (K, K) bool, or None when no cell is known to be critical.
        by: columns to judge the groups of. priors: (K,) deployment priors or None.
        limits: finding code → limits. replicates, seed: of the bootstrap.
    """

    severity: SeverityMatrix | None = None
    critical: Bools | None = None
    by: tuple[str, ...] = ()
    priors: Floats | None = None
    limits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    replicates: int = 1000
    seed: int = 0

    @property
    def cost(self) -> Floats | None:
        """(K, K) or None."""
        return None if self.severity is None else self.severity.cost


def options(
    classes: Sequence[str],
    where: str,
    severity_source: SeverityMatrix | str | Path | None = None,
    *,
    critical: Sequence[str | Sequence[str]] = (),
    prior: Mapping[str, float] | None = None,
    limits: str | Path | Mapping[str, object] | None = None,
    by: Sequence[str] = (),
    bootstrap: int = 1000,
    seed: int = 0,
) -> Options:
    """Check the options of an audit against the classes of its table.

    Raises:
        InputError: for a severity of other classes, an unknown class, priors that do not sum to 1, and so on.
    """
    bounds.whole_number(bootstrap, "--bootstrap", FEWEST, bounds.REPLICATES)
    bounds.seed(seed)
    matrix = None
    if severity_source is not None:
        matrix = (
            severity_source if isinstance(severity_source, SeverityMatrix) else severity.read(severity_source)
        )
        matrix = matrix.ordered(classes, where)
    cells = None if matrix is None else matrix.critical
    # a string is a sequence too: without this "a:b" would be read as the pairs of its letters
    pairs = [critical] if isinstance(critical, str) else critical
    if pairs:
        cells = severity.cells([pair(entry) for entry in pairs], tuple(classes), "--critical")
        if np.diag(cells).any():
            raise InputError(
                "--critical: a right answer cannot be a critical error, TRUE and PREDICTED must differ"
            )
    if cells is not None and not cells.any():
        cells = None
    bound = (
        read_limits(limits)
        if limits is None or isinstance(limits, str | Path)
        else check_limits(limits, "limits")
    )
    columns = (by,) if isinstance(by, str) else tuple(dict.fromkeys(by))
    return Options(
        matrix,
        cells,
        by=columns,
        priors=priors(prior, classes),
        limits=bound,
        replicates=bootstrap,
        seed=seed,
    )


def pair(entry: str | Sequence[str]) -> Sequence[str]:
    """A critical cell from ``"TRUE:PREDICTED"`` or a pair of class names.

    >>> pair("melanoma:naevus")
    ['melanoma', 'naevus']
    """
    parts = entry.split(":") if isinstance(entry, str) else list(entry)
    if len(parts) != 2:
        raise InputError(f"--critical: TRUE:PREDICTED was expected, {entry!r} arrived")
    return [names.settle(str(part)) for part in parts]


def priors(stated: Mapping[str, float] | None, classes: Sequence[str]) -> Floats | None:
    """(K,) deployment priors; one class may be left out and gets the rest.

    >>> priors({"melanoma": 0.25}, ("naevus", "melanoma")).tolist()
    [0.75, 0.25]
    """
    if not stated:
        return None
    stated = {names.settle(str(name)): value for name, value in stated.items()}
    for name, value in stated.items():
        check.one_of(name, tuple(classes), "--prior: class")
        if not isinstance(value, int | float | np.number) or not 0 <= value <= 1:
            raise InputError(f"--prior: a prior is a number in [0, 1], {value} arrived for {name}")
    left = [name for name in classes if name not in stated]
    total = sum(stated.values())
    if len(left) > 1:
        raise InputError(f"--prior: every class but one needs a prior, {check.shorten(left)} have none")
    if (not left and abs(total - 1) > 1e-6) or total > 1 + 1e-6:
        raise InputError(f"--prior: priors must sum to 1, {total:g} arrived")
    return np.array([stated.get(name, max(0.0, 1 - total)) for name in classes], dtype=np.float64)
