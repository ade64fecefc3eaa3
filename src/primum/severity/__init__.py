"""What each mistake costs: the severity matrix every loss, decision and picture reads."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linprog

from primum.core import check, delimited, documents, files, names
from primum.core.arrays import Bools, Floats
from primum.core.check import InputError

ROUNDING = 1e-9
LEVELS = ("fine", "false_alarm", "critical")
KEYS = ("classes", "groups", "cost", "critical", "defer", "unit", "source", "name")


@dataclass(frozen=True, eq=False)
class SeverityMatrix:
    """Cost of deciding a column when a row is true (rows true, columns predicted; METHODS §1).

    Attributes:
        classes: the K class names, in the order of rows and columns.
        cost: (K, K) float, zero diagonal, no negative entry, in ``unit``.
        critical: (K, K) bool, the (true, predicted) cells whose error can be fatal.
        defer: cost of sending a case to a reader, in ``unit``, or None.
        unit: what one unit of cost is.
        source: who says so.
        name: file or preset it was read from.

    Raises:
        InputError: for a matrix that is not square, negative, or costs something on the diagonal.
    """

    classes: tuple[str, ...]
    cost: Floats
    critical: Bools
    defer: float | None = None
    unit: str = "cost"
    source: str = ""
    name: str = "severity"

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "classes", check.class_names([names.settle(one) for one in self.classes], self.name)
        )
        cost = _square(self.cost, len(self.classes), self.name)
        check.severity_matrix(cost, self.classes, self.name)
        critical = np.array(self.critical, dtype=bool)
        if critical.shape != cost.shape:
            raise InputError(
                f"{self.name}: critical cells must be a matrix of the shape of cost, {cost.shape}"
            )
        if np.diag(critical).any():
            raise InputError(
                f"{self.name}: a right answer cannot be a critical error, but a diagonal cell is"
            )
        if self.defer is not None:
            object.__setattr__(self, "defer", _amount(self.defer, f"{self.name}: the cost of deferring"))
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
        **rest: Any,
    ) -> SeverityMatrix:
        """Build from super-classes and three levels of cost.

        Args:
            groups: super-class name → its class names; every class in exactly one.
            cost: ``fine`` (wrong inside a super-class), ``critical`` (between the pairs of super-classes
                listed in ``critical``), ``false_alarm`` (between any others).
            critical: pairs ``[true super-class, predicted super-class]``.
            classes: order of the classes; default is the order they stand in ``groups``.
            rest: ``defer``, ``unit``, ``source``, ``name``.
        """
        name = str(rest.get("name", "severity"))
        members = {str(group): _names(listed, f"{name}: group {group}") for group, listed in groups.items()}
        listed = check.class_names(
            [member for group in members.values() for member in group], f"{name}: groups"
        )
        order = listed if classes is None else check.class_names(classes, name)
        check.same_classes(listed, order, f"{name}: groups", "classes")
        if set(cost) != set(LEVELS):
            raise InputError(
                f"{name}: cost needs the levels {', '.join(LEVELS)}, {check.shorten(cost)} arrived"
            )
        level = {key: _amount(value, f"{name}: cost {key}") for key, value in cost.items()}
        fatal_pairs = set()
        for pair in critical:
            named = [str(group) for group in pair] if isinstance(pair, list | tuple) else []
            if len(named) != 2 or any(group not in members for group in named):
                raise InputError(
                    f"{name}: critical lists [true, predicted] pairs of {', '.join(members)}, {pair} arrived"
                )
            fatal_pairs.add((named[0], named[1]))
        group_of = {member: group for group, listed in members.items() for member in listed}
        of = [group_of[member] for member in order]
        fatal = np.array([[(row, column) in fatal_pairs for column in of] for row in of])
        same = np.array([[row == column for column in of] for row in of])
        matrix = np.where(fatal, level["critical"], np.where(same, level["fine"], level["false_alarm"]))
        np.fill_diagonal(matrix, 0.0)
        np.fill_diagonal(fatal, False)
        return cls(order, matrix, fatal, **rest)

    @property
    def scaled(self) -> Floats:
        """Cost divided by its largest entry, as every loss takes it (METHODS §2)."""
        largest = self.cost.max()
        return self.cost / largest if largest > 0 else self.cost

    @property
    def critical_classes(self) -> Bools:
        """(K,) bool: classes with at least one critical cell in their row; the others are the negatives."""
        return np.asarray(self.critical.any(axis=1), dtype=np.bool_)

    def ordered(self, classes: Sequence[str], where: str) -> SeverityMatrix:
        """The same costs with rows and columns in the order of ``classes``; refuses other class names."""
        check.same_classes(self.classes, classes, self.name, where)
        at = [self.classes.index(name) for name in classes]
        return SeverityMatrix(
            tuple(classes), self.cost[np.ix_(at, at)], self.critical[np.ix_(at, at)],
            self.defer, self.unit, self.source, self.name,
        )  # fmt: skip

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

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for YAML or JSON; :func:`from_dict` reads them back."""
        return {
            "name": self.name, "classes": list(self.classes), "cost": self.cost.tolist(),
            "critical": pairs(self.classes, self.critical),
            "defer": self.defer, "unit": self.unit, "source": self.source,
        }  # fmt: skip


def never_defer_cost(cost: Floats) -> float:
    """Smallest deferral cost at which deferring is never optimal: ``max_p min_d Σ_i p_i c[i, d]``.

    A linear programme over the probability vector p (K,) and the value reached; in units of ``cost``.
    """
    k = len(cost)
    result = linprog(
        c=np.r_[np.zeros(k), -1.0],
        A_ub=np.c_[-cost.T, np.ones(k)],
        b_ub=np.zeros(k),
        A_eq=np.r_[np.ones(k), 0.0][None, :],
        b_eq=[1.0],
        bounds=[(0, 1)] * k + [(None, None)],
    )
    return float(-result.fun)


def from_dict(content: Mapping[str, Any], name: str) -> SeverityMatrix:
    """Read the fields of a severity file (DESIGN, file formats); ``name`` is used in messages."""
    unknown = [str(key) for key in content if key not in KEYS]
    if unknown:
        raise InputError(f"{name}: unknown key {unknown[0]!r}{check.nearest(unknown[0], KEYS)}")
    if content.get("cost") is None:
        raise InputError(f"{name}: a severity file needs 'cost', a K×K list or three levels with 'groups'")
    rest: dict[str, Any] = {"name": name, "defer": content.get("defer")}
    rest |= {key: str(content[key]) for key in ("unit", "source") if content.get(key) is not None}
    classes = content.get("classes")
    order = None if classes is None else _names(classes, f"{name}: classes")
    critical = content.get("critical") or []
    if not isinstance(critical, list | tuple):
        raise InputError(f"{name}: critical must be a list of [true, predicted] pairs, {critical!r} arrived")
    if content.get("groups") is not None:
        for key in ("groups", "cost"):
            if not isinstance(content[key], Mapping):
                raise InputError(f"{name}: with groups, '{key}' must be names with values, as in the presets")
        found = SeverityMatrix.from_groups(content["groups"], content["cost"], critical, order, **rest)
    else:
        if isinstance(content["cost"], Mapping):
            raise InputError(f"{name}: levels of cost need 'groups', the super-classes they stand between")
        kept = check.class_names(order or (), name)
        cost = _square(content["cost"], len(kept), name)
        found = SeverityMatrix(kept, cost, cells(critical, kept, name), **rest)
    return found if content.get("name") is None else replace(found, name=str(content["name"]))


def _names(listed: Any, where: str) -> tuple[str, ...]:
    """Class names from a YAML list; refuses what YAML turned into true or false."""
    if not isinstance(listed, list | tuple):
        raise InputError(f"{where}: a list of class names was expected, {listed!r} arrived")
    if any(isinstance(name, bool) or name is None for name in listed):
        raise InputError(f"{where}: YAML reads a class name here as true, false or null; put it in quotes")
    return tuple(str(name) for name in listed)


def _amount(value: Any, what: str) -> float:
    """A cost: a finite number, 0 or more."""
    try:
        amount = float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        amount = float("nan")
    if not (np.isfinite(amount) and 0 <= amount <= check.LARGEST_COST):
        raise InputError(
            f"{what} must be a number from 0 to {check.LARGEST_COST:g}, {str(value)[:40]!r} arrived"
        )
    return amount


def _square(cost: Any, k: int, where: str) -> Floats:
    try:
        return np.array(check.array(cost), dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(
            f"{where}: the cost matrix must be square, {k} rows of {k} numbers for {k} classes"
        ) from None


def cells(pairs: Sequence[Sequence[str]], classes: Sequence[str], where: str) -> Bools:
    """(K, K) bool from ``[true, predicted]`` pairs of class names."""
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


def presets() -> tuple[str, ...]:
    """Names of the severity matrices that ship with primum."""
    folder = resources.files("primum.severity") / "presets"
    return tuple(sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".yaml")))


def read(file_or_preset: str | Path) -> SeverityMatrix:
    """Read a severity matrix from a preset name, a YAML file, or a CSV matrix with class names around it."""
    path, known = Path(file_or_preset), presets()
    preset = path.stem if path.suffix in ("", ".yaml") and path.parent == Path() else ""
    if preset in known and not path.is_file():
        packaged = resources.files("primum.severity") / "presets" / f"{preset}.yaml"
        return from_dict(documents.yaml_values(packaged.read_text(encoding="utf-8"), preset), preset)
    if not path.suffix and not path.exists():
        raise InputError(
            f"severity {str(path)!r} is neither a file nor a preset ({', '.join(known)})"
            f"{check.nearest(str(path), known)}"
        )
    files.existing(path, "a severity file (YAML or CSV)")
    content = delimited.content(path, "a severity file (YAML or CSV)")
    if path.suffix.lower() in (".csv", ".tsv", ".txt"):
        return _from_csv(content, path.name)
    loaded = documents.yaml_values(content, path.name)
    if not isinstance(loaded, dict):
        raise InputError(f"{path}: a severity file needs keys such as 'classes' and 'cost'")
    return from_dict(loaded, path.name)


def _from_csv(content: str, name: str) -> SeverityMatrix:
    body, separator = delimited.table(content)
    try:
        lines = list(csv.reader(body.splitlines(), delimiter=separator))
    except csv.Error:
        raise InputError(f"{name}: a severity matrix in CSV was expected, this is not CSV") from None
    rows = [row for row in lines if any(cell.strip() for cell in row)]
    columns = [cell.strip() for cell in rows[0][1:]] if rows else []
    titles = [row[0].strip() for row in rows[1:]]
    if titles != columns:
        raise InputError(
            f"{name}: the first row and the first column must hold the same class names, in one order; "
            f"{len(columns)} columns and {len(titles)} rows arrived"
        )
    cost = _square([[_number(cell, name) for cell in row[1:]] for row in rows[1:]], len(titles), name)
    return SeverityMatrix(tuple(columns), cost, np.zeros((len(titles), len(titles)), dtype=bool), name=name)


def _number(cell: str, name: str) -> float:
    """A cost, with a decimal point or comma."""
    text = cell.strip()
    try:
        return float(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    except ValueError:
        raise InputError(
            f"{name}: every cost must be a number, {text[:40] or 'an empty cell'!r} arrived; write one in "
            "each cell"
        ) from None
