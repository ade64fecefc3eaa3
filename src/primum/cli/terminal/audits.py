"""Audits and comparisons: a summary, what warns, and where the report lies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.markup import escape

from primum.auditing.audits import Audit
from primum.auditing.comparisons import Comparison
from primum.cli.terminal.console import cell, console, gap_of, titled
from primum.judge.finding import Finding
from primum.judge.metrics.table import codes

ROWS = codes("terminal")
RULES = ("argmax", "bayes", "given")


def show(result: Audit | Comparison, out: Path) -> None:
    """Print the summary of an audit or a comparison, its warnings, and where the report lies."""
    if isinstance(result, Comparison):
        _show_comparison(result)
        findings = [*result.first.findings, *result.second.findings]
    else:
        _show_audit(result)
        findings = result.findings
    for sentence in dict.fromkeys(finding.why for finding in findings if finding.verdict == "warning"):
        console.print(f"[yellow]warning:[/yellow] {escape(sentence)}")
    console.print(f"report: {escape(str(out / 'report.html'))}", soft_wrap=True)


def _show_audit(audit: Audit) -> None:
    settings, best = audit.settings, _recalibrator(audit)
    rules = [rule for rule in RULES if rule in settings["thresholds"]]
    heads = [f"{rule}\non {best}" if rule == "bayes" and settings["fit"] else rule for rule in rules]
    title = f"{settings['name']}: {settings['n']} cases, {len(settings['classes'])} classes, 95 % intervals"
    table, gap = titled(title, ("", *heads), len(rules)), gap_of(len(rules))
    for code in ROWS:
        findings = [_of_rule(audit.findings, code, rule, best) for rule in rules]
        if any(finding is not None and finding.value is not None for finding in findings):
            name = next(finding.name for finding in findings if finding is not None)
            table.add_row(name, *(cell(finding, gap) for finding in findings))
    console.print(table)


def _show_comparison(comparison: Comparison) -> None:
    settings, sides = comparison.settings, (comparison.first, comparison.second)
    title = f"{settings['first']} → {settings['second']}: {settings['n']} cases, 95 % intervals"
    table, gap = titled(title, ("", "first", "second", "second − first"), 2), gap_of(3)
    plain = all(_recalibrator(side) == "none" for side in sides)
    for rule in RULES:
        if not all(rule in side.settings["thresholds"] for side in sides):
            continue
        table.add_row(f"[bold]{rule}[/bold]")
        for code in ROWS:
            difference = _of_rule(comparison.findings, code, rule, "none" if plain else "best")
            if difference is not None and difference.value is not None:
                findings = [_of_rule(side.findings, code, rule, _recalibrator(side)) for side in sides]
                name = next(finding.name for finding in findings if finding is not None)
                table.add_row(name, *(cell(finding, gap) for finding in (*findings, difference)))
        table.add_section()
    console.print(table)


def _of_rule(findings: Sequence[Finding], code: str, rule: str, best: str) -> Finding | None:
    """The finding on all cases of a rule's decision, else of the probabilities that the rule uses."""
    overall = [
        finding
        for finding in findings
        if (finding.code, finding.group) == (code, "all") and finding.score in (None, "msr")
    ]
    of_decision = (finding for finding in overall if finding.decision == rule)
    calibrated = best if rule == "bayes" else "none"
    of_probs = (f for f in overall if f.decision is None and f.calibrated == calibrated)
    return next(of_decision, None) or next(of_probs, None)


def _recalibrator(audit: Audit) -> str:
    return str(audit.settings.get("recalibrator", "none"))
