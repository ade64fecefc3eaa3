"""Tables of a bench as cells: built once from its content; the page, Markdown and the terminal print them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from primum.report import words

Entry = Mapping[str, Any]  # an object of bench.json


@dataclass(frozen=True)
class Cell:
    """One number of a table, in words.

    Attributes:
        text: the number, or a dash where there is none.
        span: its interval, or its range over seeds, such as ``"0.1 to 0.2"``; "" without.
        parts: numbers that belong to it. pattern: how each of them follows on one line.
        remark: why there is no number, or what it says; the page alone prints it.
        value, low, high: the numbers behind the words, where they are single numbers.

    >>> Cell("0.5", "0.4 to 0.6", (Cell("90 %"),), ", {}").line
    '0.5 (0.4 to 0.6), 90 %'
    """

    text: str
    span: str = ""
    parts: tuple[Cell, ...] = ()
    pattern: str = "; {}"
    remark: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def line(self) -> str:
        """All of it on one line."""
        follow = "".join(self.pattern.format(part.line) for part in self.parts)
        return (f"{self.text} ({self.span})" if self.span else self.text) + follow

    @property
    def below(self) -> list[str]:
        """What stands below the text where there is room, line by line."""
        follow = [self.pattern.format(part.line).strip(" ,;") for part in self.parts]
        return [line for line in (self.span, *follow, self.remark) if line]


@dataclass(frozen=True)
class Row:
    """One row: its name, a cell per column, and what sets it apart (``mark``, "" for nothing)."""

    name: str
    cells: Mapping[str, Cell]
    mark: str = ""


@dataclass(frozen=True)
class Table:
    """A table of cells.

    Attributes:
        title: what it is about. note: the sentences that explain it, or "".
        corner: head of the rows' names. columns: code → head, in order.
        legend: what every cell holds, part by part, where its head alone does not tell.
        texts: codes of columns of words, which are not aligned as numbers.
    """

    title: str
    corner: str
    columns: Mapping[str, str]
    rows: tuple[Row, ...]
    note: str = ""
    legend: str = ""
    texts: tuple[str, ...] = ()


NONE = Cell(words.NOTHING)


def seeds_mean(metric: Entry) -> Cell:
    """A mean over seeds with the range over seeds, or why there is none.

    >>> seeds_mean({"mean": 0.25, "least": 0.2, "most": 0.3}).line
    '0.250 (0.200 to 0.300)'
    """
    if "mean" not in metric:
        return Cell(words.NOTHING, remark=str(metric.get("why_not", "")))
    lowest, highest = f"{metric['least']:.3f}", f"{metric['most']:.3f}"
    # Ranges are left out only where seeds agree to the last bit: two seeds that differ in the fourth digit do
    # differ, and are shown as such.
    span = "" if metric["least"] == metric["most"] else f"{lowest} to {highest}"
    return Cell(f"{metric['mean']:.3f}", span, value=metric["mean"])


def interval(metric: Entry) -> Cell:
    """A mean over seeds with its interval, or why there is none.

    >>> interval({"mean": 0.25, "low": 0.1, "high": 0.4}).line
    '0.250 (0.100 to 0.400)'
    """
    if "mean" not in metric:
        return Cell(words.NOTHING, remark=str(metric.get("why_not", "")))
    mean, low, high = metric["mean"], metric["low"], metric["high"]
    return Cell(f"{mean:.3f}", f"{low:.3f} to {high:.3f}", value=mean, low=low, high=high)


def difference(entry: Entry | None, key: str = "value") -> Cell:
    """A signed number with its interval, or why there is none.

    >>> difference({"value": -0.2, "low": -0.3, "high": 0.1}).line
    '−0.200 (−0.300 to +0.100)'
    """
    if not entry or key not in entry:
        return Cell(words.NOTHING, remark=str((entry or {}).get("why_not", "")))
    value, low, high = entry[key], entry["low"], entry["high"]
    return Cell(signed(value), f"{signed(low)} to {signed(high)}", value=value, low=low, high=high)


def p_value(entry: Entry | None) -> Cell:
    """A p-value after Holm's adjustment.

    >>> p_value({"p_holm": 0.0004}).text, p_value(None).text
    ('< 0.001', '–')
    """
    if not entry or "p_holm" not in entry:
        return NONE
    p = entry["p_holm"]
    return Cell("< 0.001" if p < 0.001 else f"{p:.3f}", value=p)


def signed(value: float) -> str:
    """A number with its sign."""
    return f"{value:+.3f}".replace("-", words.MINUS)


def machine(content: Entry) -> str:
    """What a bench was computed with, and where."""
    computer = content.get("machine") or {}
    return (
        f"primum {content.get('version')}, {computer.get('processor')}, {computer.get('cores')} cores, "
        f"Python {computer.get('python')}; {content.get('bootstrap')} bootstrap replicates"
    )
