"""The tables of a bench of losses as Markdown."""

from __future__ import annotations

from primum.bench.markdown import escaped, table_lines
from primum.report import cells, loss_tables
from primum.report.cells import Entry


def compose(content: Entry) -> str:
    """Tables of every data set and network of ``primum.bench/1`` content."""
    content = escaped(content)
    lines = [f"# {content['name']}", "", f"Strengths: {content['criterion']}.", ""]
    for setting in content["settings"]:
        lines += [f"## {setting['data']}, {setting['network']}", ""]
        lines += [_facts(setting, content["reference"]), ""]
        # A hyphen for minus, as in every table.md so far: a bench run again must leave the same file.
        lines += table_lines(loss_tables.decisions(setting), minus="-", bold=loss_tables.NAMED)
        lines += ["", *table_lines(loss_tables.matched(setting)), ""]
    return "\n".join([*lines, f"{cells.machine(content)}."]) + "\n"


def _facts(setting: Entry, reference: str) -> str:
    return (
        f"{loss_tables.facts(setting)}. Mean over seeds (least to most). Difference in expected cost to "
        f"{reference} + recalibration + Bayes, paired over patients, 95 % interval that holds "
        "these networks fixed: it says nothing of what training again would change; p is Holm-adjusted, over "
        "the Bayes rows as primary comparison and over everything else as exploratory. "
        f"Named on validation by least expected cost: **{loss_tables.combination(setting['named'])}** "
        f"({loss_tables.validation_costs(setting)})."
    )
