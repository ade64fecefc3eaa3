"""The table of a bench as Markdown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from primum.judge.metrics.table import METRICS, codes

HEADS = {code: METRICS[code].head for code in codes("loss_bench")}
WANTED = (70, 80, 90)
RULE = {"argmax": "argmax", "bayes": "recalibrated, Bayes"}


def escaped(content: Any) -> Any:
    """Plain content, its texts made safe for Markdown, which reads names as cells, links or HTML."""
    if isinstance(content, str):
        return re.sub(r"[\\`*\[\]<>|&]", r"\\\g<0>", " ".join(content.split()))
    if isinstance(content, Mapping):
        return {key: escaped(value) for key, value in content.items()}
    return [escaped(one) for one in content] if isinstance(content, list | tuple) else content


def markdown(content: Mapping[str, Any]) -> str:
    """Tables of every data set and network of ``primum.bench/1`` content."""
    content = escaped(content)
    lines = [f"# {content['name']}", ""]
    lines += [f"Strengths: {content['criterion']}.", ""]
    for setting in content["settings"]:
        lines += [f"## {setting['data']}, {setting['network']}", "", _facts(setting, content), ""]
        lines += [*_decided(setting), "", *_matched(setting), ""]
    machine = content["machine"]
    lines.append(
        f"primum {content['version']}, {machine['processor']}, {machine['cores']} cores, "
        f"Python {machine['python']}; {content['bootstrap']} bootstrap replicates."
    )
    return "\n".join(lines) + "\n"


def _facts(setting: Mapping[str, Any], content: Mapping[str, Any]) -> str:
    patients = f", {setting['patients']} patients or lesions" if setting["patients"] else ""
    named = setting["named"]
    combination = " ".join(
        part for part in (named["loss"], named["strength"], RULE[named["decision"]]) if part
    )
    return (
        f"{setting['n']} test cases{patients}; seeds {', '.join(map(str, setting['seeds']))}; severity "
        f"{setting['severity']}. Mean over seeds (least to most). Difference in expected cost to "
        f"{content['reference']} + recalibration + Bayes, paired over patients, 95 % interval that holds "
        "these networks fixed: it says nothing of what training again would change; p is Holm-adjusted, over "
        "the Bayes rows as primary comparison and over everything else as exploratory. "
        f"Named on validation by least expected cost: **{combination}** "
        f"({named['validation_cost']:.3f}; the reference {named['validation_cost_of_reference']:.3f})."
    )


def _decided(setting: Mapping[str, Any]) -> list[str]:
    lines = [
        f"| loss | strength | decision | {' | '.join(HEADS.values())} | cost − reference | p (Holm) |",
        "|---|---|---|" + "---|" * (len(HEADS) + 2),
    ]
    for row in setting["rows"]:
        cells = [spread(row["metrics"][code]) for code in HEADS]
        difference = row["metrics"]["expected_cost"].get("difference")
        name = f"**{row['loss']}**" if row["named"] else row["loss"]
        shown = ["(reference)", ""] if row["reference"] else [interval(difference), p_value(difference)]
        rule = RULE[row["decision"]]
        lines.append("| " + " | ".join([name, row["strength"] or "–", rule, *cells, *shown]) + " |")
    return lines


def _matched(setting: Mapping[str, Any]) -> list[str]:
    """CER at matched specificity, both readings, of the recalibrated probabilities."""
    heads = [
        f"CER at {wanted} %: {reading}" for wanted in WANTED for reading in ("ROC", "deployed [reached]")
    ]
    lines = [f"| loss | strength | {' | '.join(heads)} |", "|---|---|" + "---|" * len(heads)]
    for row in setting["rows"]:
        if row["decision"] == "bayes":
            cells = []
            for wanted in WANTED:
                code, reached = f"cer_at_specificity_{wanted}", f"specificity_reached_{wanted}"
                cells.append(spread(row["metrics"][f"{code}_roc"]))
                met = row["metrics"][reached].get("mean")
                share = "" if met is None else f" [{met:.3f}]"
                cells.append(spread(row["metrics"][f"{code}_deployed"]) + share)
            lines.append("| " + " | ".join([row["loss"], row["strength"] or "–", *cells]) + " |")
    return lines


def spread(metric: Mapping[str, Any]) -> str:
    """A seed-mean with the range over seeds."""
    if "mean" not in metric:
        return "–"
    mean, least, most = metric["mean"], metric["least"], metric["most"]
    return f"{mean:.3f}" if least == most else f"{mean:.3f} ({least:.3f} to {most:.3f})"


def interval(difference: Mapping[str, Any] | None) -> str:
    """A difference with its interval."""
    if not difference or "value" not in difference:
        return "–"
    return f"{difference['value']:+.3f} ({difference['low']:+.3f} to {difference['high']:+.3f})"


def p_value(difference: Mapping[str, Any] | None) -> str:
    """An adjusted p-value in words."""
    if not difference or "p_holm" not in difference:
        return "–"
    p = difference["p_holm"]
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
