"""The tables of one data set and network of a bench of losses."""

from __future__ import annotations

from primum.judge.metrics.table import METRICS, codes
from primum.report import cells, words
from primum.report.cells import Cell, Entry, Row, Table

COLUMNS = codes("loss_bench")
SPECIFICITIES = (70, 80, 90)
RULES = {"argmax": "argmax", "bayes": "recalibrated, Bayes"}
NAMED = "named on validation"


def facts(setting: Entry) -> str:
    """What the setting stands on."""
    patients = f", {setting['patients']} patients or lesions" if setting.get("patients") else ""
    seeds = ", ".join(map(str, setting["seeds"]))
    return f"{setting['n']} test cases{patients}; seeds {seeds}; severity {setting['severity']}"


def combination(entry: Entry) -> str:
    """A loss with its strength and its decision."""
    return " ".join(part for part in (entry["loss"], entry["strength"], RULES[entry["decision"]]) if part)


def validation_costs(setting: Entry) -> str:
    """The validation cost of the combination that was named, and of the reference."""
    named = setting["named"]
    return f"{named['validation_cost']:.3f}; the reference {named['validation_cost_of_reference']:.3f}"


def decisions(setting: Entry) -> Table:
    """Every loss with every decision: its metrics, and its difference in cost to the reference."""
    columns = {"strength": "strength", "decision": "decision"}
    columns |= {code: METRICS[code].head for code in COLUMNS}
    columns |= {"difference": "cost − reference", "p": "p (Holm)"}
    rows = []
    for entry in setting["rows"]:
        paired = entry["metrics"]["expected_cost"].get("difference")
        compared = (cells.difference(paired), cells.p_value(paired))
        if entry["reference"]:
            compared = (Cell("(reference)"), Cell(""))
        line = {"strength": _strength(entry), "decision": Cell(RULES[entry["decision"]])}
        line |= {code: cells.seeds_mean(entry["metrics"][code]) for code in COLUMNS}
        line |= {"difference": compared[0], "p": compared[1]}
        rows.append(Row(entry["loss"], line, NAMED if entry["named"] else ""))
    return Table("Losses and decisions", "loss", columns, tuple(rows), texts=("strength", "decision"))


def matched(setting: Entry) -> Table:
    """Critical error rate at matched specificity, both readings, of the recalibrated probabilities."""
    columns = {"strength": "strength"}
    for percent in SPECIFICITIES:
        columns |= {
            f"{percent}_roc": f"CER at {percent} %: ROC",
            f"{percent}_deployed": f"CER at {percent} %: deployed [reached]",
        }
    rows = []
    for entry in setting["rows"]:
        if entry["decision"] != "bayes":
            continue
        line, metrics = {"strength": _strength(entry)}, entry["metrics"]
        for percent in SPECIFICITIES:
            code, specificity = f"cer_at_specificity_{percent}", metrics[f"specificity_reached_{percent}"]
            deployed = cells.seeds_mean(metrics[f"{code}_deployed"])
            parts = (Cell(f"{specificity['mean']:.3f}"),) if "mean" in specificity else ()
            line[f"{percent}_roc"] = cells.seeds_mean(metrics[f"{code}_roc"])
            line[f"{percent}_deployed"] = Cell(
                deployed.text, deployed.span, parts, " [{}]", deployed.remark, deployed.value
            )
        rows.append(Row(entry["loss"], line))
    return Table("Matched specificity", "loss", columns, tuple(rows), texts=("strength",))


def _strength(entry: Entry) -> Cell:
    return Cell(entry["strength"] or words.NOTHING)
