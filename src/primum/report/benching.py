"""Turn a bench into what the template shows: per data set and network a lead, pictures and tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from primum.judge.metrics.table import codes
from primum.report import figures, words
from primum.report.pictures import pack

COLUMNS = codes("loss_bench")
WANTED = (70, 80, 90)
RULES = {"argmax": "argmax", "bayes": "recalibrated, Bayes"}
Row = Mapping[str, Any]


def of(bench: Mapping[str, Any]) -> dict[str, Any]:
    """Build everything the template needs for a bench of losses (``primum.bench/1``)."""
    machine = bench.get("machine") or {}
    return {
        "title": str(bench.get("name") or "bench"),
        "facts": [
            words.counted(len(bench["settings"]), "comparison", "comparisons"),
            f"reference: {bench['reference']}, recalibrated, Bayes",
            f"primum {bench.get('version')}",
            f"{machine.get('processor')}, {machine.get('cores')} cores",
        ],
        "level": "95 %",
        "criterion": bench["criterion"],
        "settings": [setting(one, f"setting-{at}") for at, one in enumerate(bench["settings"])],
    }


def setting(given: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """One data set and network."""
    rows = given["rows"]
    decided = [row for row in rows if row["decision"] == "bayes"]
    return {
        "id": prefix,
        "name": f"{given['data']}, {given['network']}",
        "facts": facts(given),
        "lead": lead(given),
        "pictures": [
            pack(
                figures.trade_off(given["curves"], [point(row) for row in rows]),
                f"{prefix}-trade-off",
                "Critical error rate against specificity, one curve per loss, decisions marked",
                "Lower right is better. Circle: argmax; diamond: Bayes. Choose losses in the legend.",
            ),
            pack(
                figures.dots_and_whiskers(
                    [difference(row) for row in decided if not row["reference"]],
                    "expected cost minus the reference's", zero=True,
                ),
                f"{prefix}-cost", "Differences in expected cost to the reference, by loss, after Bayes",
                "Left of the line these networks cost less than the reference's; training again may differ",
            ),
        ],
        "rows": [described(row) for row in rows],
        "matched": [matched(row) for row in decided],
    }  # fmt: skip


def facts(given: Mapping[str, Any]) -> str:
    """What the setting stands on."""
    patients = (
        f", {words.number(given['patients'], 'n')} patients or lesions" if given.get("patients") else ""
    )
    seeds = ", ".join(map(str, given["seeds"]))
    return f"{words.counted(given['n'])}{patients}; seeds {seeds}; severity {given['severity']}"


def lead(given: Mapping[str, Any]) -> str:
    """What the combination named on validation came to on the test rows."""
    named = next(row for row in given["rows"] if row["named"])
    cost = named["metrics"]["expected_cost"]
    what = " ".join(part for part in (named["loss"], named["strength"], RULES[named["decision"]]) if part)
    if "mean" not in cost:
        return f"Named on validation: {what}. Its cost on test rows was not computed: {cost['why_not']}."
    said = f"Named on validation: {what}. On test rows it costs {cost['mean']:.3f} a case"
    found = cost.get("difference") or {}
    if "value" not in found:
        return f"{said}."
    apart = found["low"] > 0 or found["high"] < 0
    verdict = ("less" if found["value"] < 0 else "more") if apart else "not measurably different"
    return f"{said}; {spoken(found)} to the reference, {verdict} for these networks."


def point(row: Row) -> dict[str, Any]:
    """Where a decision lies on the trade-off."""
    metrics = row["metrics"]
    return {
        "loss": row["loss"], "decision": row["decision"],
        "specificity": metrics["specificity"].get("mean"), "cer": metrics["cer"].get("mean"),
    }  # fmt: skip


def difference(row: Row) -> figures.Whisker:
    """A loss's difference in expected cost, for drawing."""
    found = row["metrics"]["expected_cost"].get("difference") or {}
    name = " ".join(part for part in (row["loss"], row["strength"]) if part)
    return figures.Whisker(name, found.get("value", 0), found.get("low"), found.get("high"), spoken(found))


def described(row: Row) -> dict[str, Any]:
    """A row of the table, in words."""
    metrics = row["metrics"]
    found = metrics["expected_cost"].get("difference") or {}
    return {
        "loss": row["loss"], "strength": row["strength"] or words.NOTHING, "rule": RULES[row["decision"]],
        "named": row["named"], "reference": row["reference"],
        "cells": [spread(metrics[code]) for code in COLUMNS],
        "difference": {"value": "reference", "span": ""} if row["reference"] else apart(found),
        "p": "" if "p_holm" not in found else p_value(found["p_holm"]),
    }  # fmt: skip


def matched(row: Row) -> dict[str, Any]:
    """Critical errors of one loss at matched specificity, both readings."""
    cells = []
    for wanted in WANTED:
        code = f"cer_at_specificity_{wanted}"
        reached = spread(row["metrics"][f"specificity_reached_{wanted}"])
        cells += [
            spread(row["metrics"][f"{code}_roc"]),
            {**spread(row["metrics"][f"{code}_deployed"]), "reached": reached["mean"]},
        ]
    return {"loss": row["loss"], "strength": row["strength"] or words.NOTHING, "cells": cells}


def spread(metric: Mapping[str, Any]) -> dict[str, str]:
    """A seed-mean and the range over seeds, or why there is none."""
    if "mean" not in metric:
        return {"mean": words.NOTHING, "range": str(metric.get("why_not", ""))}
    least, most = f"{metric['least']:.3f}", f"{metric['most']:.3f}"
    return {"mean": f"{metric['mean']:.3f}", "range": "" if least == most else f"{least} to {most}"}


def apart(found: Mapping[str, Any]) -> dict[str, str]:
    """A difference and its interval, to stand one above the other."""
    value, _, span = spoken(found).partition(" (")
    return {"value": value, "span": span.rstrip(")")}


def spoken(found: Mapping[str, Any]) -> str:
    """A difference with its interval."""
    if "value" not in found:
        return str(found.get("why_not", words.NOTHING))
    signed = [f"{found[key]:+.3f}".replace("-", words.MINUS) for key in ("value", "low", "high")]
    return f"{signed[0]} ({signed[1]} to {signed[2]})"


def p_value(p: float) -> str:
    """A p-value to three digits."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
