"""A severity matrix, and what is odd about it."""

from __future__ import annotations

from rich.markup import escape

from primum.cli.terminal.console import console, titled
from primum.severity import SeverityMatrix


def show_severity(matrix: SeverityMatrix) -> None:
    """Print a severity matrix, critical cells marked, then its lint."""
    title = f"{matrix.name}: rows true, columns decided; ! critical"
    table = titled(title, ("true \\ decided", *matrix.classes), justify="right")
    for i, name in enumerate(matrix.classes):
        costs = [
            f"[bold red]{matrix.cost[i, j]:g}![/bold red]"
            if matrix.critical[i, j]
            else f"{matrix.cost[i, j]:g}"
            for j in range(len(matrix.classes))
        ]
        table.add_row(escape(name), *costs)
    console.print(table)
    for name in ("unit", "source", "defer"):
        if getattr(matrix, name) not in (None, ""):
            console.print(f"{name}: {escape(str(getattr(matrix, name)))}")
    lint = matrix.lint()
    for sentence in lint:
        console.print(f"[yellow]warning:[/yellow] {escape(sentence)}")
    if not lint:
        console.print("no warnings")
