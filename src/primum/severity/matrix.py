"""The severity matrix: what each mistake costs, and which can be fatal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from scipy.optimize import linprog

from primum.core import check, names
from primum.core.arrays import Bools, Floats
from primum.core.check import InputError

ROUNDING = 1e-9
LEVELS = ("fine", "false_alarm", "critical")


@dataclass(frozen=True, eq=False)
class SeverityMatrix:
    """Cost of deciding a column when a row is true (``docs/methods.md#severity``).

    >>> SeverityMatrix(("benign", "malignant"), [[0, 1], [20, 0]]).scaled
    array([[0.  , 0.05],
           [1.  , 0.  ]])

    Attributes:
        classes: the K class names, in the order of rows and columns.
        cost: (K, K) float, zero diagonal, no negative entry, in ``unit``.
        critical: (K, K) bool, the (true, predicted) cells whose error can be fatal; None is no cell.
        defer: cost of sending a case to a reader, in ``unit``, or None.
        unit: what one unit of cost is.
        source: who says so.
        name: file or preset it was read from.

    Raises:
        InputError: for a matrix that is not square, negative, or costs something on the diagonal.
    """

    classes: tuple[str, ...]
    cost: Floats
    critical: Bools = None  # type: ignore[assignment]  # an array once built
    defer: float | None = None
    unit: str = "cost"
    source: str = ""
    name: str = "severity"

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "classes", check.class_names([names.settle(label) for label in self.classes], self.name)
        )
        cost = square(self.cost, len(self.classes), self.name)
        check.severity_matrix(cost, self.classes, self.name)
        critical = np.zeros(cost.shape, bool) if self.critical is None else np.array(self.critical, bool)
        if critical.shape != cost.shape:
            raise InputError(
                f"{self.name}: critical cells must be a matrix of the shape of cost, {cost.shape}"
            )
        if np.diag(critical).any():
            raise InputError(
                f"{self.name}: a right answer cannot be a critical error, but a diagonal cell is"
            )
        if self.defer is not None:
            object.__setattr__(self, "defer", amount(self.defer, f"{self.name}: the cost of deferring"))
        # Shared by every loss, decision and picture: nobody may change a cost on the way.
        cost.setflags(write=False)
        critical.setflags(write=False)
        object.__setattr__(self, "cost", cost)
        object.__setattr__(self, "critical", critical)

    @classmethod
    def from_groups(
        cls,
        groups: Mapping[str, Sequence[str]],
        cost: Mapping[str, float],
        critical: Sequence[Sequence[str]],
        classes: Sequence[str] | None = None,
        *,
        defer: float | None = None,
        unit: str = "cost",
        source: str = "",
        name: str = "severity",
    ) -> SeverityMatrix:
        """Build from super-classes and three levels of cost.

        Args:
            groups: super-class name → its class names; every class in exactly one.
            cost: ``fine`` (wrong inside a super-class), ``critical`` (between the pairs of super-classes
                listed in ``critical``), ``false_alarm`` (between any others).
            critical: pairs ``[true super-class, predicted super-class]``.
            classes: order of the classes; default is the order they stand in ``groups``.
            defer, unit, source, name: attributes of the matrix.
        """
        members = {
            str(group): class_names(labels, f"{name}: group {group}") for group, labels in groups.items()
        }
        labels = check.class_names(
            [member for group in members.values() for member in group], f"{name}: groups"
        )
        order = labels if classes is None else check.class_names(classes, name)
        check.same_classes(labels, order, f"{name}: groups", "classes")
        if set(cost) != set(LEVELS):
            raise InputError(
                f"{name}: cost needs the levels {', '.join(LEVELS)}, {check.shorten(cost)} arrived"
            )
        level = {key: amount(value, f"{name}: cost {key}") for key, value in cost.items()}
        fatal_pairs = set()
        for pair in critical:
            sides = [str(group) for group in pair] if isinstance(pair, list | tuple) else []
            if len(sides) != 2 or any(group not in members for group in sides):
                raise InputError(
                    f"{name}: critical lists [true, predicted] pairs of {', '.join(members)}, {pair} arrived"
                )
            fatal_pairs.add((sides[0], sides[1]))
        group_of = {member: group for group, labels in members.items() for member in labels}
        ranked = [group_of[member] for member in order]
        fatal = np.array([[(row, column) in fatal_pairs for column in ranked] for row in ranked])
        same = np.array([[row == column for column in ranked] for row in ranked])
        matrix = np.where(fatal, level["critical"], np.where(same, level["fine"], level["false_alarm"]))
        np.fill_diagonal(matrix, 0.0)
        np.fill_diagonal(fatal, False)
        return cls(order, matrix, fatal, defer, unit, source, name)

    def __reduce__(self) -> tuple[object, ...]:
        # Arrays come out of a pickle writable: the matrix is built anew.
        return type(self), tuple(getattr(self, field.name) for field in fields(self))

    def __repr__(self) -> str:
        cells = f"{int(self.critical.sum())} critical cells"
        return f"SeverityMatrix({self.name!r}, {check.shorten(self.classes)}, {cells})"

    @property
    def scaled(self) -> Floats:
        """Cost divided by its largest entry, as every loss takes it (``docs/methods.md#losses``)."""
        largest = self.cost.max()
        return self.cost / largest if largest > 0 else self.cost

    @property
    def critical_classes(self) -> Bools:
        """(K,) bool: classes with at least one critical cell in their row; the others are the negatives."""
        return np.asarray(self.critical.any(axis=1), dtype=np.bool_)

    def ordered(self, classes: Sequence[str], where: str) -> SeverityMatrix:
        """The same costs with rows and columns in the order of ``classes``; refuses other class names.

        >>> SeverityMatrix(("a", "b"), [[0, 1], [9, 0]]).ordered(("b", "a"), "my network").cost.tolist()
        [[0.0, 9.0], [1.0, 0.0]]
        """
        check.same_classes(self.classes, classes, self.name, where)
        at = [self.classes.index(name) for name in classes]
        cells = np.ix_(at, at)
        return replace(self, classes=tuple(classes), cost=self.cost[cells], critical=self.critical[cells])

    def lint(self) -> list[str]:
        """Warnings about a matrix that is legal but probably not meant, one sentence each."""
        warnings = []
        off = ~np.eye(len(self.classes), dtype=bool)
        free = np.argwhere(off & (self.cost == 0))
        if len(free):
            cells = [f"{self.classes[i]} called {self.classes[j]}" for i, j in free]
            warnings.append(f"these mistakes cost nothing: {check.shorten(cells)}")
        if not self.critical.any():
            warnings.append("no cell is critical, so no critical error rate can be computed")
        elif self.cost[self.critical].min() < self.cost[off & ~self.critical].max(initial=0.0):
            warnings.append("a critical error costs less than some error that is not critical")
        if self.defer is not None:
            limit = never_defer_cost(self.cost)
            if self.defer == 0:
                warnings.append("deferring costs 0, so deferring every case is always optimal")
            elif self.defer >= limit * (1 - ROUNDING):
                warnings.append(
                    f"deferring costs {self.defer:g}, at or above {limit:.3g} it is never optimal"
                )
        return warnings

    def to_dict(self) -> dict[str, object]:
        """Plain values, ready for YAML or JSON; :func:`from_dict` reads them back."""
        return {
            "name": self.name, "classes": list(self.classes), "cost": self.cost.tolist(),
            "critical": pairs(self.classes, self.critical),
            "defer": self.defer, "unit": self.unit, "source": self.source,
        }  # fmt: skip


def never_defer_cost(cost: Floats) -> float:
    """Smallest deferral cost at which deferring is never optimal: ``max_p min_d Σ_i p_i c[i, d]``.

    A linear programme over the probability vector p (K,) and the value reached; in units of ``cost``.

    >>> round(never_defer_cost(np.array([[0.0, 1.0], [1.0, 0.0]])), 6)
    0.5
    """
    k = len(cost)
    # The inner minimum as one more variable v, with v ≤ Σ_i p_i c[i, d] for every decision d.
    result = linprog(
        c=np.r_[np.zeros(k), -1.0],
        A_ub=np.c_[-cost.T, np.ones(k)],
        b_ub=np.zeros(k),
        A_eq=np.r_[np.ones(k), 0.0][None, :],
        b_eq=[1.0],
        bounds=[(0, 1)] * k + [(None, None)],
    )
    return float(-result.fun)


def class_names(labels: object, where: str) -> tuple[str, ...]:
    """Class names from a YAML list; refuses what YAML turned into true or false."""
    if not isinstance(labels, list | tuple):
        raise InputError(f"{where}: a list of class names was expected, {labels!r} arrived")
    if any(isinstance(name, bool) or name is None for name in labels):
        raise InputError(f"{where}: YAML reads a class name here as true, false or null; put it in quotes")
    return tuple(str(name) for name in labels)


def amount(value: object, where: str) -> float:
    """A cost: a finite number, 0 or more."""
    try:
        number = np.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]  # or refused
    except (TypeError, ValueError, OverflowError):
        number = np.nan
    if not (np.isfinite(number) and 0 <= number <= check.LARGEST_COST):
        raise InputError(
            f"{where} must be a number from 0 to {check.LARGEST_COST:g}, {str(value)[:40]!r} arrived"
        )
    return number


def square(cost: object, k: int, where: str) -> Floats:
    """(K, K) float copy of a matrix of costs; whether it is square is checked with its values."""
    try:
        return np.array(check.array(cost), dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(
            f"{where}: the cost matrix must be square, {k} rows of {k} numbers for {k} classes"
        ) from None


def cells(pairs: Sequence[Sequence[str]], classes: Sequence[str], where: str) -> Bools:
    """(K, K) bool from ``[true, predicted]`` pairs of class names.

    >>> cells([["malignant", "benign"]], ("benign", "malignant"), "severity").tolist()
    [[False, False], [True, False]]
    """
    critical = np.zeros((len(classes), len(classes)), dtype=bool)
    for pair in pairs:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise InputError(f"{where}: a critical cell is a [true, predicted] pair, {pair} arrived")
        row, column = (classes.index(check.one_of(str(name), classes, f"{where}: class")) for name in pair)
        critical[row, column] = True
    return critical


def pairs(classes: Sequence[str], critical: Bools | None) -> list[list[str]]:
    """``[true, predicted]`` class names of every critical cell; the inverse of :func:`cells`."""
    if critical is None:
        return []
    return [[classes[i], classes[j]] for i, j in np.argwhere(critical).tolist()]
