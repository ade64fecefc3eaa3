"""What a bench of losses chose and what came of it."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape

from primum.cli.terminal.console import console, interval, number, titled
from primum.report import loss_tables
from primum.report.cells import NONE, Cell, Entry, Row

WIDE = 90  # columns of a terminal in which an interval stands beside its number


def show_bench(content: Entry, out: Path) -> None:
    """Print what a bench chose and what came of it, and where the report lies."""
    for setting in content["settings"]:
        named = setting["named"]
        combination = " ".join(part for part in (named["loss"], named["strength"], named["decision"]) if part)
        title = f"{setting['data']}, {setting['network']}: named on validation {combination}"
        if "rows" not in setting:
            console.print(f"[bold]{escape(title)}[/bold]")
            continue
        table = titled(title, ("loss, decision", "CER", "spec.", "cost", "− reference"), 4)
        for row, entry in zip(loss_tables.decisions(setting).rows, setting["rows"], strict=True):
            means = [row.cells[code].value for code in ("cer", "specificity", "expected_cost")]
            table.add_row(
                escape(f"{_name(row)}, {entry['decision']}"), *map(number, means),
                _interval(row.cells["difference"]),
            )  # fmt: skip
        console.print(table)
    report = out / ("report.html" if "schema" in content else "choice.json")
    console.print(f"{'report' if 'schema' in content else 'chosen'}: {escape(str(report))}", soft_wrap=True)


def _name(row: Row) -> str:
    strength = row.cells["strength"]
    return f"{row.name} {strength.text}" if strength != NONE else row.name


def _interval(paired: Cell) -> str:
    gap = " " if console.width >= WIDE else "\n"
    return interval(paired.value, paired.low, paired.high, gap)
