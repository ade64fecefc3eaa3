"""How an audit or a comparison shows itself in a notebook: one small table, no scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment

from primum.judge.finding import Finding
from primum.judge.metrics.table import codes

CODES = codes("notebook")
TEMPLATE = Environment(autoescape=True).from_string(
    """<table><caption style="text-align:left"><b>{{ title }}</b></caption>
<thead><tr><th></th>{% for rule in rules %}<th>{{ rule }}</th>{% endfor %}</tr></thead>
<tbody>{% for name, cells in rows %}<tr><th style="text-align:left">{{ name }}</th>
{% for cell in cells %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}</tbody></table>
{% for sentence in warnings %}<p>Warning: {{ sentence }}</p>{% endfor %}"""
)


def summary(content: Mapping[str, Any]) -> str:
    """An HTML table of the main findings by decision rule, with 95 % intervals, and the warnings.

    Args:
        content: the dictionary of an audit or of a comparison.
    """
    settings = content["settings"]
    findings = [Finding.from_dict(entry) for entry in content["findings"]]
    if "first" in content:
        title = f"{settings['second']} − {settings['first']}: {settings['n']} cases"
        best = "best"
    else:
        title = f"{settings['name']}: {settings['n']} cases"
        best = settings["recalibrator"]
    judged = {finding.decision for finding in findings}
    rules = [rule for rule in ("argmax", "bayes", "given") if rule in judged]
    rows = []
    for code in CODES:
        cells = [_find(findings, code, rule, best if rule == "bayes" else "none") for rule in rules]
        name = next((cell.name for cell in cells if cell is not None), None)
        if name is not None:
            rows.append((name, [_text(cell) for cell in cells]))
    warnings = [finding.why for finding in findings if finding.verdict == "warning"]
    return TEMPLATE.render(title=title, rules=rules, rows=rows, warnings=warnings)


def _find(findings: Sequence[Finding], code: str, rule: str, best: str) -> Finding | None:
    for finding in findings:
        if finding.code != code or finding.group != "all" or finding.value is None:
            continue
        if finding.decision == rule and finding.score in (None, "msr"):
            return finding
        if finding.decision is None and finding.calibrated == best:
            return finding
    return None


def _text(finding: Finding | None) -> str:
    if finding is None:
        return "–"
    return f"{finding.value:.4g} ({finding.low:.4g} to {finding.high:.4g})"
