"""What a policy holds to, and what it achieves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape

from primum.cli.terminal.console import cell, console, gap_of, number, titled
from primum.judge.finding import Finding
from primum.judge.metrics.table import METRICS

VERDICTS = {
    "fitted": "fitted",
    "certified": "[green]certified[/green]",
    "partly_certified": "[yellow]certified for some groups only[/yellow]",
    "not_certifiable": "[bold red]not certifiable[/bold red]",
}
BY_GROUP = ("deferred_share", "vetoed_share", "accepted_cer")
CRITICAL, CLEARED = "critical accepted", "cleared"


def show_policy(
    content: Mapping[str, Any], description: str, question: str, *, out: Path, arrays: Path | None = None
) -> None:
    """Print a policy: its question and promise, its thresholds and what they did on the fit rows."""
    fit, by = content["fit"], content["by"]
    patients = "" if fit["patients"] is None else f" of {fit['patients']} patients"
    title = f"{content['score']}, {content['decision']}: {content['direction']} the threshold"
    table = titled(title, (by or "", "threshold", "deferred", CRITICAL, CLEARED, "verdict"), 4)
    for name, threshold in content["thresholds"].items():
        cleared = threshold["cleared"]
        coverage = threshold["critical_coverage"]
        table.add_row(
            escape(name if by else "all"), f"{threshold['threshold']:.5g}",
            _share(threshold["deferred_share"]), "–" if coverage is None else _share(coverage),
            "–" if cleared is None else _share(cleared), VERDICTS[threshold["verdict"]],
        )  # fmt: skip
    console.print(f"{escape(description)}: {VERDICTS[content['verdict']]}")
    console.print(table)
    if content["critical"]:
        console.print(f"{CLEARED}: share of the negatives with a harmless answer that is used")
    if question:
        console.print(escape(question))
    console.print(f"fitted on {fit['n']} rows{patients} of {escape(fit['name'])}, which it refuses to judge")
    if content["promise"] is not None:
        tried = content["tried"]
        scores = ", ".join(f"{escape(entry['score'])} ({VERDICTS[entry['verdict']]})" for entry in tried)
        console.print(
            f"tried for this promise: {scores}; another call on these rows is another try, counted nowhere"
        )
    for note in content["notes"]:
        console.print(f"[yellow]note:[/yellow] {escape(note)}")
    files = "" if arrays is None else f", with {escape(arrays.name)} beside it: copy both"
    console.print(f"policy: {escape(str(out))}{files}", soft_wrap=True)


def show_applied(
    findings: Sequence[Finding], *, description: str, accepted: int, n: int, name: str, out: Path
) -> None:
    """Print how many cases a policy accepted, and what it achieves where labels are known."""
    console.print(f"{escape(name)}: {accepted} of {n} cases accepted, {n - accepted} go to a reader")
    console.print(f"policy: {escape(description)}")
    computed = [finding for finding in findings if finding.value is not None and finding.verdict != "warning"]
    if computed:
        table = titled("achieved here, 95 % intervals", ("", "value", "n"), 2)
        for finding in computed:
            if finding.group == "all":
                table.add_row(escape(finding.name), cell(finding), number(finding.n))
        console.print(table)
        _show_groups(computed)
    else:
        console.print("no case has a label, so nothing could be counted")
    for finding in findings:
        if finding.verdict == "warning":
            console.print(f"[yellow]warning:[/yellow] {escape(finding.why)}")
        elif finding.value is None and finding.group == "all":
            console.print(f"not computed: {escape(finding.name)}, {escape(finding.why)}")
    console.print(f"decisions: {escape(str(out))}", soft_wrap=True)


def _show_groups(findings: Sequence[Finding]) -> None:
    """Print what was achieved in each group; a dash where a rate has no case to count among."""
    groups = dict.fromkeys(finding.group for finding in findings if finding.group != "all")
    if not groups:
        return
    of_group = {(finding.group, finding.code): finding for finding in findings}
    codes = [code for code in BY_GROUP if any((group, code) in of_group for group in groups)]
    table, gap = titled("by group", ("", *(METRICS[code].short for code in codes))), gap_of(len(codes))
    for group in groups:
        table.add_row(escape(group), *(cell(of_group.get((group, code)), gap) for code in codes))
    console.print(table)


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"
