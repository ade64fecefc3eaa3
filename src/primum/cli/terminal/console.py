"""The console: progress, numbers and tables as a terminal shows them."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

from rich import box
from rich.console import Console, JustifyMethod
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from primum.judge.finding import Finding

VERDICTS = {"passed": " [green]passed[/green]", "failed": " [bold red]failed[/bold red]"}
console = Console(highlight=False)


class Bar:
    """Shows which number is being worked on, where someone watches; called with every finding."""

    def __init__(self, activity: str) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
        errors = Console(stderr=True)
        self.progress = Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)
        self.activity, self.count = activity, 0

    def __enter__(self) -> Bar:
        if not self.progress.disable:
            self.progress.start()
        self.task = self.progress.add_task(f"{self.activity}: reading", total=None)
        return self

    def __call__(self, finding: Finding) -> None:
        self.count += 1
        place = "" if finding.group == "all" else f" ({finding.group})"
        self.progress.update(self.task, description=f"{self.activity}: {self.count} findings{place}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.progress.disable:
            self.progress.stop()


def number(value: float | None) -> str:
    """A number with as many digits as its size deserves; a dash when there is none."""
    if value is None:
        return "–"
    if float(value).is_integer():
        return f"{value:.0f}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def interval(value: float | None, low: float | None, high: float | None, gap: str = " ") -> str:
    """A number as ``value (low–high)``; a dash when there is none."""
    if value is None or low is None or high is None:
        return "–" if value is None else number(value)
    between = " to " if low < 0 else "–"
    return f"{number(value)}{gap}({number(low)}{between}{number(high)})"


def cell(finding: Finding | None, gap: str = " ") -> str:
    """A finding with its interval, and the verdict where the user's limit gave one."""
    if finding is None:
        return "–"
    return interval(finding.value, finding.low, finding.high, gap) + VERDICTS.get(finding.verdict, "")


def titled(title: str, columns: Sequence[str], unbroken: int = 0, justify: JustifyMethod = "left") -> Table:
    """An empty table under its title; the columns from 1 to ``unbroken`` are never broken."""
    console.print(f"[bold]{escape(title)}[/bold]")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for i, column in enumerate(columns):
        table.add_column(
            escape(column), overflow="fold", justify=justify if i else "left", no_wrap=1 <= i <= unbroken
        )
    return table


def gap_of(columns: int) -> str:
    """What stands between a number and its interval: a new line where the terminal is narrow."""
    return " " if console.width >= 26 + 22 * columns else "\n"
