"""Tables of a bench as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from primum.report import words
from primum.report.cells import Entry, Table

SIGNS = re.compile(r"[\\`*\[\]<>|&]")


def escaped(content: Entry) -> Entry:
    """Plain content, its texts made safe for Markdown, which reads names as cells, links or HTML.

    >>> print(escaped({"losses": ["a_b|c"], "seeds": (0, 1)})["losses"][0])
    a_b\\|c
    """
    return {key: _escaped(value) for key, value in content.items()}


def _escaped(value: object) -> object:
    if isinstance(value, str):
        return SIGNS.sub(r"\\\g<0>", " ".join(value.split()))
    if isinstance(value, Mapping):
        return escaped(value)
    return [_escaped(item) for item in value] if isinstance(value, list | tuple) else value


def table_lines(table: Table, *, minus: str = words.MINUS, bold: str = "") -> list[str]:
    """The lines of a table of cells.

    Args:
        table: its texts escaped already. minus: sign of negative numbers.
        bold: the mark of rows whose names are printed in bold.
    """
    legend = f": {table.legend}" if table.legend else ""
    heads = [table.corner, *(f"{head}{legend}" for head in table.columns.values())]
    lines = [_line(heads), "|" + "---|" * len(heads)]
    for row in table.rows:
        name = f"**{row.name}**" if bold and row.mark == bold else row.name
        texts = {code: row.cells[code].line for code in table.columns}
        numbers = {
            code: text.replace(words.MINUS, minus) for code, text in texts.items() if code not in table.texts
        }
        lines.append(_line([name, *(texts | numbers).values()]))
    return lines


def noted_lines(table: Table) -> list[str]:
    """The sentences that explain a table, and its lines below them."""
    return [table.note, "", *table_lines(table)]


def _line(texts: Iterable[str]) -> str:
    return f"| {' | '.join(texts)} |"
