"""Every check on what comes in, and the one sentence said when it fails."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from primum.core.arrays import Array, Floats, Integers, Reals

SUM_TOLERANCE = 1e-2
SUM_WARNING = 1e-3
ROUNDING = 1e-6
SLACK = 1e-9  # 0.99 is further than 0.01 from 1 by the last digit of a float
SINGLE = 2.0**-24  # rounding of a number near 1 in single precision
FEW = 5  # more unknown names than these, and than twice the known ones, are no names of such things
DIGITS = 3  # of a name that may be a record number
LARGEST_COST = 1e12  # sums of larger ones lose what a small one adds


OPTION = re.compile(r"--([a-z]+(?:-[a-z]+)*)(?: (ray|local|try|learn|mean|stacking)\b|(?=:))?")
ARGUMENTS = {  # options whose argument is not called the same
    "certify": "promise", "corrupt": "corruption", "learn": "learn_from", "policy": "policies",
    "reader-cost": "reader", "reader-error": "reader",
}  # fmt: skip
LONGEST_SENTENCE = 300  # characters
HEAD = 190  # of them before a cut: where it is and what arrived; what to do stands at the end


class PrimumError(Exception):
    """Any failure with a sentence the user can act on; the command line prints it and exits with 2.

    The sentence has at most 300 characters, none of which a terminal obeys. It is written with the options
    of the command line; ``str`` names the arguments of Python in their place.

    >>> str(InputError("--bootstrap: at least 100 were expected; give --prior too"))
    'bootstrap: at least 100 were expected; give prior= too'
    """

    def __init__(self, text: object = "") -> None:
        super().__init__(sentence(str(text)))

    def __str__(self) -> str:
        return OPTION.sub(_argument, self.terminal)

    @property
    def terminal(self) -> str:
        """The sentence with the options of the command line."""
        return str(self.args[0])


class InputError(PrimumError, ValueError):
    """What arrived is not what was expected; the message says where and what to do."""


class CheckpointError(InputError):
    """A file of weights or of a half-done training is damaged, or holds what could run code."""


class MissingExtraError(PrimumError, ImportError):
    """A part of primum needs an extra that is not installed."""


def _argument(option: re.Match[str]) -> str:
    name = ARGUMENTS.get(option[1], option[1].replace("-", "_"))
    if option[2]:
        return f'{name}="{option[2]}"'
    return name if option.string.startswith(":", option.end()) else f"{name}="


def sentence(text: str) -> str:
    """One line of at most 300 characters: blanks for white space, ``?`` for what a terminal would obey.

    A longer text loses its middle, since what to do stands at its end.

    >>> sentence("two\\nlines\\x1b")
    'two lines?'
    """
    line = "".join(char if char.isprintable() else "?" for char in " ".join(text.split()))
    if len(line) <= LONGEST_SENTENCE:
        return line
    return f"{line[:HEAD]} … {line[HEAD + 3 - LONGEST_SENTENCE :]}"


def array(values: Any) -> Array:
    """A NumPy array of anything array-like, a tensor on any device included."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        if str(values.dtype) == "torch.bfloat16":  # NumPy has no such type
            values = values.float()
    return np.asarray(values)


def shorten(names: Iterable[object], limit: int = 5) -> str:
    """Join names for a sentence, cutting a long list: ``a, b, c and 7 more``.

    >>> shorten("abcdefg", limit=3)
    'a, b, c and 4 more'
    """
    listed = [str(name) for name in names]
    if len(listed) <= limit:
        return ", ".join(listed)
    return ", ".join(listed[:limit]) + f" and {len(listed) - limit} more"


def path_name(path: str, row: int) -> str:
    """A path of a table for a sentence; its row where the cell is no path but holds other things too."""
    return f"row {row + 1}" if len(path) > 120 or any(sign in path for sign in "|;,^\t\n") else path


def nearest(name: str, names: Iterable[str]) -> str:
    """Suggest the nearest known name, in brackets after a blank; empty when nothing is near.

    >>> nearest("benihn", ["benign", "malignant"])
    " (did you mean 'benign'?)"
    """
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f" (did you mean {close[0]!r}?)" if close else ""


def describe(values: Sequence[str], expected: Sequence[str]) -> str:
    """Unknown values for a sentence, the nearest of the known ones with the first; else how many there are.

    Many of them, or long numbers among them, are no names of classes or splits but perhaps patients.
    """
    countable = len(values) <= max(FEW, 2 * len(expected))
    names = all(len(re.findall(r"\d", value)) < DIGITS or nearest(value, expected) for value in values)
    if not countable or not names:
        return f"{len(values)} other values" if len(values) > 1 else "another value"
    return shorten(map(repr, values)) + (nearest(values[0], expected) if values else "")


def one_of(name: str, expected: Sequence[str], noun: str) -> str:
    """Return ``name`` if it is known, else refuse it and list what is."""
    if name in expected:
        return name
    start = f"{noun} {name[:60]!r} is not known{nearest(name, expected)}: expected one of "
    limit = len(expected)
    while limit > 1 and len(start) + len(shorten(expected, limit)) > LONGEST_SENTENCE:
        limit -= 1
    raise InputError(start + shorten(expected, limit))


def cell_of(value: str, expected: Sequence[str], noun: str) -> str:
    """As :func:`one_of` for what stands in a table, which is told only where it cannot be a patient."""
    if value in expected:
        return value
    raise InputError(f"{noun} must be one of {shorten(expected, 10)}, {describe([value], expected)} arrived")


def class_names(classes: Sequence[str], where: str) -> tuple[str, ...]:
    """Check that there are at least two classes, each with its own non-empty name."""
    names = tuple(str(name) for name in classes)
    if len(names) < 2:
        raise InputError(f"{where}: at least two classes are needed, {len(names)} arrived")
    if any(not name.strip() for name in names):
        raise InputError(f"{where}: every class needs a name, an empty one arrived")
    if len(set(names)) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise InputError(f"{where}: class names must differ, {shorten(twice)} stands more than once")
    return names


def same_classes(classes: Sequence[str], expected: Sequence[str], where: str, against: str) -> None:
    """Check that two sets of class names are the same, in any order."""
    missing = [name for name in expected if name not in classes]
    extra = [name for name in classes if name not in expected]
    if missing or extra:
        parts = []
        if missing:
            parts.append(f"{shorten(missing)} missing")
        if extra:
            parts.append(f"{shorten(extra)} unknown")
        raise InputError(
            f"{where}: class names must match those of {against} ({shorten(expected, 10)}): "
            + " and ".join(parts)
            + "; rename the classes in one of the two"
        )


def finite(array: Array, where: str, noun: str) -> None:
    """Refuse NaN and infinite values, naming the first row that has one."""
    with np.errstate(all="ignore"):
        if np.isfinite(np.sum(array)):  # one pass without a mask of the whole array
            return
    bad = ~np.isfinite(array)
    rows = np.flatnonzero(bad.reshape(len(array), -1).any(axis=1))
    if len(rows):
        raise InputError(
            f"{where}: {noun} must be finite, NaN or infinite values arrived in {len(rows)} rows, "
            f"first in row {rows[0] + 1}; remove or repair them"
        )


def numbers(values: object, where: str, noun: str) -> Array:
    """An array of real numbers; refuses text, objects and complex numbers."""
    numeric = array(values)
    if numeric.dtype.kind not in "iuf":
        raise InputError(f"{where}: {noun} must be numbers, an array of {numeric.dtype} arrived")
    return numeric


def indices(values: object, where: str, noun: str) -> Integers:
    """An array of class indices; refuses anything but whole numbers."""
    numeric = numbers(values, where, noun)
    if numeric.dtype.kind == "f" and not (np.isfinite(numeric).all() and (numeric % 1 == 0).all()):
        raise InputError(f"{where}: {noun} must be class indices, numbers that are not whole arrived")
    return np.asarray(numeric, dtype=np.int64)


def unit_interval(probs: Reals, where: str) -> None:
    """Refuse probabilities (N, K) outside [0, 1], but for rounding, naming the first row that has one."""
    finite(probs, where, "probabilities")
    outside = (probs < -ROUNDING) | (probs > 1 + ROUNDING)
    if outside.any():
        row = int(np.argmax(outside.any(axis=1)))
        raise InputError(
            f"{where}: probabilities must lie in [0, 1], {probs[row][outside[row]][0]:.8g} arrived "
            f"(first in row {row + 1}); name the columns logit_<class> if these are logits"
        )


def probabilities(probs: Reals, where: str, names: Sequence[str] = ()) -> tuple[Floats, int]:
    """Check probabilities (N, K) and return them renormalised, with the count of rows off by > 1e-3.

    Rows whose sum is off by no more than the rounding of single precision are left as they are: dividing
    them would tell apart what was supplied as equal.

    Raises InputError for a value outside [0, 1], and for a row whose sum is off by more than 1e-2 and more
    than rounding explains: K / 2 units of the last decimal of these numbers. ``names`` of the K columns, to
    say which of them does not belong.
    """
    unit_interval(probs, where)
    clipped = np.clip(np.asarray(probs, dtype=np.float64), 0, 1)
    totals = clipped.sum(axis=1)
    off = np.abs(totals - 1)
    tolerance = max(SUM_TOLERANCE, _printed(clipped)) + SLACK
    wrong = off > tolerance
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"{where}: probabilities of a case must sum to 1 (±{tolerance:.3g}), "
            f"{int(wrong.sum())} rows do not, first row {row + 1} with {totals[row]:.4g}; "
            + _stranger(clipped, totals, tolerance, names)
        )
    exact = off <= max(ROUNDING, probs.shape[1] * SINGLE)
    return clipped / np.where(exact, 1.0, totals)[:, None], int((off > SUM_WARNING).sum())


def _printed(probs: Floats) -> float:
    """By how much sums of probabilities (N, K) can be off by their printing: K / 2 units of the last decimal.

    At most a quarter, beyond which rounding has taken too much; 0 for numbers of more than 6 decimals.
    """
    for decimals in range(1, 7):
        if np.abs(probs - np.round(probs, decimals)).max() < SLACK:
            return float(min(probs.shape[1] / 2 * 10.0**-decimals, 0.25))
    return 0.0


def _stranger(probs: Floats, totals: Floats, tolerance: float, names: Sequence[str]) -> str:
    """Which column the sums would be 1 without, else what such sums mostly are."""
    for k, column in enumerate(names):
        if len(names) > 2 and (np.abs(totals - probs[:, k] - 1) <= tolerance).all():
            return f"without the column of {column} they all do, so rename that if it is no class"
    return "outputs of several independent labels per case cannot be audited as one choice among classes"


def severity_matrix(cost: Floats, classes: Sequence[str], where: str) -> None:
    """Check a cost matrix: K×K, finite, no negative entry, zeros on the diagonal."""
    k = len(classes)
    if cost.ndim != 2 or cost.shape[0] != cost.shape[1]:
        raise InputError(f"{where}: the cost matrix must be square, {'×'.join(map(str, cost.shape))} arrived")
    if len(cost) != k:
        raise InputError(f"{where}: {k} classes need a {k}×{k} cost matrix, {len(cost)}×{len(cost)} arrived")
    finite(cost, where, "costs")
    if cost.max(initial=0) > LARGEST_COST:
        raise InputError(
            f"{where}: a cost is at most {LARGEST_COST:g}, {cost.max():g} arrived; scale them down"
        )
    if (cost < 0).any():
        i, j = np.argwhere(cost < 0)[0]
        raise InputError(
            f"{where}: a cost cannot be negative, {cost[i, j]:g} arrived for {classes[i]} called {classes[j]}"
        )
    if np.diag(cost).any():
        i = int(np.flatnonzero(np.diag(cost))[0])
        raise InputError(
            f"{where}: a right answer must cost 0, the diagonal holds {cost[i, i]:g} for {classes[i]}; "
            "subtract it from its row"
        )


def disjoint(left: Iterable[object], right: Iterable[object], noun: str, where: str) -> None:
    """Refuse two tables that share ids or patients; the shared values are counted, not printed."""
    shared = set(left) & set(right)
    shared.discard(None)
    if shared:
        raise InputError(
            f"{where}: no {noun} may stand in both the fit and the test rows, {len(shared)} do; "
            "a recalibration judged on the rows it was fitted on flatters itself, so remove them from one"
        )
