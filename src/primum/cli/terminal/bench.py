"""What a bench chose and found."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.markup import escape

from primum.cli.terminal import cell, console, number, titled

WIDE = 90  # columns of a terminal in which an interval stands beside its number


def show_bench(content: Mapping[str, Any], out: Path) -> None:
    """Print what a bench chose and found, and where the rest lies."""
    for setting in content["settings"]:
        named = setting["named"]
        what = " ".join(part for part in (named["loss"], named["strength"], named["decision"]) if part)
        title = f"{setting['data']}, {setting['network']}: named on validation {what}"
        if "rows" not in setting:
            console.print(f"[bold]{escape(title)}[/bold]")
            continue
        table = titled(title, ("loss, decision", "CER", "spec.", "cost", "− reference"), 4)
        gap = " " if console.width >= WIDE else "\n"
        for row in setting["rows"]:
            found = [row["metrics"][code].get("mean") for code in ("cer", "specificity", "expected_cost")]
            difference = row["metrics"]["expected_cost"].get("difference") or {"value": None}
            name = " ".join(part for part in (row["loss"], row["strength"]) if part)
            paired = cell(difference | {"verdict": ""}, gap)
            table.add_row(escape(f"{name}, {row['decision']}"), *map(number, found), paired)
        console.print(table)
    report = out / ("report.html" if "schema" in content else "choice.json")
    console.print(f"{'report' if 'schema' in content else 'chosen'}: {escape(str(report))}", soft_wrap=True)
