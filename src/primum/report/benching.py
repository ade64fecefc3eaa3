"""Turn a bench of losses into what its template prints: per data set and network a lead, pictures, tables."""

from __future__ import annotations

from primum.report import cells, figures, loss_tables, words
from primum.report.cells import Entry
from primum.report.pictures import Picture, pack


def of(bench: Entry) -> dict[str, object]:
    """Build everything the template needs for a bench of losses (``primum.bench/1``)."""
    return {
        "title": str(bench.get("name") or "bench"),
        "facts": [
            words.counted(len(bench["settings"]), "comparison", "comparisons"),
            f"reference: {bench['reference']}, recalibrated, Bayes",
            cells.machine(bench),
        ],
        "level": "95 %",
        "criterion": bench["criterion"],
        "settings": [setting(entry, f"setting-{at}") for at, entry in enumerate(bench["settings"])],
    }


def setting(entry: Entry, prefix: str) -> dict[str, object]:
    """One data set and network."""
    return {
        "id": prefix,
        "name": f"{entry['data']}, {entry['network']}",
        "facts": loss_tables.facts(entry),
        "lead": lead(entry),
        "pictures": pictures(entry, prefix),
        "decisions": loss_tables.decisions(entry),
        "matched": loss_tables.matched(entry),
    }


def lead(entry: Entry) -> str:
    """What the combination named on validation came to on the test rows."""
    row = next(row for row in entry["rows"] if row["named"])
    cost = row["metrics"]["expected_cost"]
    validation = loss_tables.validation_costs(entry)
    named = f"Named on validation: {loss_tables.combination(row)} (cost there {validation})"
    if "mean" not in cost:
        return f"{named}. Its cost on test rows was not computed: {cost['why_not']}."
    on_test = f"{named}. On test rows it costs {cost['mean']:.3f} a case"
    paired = cells.difference(cost.get("difference"))
    if paired.value is None or paired.low is None or paired.high is None:
        return f"{on_test}."
    apart = paired.low > 0 or paired.high < 0
    verdict = ("less" if paired.value < 0 else "more") if apart else "not measurably different"
    return f"{on_test}; {paired.line} to the reference, {verdict} for these networks."


def pictures(entry: Entry, prefix: str) -> list[Picture]:
    """The trade-off of specificity and critical errors, and the differences in cost."""
    rows = entry["rows"]
    points = [
        {
            "loss": row["loss"], "decision": row["decision"],
            **{code: row["metrics"][code].get("mean") for code in ("specificity", "cer")},
        }
        for row in rows
    ]  # fmt: skip
    differences = [whisker(row) for row in rows if row["decision"] == "bayes" and not row["reference"]]
    return [
        pack(
            figures.trade_off(entry["curves"], points), f"{prefix}-trade-off",
            "Critical error rate against specificity, one curve per loss, decisions marked",
            "Lower right is better. Circle: argmax; diamond: Bayes. Choose losses in the legend.",
        ),
        pack(
            figures.dots_and_whiskers(differences, "expected cost minus the reference's", zero=True),
            f"{prefix}-cost", "Differences in expected cost to the reference, by loss, after Bayes",
            "Left of the line these networks cost less than the reference's; training again may differ",
        ),
    ]  # fmt: skip


def whisker(row: Entry) -> figures.Whisker:
    """A loss's difference in expected cost, for drawing."""
    paired = cells.difference(row["metrics"]["expected_cost"].get("difference"))
    name = " ".join(part for part in (row["loss"], row["strength"]) if part)
    value = 0 if paired.value is None else paired.value
    return figures.Whisker(name, value, paired.low, paired.high, paired.remark or paired.line)
