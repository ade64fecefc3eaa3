"""What each mistake costs: the severity matrix every loss, decision and picture reads."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy.optimize import linprog

from primum import check, files
from primum.check import InputError

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
    cost: NDArray[np.float64]
    critical: NDArray[np.bool_]
    defer: float | None = None
    unit: str = "cost"
    source: str = ""
    name: str = "severity"

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", check.class_names(self.classes, self.name))
        cost = np.array(self.cost, dtype=np.float64)
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
        if self.defer is not None and not (np.isfinite(self.defer) and self.defer >= 0):
            raise InputError(f"{self.name}: the cost of deferring must be 0 or more, {self.defer} arrived")
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
        listed = [member for members in groups.values() for member in members]
        order = check.class_names(listed if classes is None else classes, name)
        check.same_classes(listed, order, f"{name}: groups", "classes")
        missing = [level for level in LEVELS if level not in cost]
        if missing or set(cost) - set(LEVELS):
            raise InputError(f"{name}: cost needs the levels {', '.join(LEVELS)}, {', '.join(cost)} arrived")
        group_of = {member: group for group, members in groups.items() for member in members}
        pairs = set()
        for pair in critical:
            if len(pair) != 2 or any(group not in groups for group in pair):
                raise InputError(
                    f"{name}: critical lists [true, predicted] pairs of {', '.join(groups)}, {pair} arrived"
                )
            pairs.add((pair[0], pair[1]))
        of = [group_of[member] for member in order]
        fatal = np.array([[(row, column) in pairs for column in of] for row in of])
        same = np.array([[row == column for column in of] for row in of])
        matrix = np.where(fatal, cost["critical"], np.where(same, cost["fine"], cost["false_alarm"]))
        matrix = matrix.astype(np.float64)
        np.fill_diagonal(matrix, 0.0)
        np.fill_diagonal(fatal, False)
        return cls(order, matrix, fatal, **rest)

    @property
    def scaled(self) -> NDArray[np.float64]:
        """Cost divided by its largest entry, as every loss takes it (METHODS §2)."""
        largest = self.cost.max()
        return self.cost / largest if largest > 0 else self.cost

    @property
    def critical_classes(self) -> NDArray[np.bool_]:
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
            elif self.defer >= limit:
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


def never_defer_cost(cost: NDArray[np.float64]) -> float:
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
    unknown = [key for key in content if key not in KEYS]
    if unknown:
        raise InputError(f"{name}: unknown key {unknown[0]!r}{check.nearest(unknown[0], KEYS)}")
    if "cost" not in content:
        raise InputError(f"{name}: a severity file needs 'cost', a K×K list or three levels with 'groups'")
    rest = {key: content[key] for key in ("defer", "unit", "source") if content.get(key) is not None}
    try:
        if "groups" in content:
            return SeverityMatrix.from_groups(
                content["groups"], content["cost"], content.get("critical", []), content.get("classes"),
                name=name, **rest,
            )  # fmt: skip
        classes = check.class_names(content.get("classes", ()), name)
        try:
            cost = np.array(content["cost"], dtype=np.float64)
        except (TypeError, ValueError):
            raise InputError(
                f"{name}: the cost matrix must be square, {len(classes)} rows of numbers"
            ) from None
        return SeverityMatrix(
            classes, cost, cells(content.get("critical", []), classes, name), name=name, **rest
        )
    except (TypeError, AttributeError) as error:
        raise InputError(f"{name}: the severity file is not of the documented form ({error})") from None


def cells(pairs: Sequence[Sequence[str]], classes: Sequence[str], where: str) -> NDArray[np.bool_]:
    """(K, K) bool from ``[true, predicted]`` pairs of class names."""
    critical = np.zeros((len(classes), len(classes)), dtype=bool)
    for pair in pairs:
        if len(pair) != 2:
            raise InputError(f"{where}: a critical cell is a [true, predicted] pair, {pair} arrived")
        row, column = (classes.index(check.one_of(str(name), classes, f"{where}: class")) for name in pair)
        critical[row, column] = True
    return critical


def pairs(classes: Sequence[str], critical: NDArray[np.bool_] | None) -> list[list[str]]:
    """``[true, predicted]`` class names of every critical cell; the inverse of :func:`cells`."""
    if critical is None:
        return []
    return [[classes[i], classes[j]] for i, j in np.argwhere(critical).tolist()]


def presets() -> tuple[str, ...]:
    """Names of the severity matrices that ship with primum."""
    folder = resources.files("primum") / "presets"
    return tuple(sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".yaml")))


def read(file_or_preset: str | Path) -> SeverityMatrix:
    """Read a severity matrix from a preset name, a YAML file, or a CSV matrix with class names around it."""
    text = str(file_or_preset)
    if text in presets():
        packaged = resources.files("primum") / "presets" / f"{text}.yaml"
        return from_dict(yaml.safe_load(packaged.read_text(encoding="utf-8")), text)
    if not Path(text).suffix and not Path(text).exists():
        raise InputError(
            f"severity {text!r} is neither a file nor a preset ({', '.join(presets())})"
            f"{check.nearest(text, presets())}"
        )
    path = files.existing(text, "a severity file (YAML or CSV)")
    try:
        content = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path}: a severity file in YAML or CSV was expected, this is not text") from None
    if path.suffix.lower() == ".csv":
        return _from_csv(content, path.name)
    try:
        loaded = yaml.safe_load(content)
    except yaml.YAMLError as error:
        raise InputError(f"{path}: this is not valid YAML ({' '.join(str(error).split())})") from None
    if not isinstance(loaded, dict):
        raise InputError(f"{path}: a severity file needs keys such as 'classes' and 'cost'")
    return from_dict(loaded, path.name)


def _from_csv(content: str, name: str) -> SeverityMatrix:
    rows = [row for row in csv.reader(content.splitlines()) if any(cell.strip() for cell in row)]
    columns = [cell.strip() for cell in rows[0][1:]] if rows else []
    names = [row[0].strip() for row in rows[1:]]
    if names != columns:
        raise InputError(
            f"{name}: the first row and the first column must hold the same class names, in one order"
        )
    try:
        cost = np.array([[float(cell) for cell in row[1:]] for row in rows[1:]], dtype=np.float64)
    except ValueError:
        raise InputError(
            f"{name}: every cell of the cost matrix must be a number, and the matrix square"
        ) from None
    return SeverityMatrix(tuple(columns), cost, np.zeros(cost.shape, dtype=bool), name=name)
