"""What the terminal shows: a progress bar while judging, a summary after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from rich import box
from rich.console import Console, JustifyMethod
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from primum.judge.finding import Finding
from primum.judge.metrics.table import codes
from primum.severity import SeverityMatrix

ROWS = codes("terminal")
RULES = ("argmax", "bayes", "given")
VERDICTS = {"passed": " [green]passed[/green]", "failed": " [bold red]failed[/bold red]"}
console = Console(highlight=False)


class Bar:
    """Shows which number is being worked on, where someone watches; called with every finding."""

    def __init__(self, what: str) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
        errors = Console(stderr=True)
        self.progress = Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)
        self.what, self.count = what, 0

    def __enter__(self) -> Bar:
        if not self.progress.disable:
            self.progress.start()
        self.task = self.progress.add_task(f"{self.what}: reading", total=None)
        return self

    def __call__(self, finding: Finding) -> None:
        self.count += 1
        place = "" if finding.group == "all" else f" ({finding.group})"
        self.progress.update(self.task, description=f"{self.what}: {self.count} findings{place}")

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


def cell(finding: Mapping[str, Any] | None, gap: str = " ") -> str:
    """A finding as ``value (low–high)``, with the verdict where the user's limit gave one."""
    if finding is None or finding["value"] is None:
        return "–"
    between = " to " if finding["low"] < 0 else "–"
    interval = f"({number(finding['low'])}{between}{number(finding['high'])})"
    return f"{number(finding['value'])}{gap}{interval}{VERDICTS.get(finding['verdict'], '')}"


def show(content: Mapping[str, Any], out: Path) -> None:
    """Print the summary of an audit or a comparison, its warnings, and where the report lies."""
    if "first" in content:
        _show_comparison(content)
        warnings = content["first"]["findings"] + content["second"]["findings"]
    else:
        _show_audit(content)
        warnings = content["findings"]
    for sentence in dict.fromkeys(entry["why"] for entry in warnings if entry["verdict"] == "warning"):
        console.print(f"[yellow]warning:[/yellow] {escape(sentence)}")
    console.print(f"report: {escape(str(out / 'report.html'))}", soft_wrap=True)


def titled(title: str, columns: Sequence[str], whole: int = 0, justify: JustifyMethod = "left") -> Table:
    """An empty table under its title; the columns from 1 to ``whole`` are never broken."""
    console.print(f"[bold]{escape(title)}[/bold]")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for i, column in enumerate(columns):
        table.add_column(
            escape(column), overflow="fold", justify=justify if i else "left", no_wrap=1 <= i <= whole
        )
    return table


def _gap(columns: int) -> str:
    """What stands between a number and its interval: a new line where the terminal is narrow."""
    return " " if console.width >= 26 + 22 * columns else "\n"


def _overall(content: Mapping[str, Any], code: str, **where: Any) -> Mapping[str, Any] | None:
    """The finding on all cases, of the confidence score msr where a score matters."""
    for finding in content["findings"]:
        fits = all(finding[name] == value for name, value in where.items())
        if (
            fits
            and finding["code"] == code
            and finding["group"] == "all"
            and finding["score"] in (None, "msr")
        ):
            return dict(finding)
    return None


def _row(content: Mapping[str, Any], code: str, rule: str, best: str) -> Mapping[str, Any] | None:
    """The finding to show for a rule: of its decision, or of the probabilities it uses."""
    decided = _overall(content, code, decision=rule)
    if decided is not None:
        return decided
    return _overall(content, code, decision=None, calibrated=best if rule == "bayes" else "none")


def _recalibrator(content: Mapping[str, Any]) -> str:
    return str(content["settings"].get("recalibrator", "none"))


def _show_audit(content: Mapping[str, Any]) -> None:
    settings = content["settings"]
    rules = [rule for rule in RULES if rule in settings["thresholds"]]
    heads = [
        f"{rule}\non {_recalibrator(content)}" if rule == "bayes" and settings["fit"] else rule
        for rule in rules
    ]
    title = f"{settings['name']}: {settings['n']} cases, {len(settings['classes'])} classes, 95 % intervals"
    table, gap = titled(title, ("", *heads), len(rules)), _gap(len(rules))
    for code in ROWS:
        found = [_row(content, code, rule, _recalibrator(content)) for rule in rules]
        if any(finding is not None and finding["value"] is not None for finding in found):
            name = next(finding["name"] for finding in found if finding is not None)
            table.add_row(name, *(cell(finding, gap) for finding in found))
    console.print(table)


def _show_comparison(content: Mapping[str, Any]) -> None:
    settings, sides = content["settings"], (content["first"], content["second"])
    title = f"{settings['first']} → {settings['second']}: {settings['n']} cases, 95 % intervals"
    table, gap = titled(title, ("", "first", "second", "second − first"), 2), _gap(3)
    for rule in RULES:
        if not all(rule in side["settings"]["thresholds"] for side in sides):
            continue
        table.add_row(f"[bold]{rule}[/bold]")
        for code in ROWS:
            best = "none" if _recalibrator(sides[0]) == _recalibrator(sides[1]) == "none" else "best"
            difference = _row(content, code, rule, best)
            if difference is not None and difference["value"] is not None:
                found = [_row(side, code, rule, _recalibrator(side)) for side in sides]
                name = next(finding["name"] for finding in found if finding is not None)
                table.add_row(name, *(cell(finding, gap) for finding in (*found, difference)))
        table.add_section()
    console.print(table)


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
    for what in ("unit", "source", "defer"):
        if getattr(matrix, what) not in (None, ""):
            console.print(f"{what}: {escape(str(getattr(matrix, what)))}")
    lint = matrix.lint()
    for sentence in lint:
        console.print(f"[yellow]warning:[/yellow] {escape(sentence)}")
    if not lint:
        console.print("no warnings")
