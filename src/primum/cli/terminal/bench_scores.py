"""What a bench of scores measured."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape

from primum.cli.terminal.console import console, titled
from primum.report import score_tables
from primum.report.cells import Entry


def show_bench_scores(content: Entry, out: Path) -> None:
    """Print mean ranks and what stays silent on the i.i.d. rows, and where the report lies."""
    for setting in content["settings"]:
        ranks = score_tables.mean_ranks(setting)
        if not ranks.rows:
            continue
        group, over = next(iter(ranks.columns.items()))
        unshifted = score_tables.unshifted(setting)
        silent = {entry["score"]: score_tables.let_through(entry) for entry in unshifted["rows"]}
        title = f"{setting['data']}, {setting['network']}: mean rank by AURC, {over}"
        table = titled(title, ("score", "rank", "95 %", "first", "silent, i.i.d.", "critical"), 5)
        for row in ranks.rows:
            rank, (failures, critical) = row.cells[group], silent[row.name].parts
            table.add_row(
                escape(row.name), rank.text, rank.span.replace(" to ", "–"), rank.parts[0].text,
                failures.text, critical.text,
            )  # fmt: skip
        console.print(table)
        for line in score_tables.missing(setting):
            console.print(escape(line.removesuffix(".")), soft_wrap=True)
    console.print(f"report: {escape(str(out / 'report.html'))}", soft_wrap=True)
