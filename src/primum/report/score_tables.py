"""The tables of one data set and network of a bench of confidence scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from primum.judge.metrics.table import METRICS, codes
from primum.report import cells, words
from primum.report.cells import NONE, Cell, Entry, Row, Table

CONFIDENT = "critical_share_confident"
HEADS = {code: METRICS[code].head for code in codes("score_bench")} | {"cost_aurc": "cost-weighted AURC"}
OVERALL = "all shifts"
LIMIT = 6  # scores that get a column of their own: as many as a page of a printed table takes


def facts(setting: Entry, passes: int) -> str:
    """What the setting stands on."""
    where = [f"{value} in the {name}" for name, value in setting["dropout"].items() if value]
    dropout = f"dropout {' and '.join(where)}, {passes} passes" if where else "no dropout"
    seeds = ", ".join(map(str, setting["seeds"]))
    return f"trunk {setting['trunk']}, {dropout}; seeds {seeds}; severity {setting['severity']}"


def title(shift: Entry) -> str:
    """What a shift is called."""
    level = "" if shift["level"] is None else f" {shift['level']}"
    without = f" (trained without {shift['without']})" if shift["kind"] == "iid" and shift["without"] else ""
    kind = "left out: " if shift["kind"] == "left_out" else ""
    return f"{kind}{shift['shift']}{level}{without}"


def unshifted(setting: Entry) -> Entry:
    """The i.i.d. test rows of the network that nothing was left out for."""
    shifts: Sequence[Entry] = setting["shifts"]
    return next(shift for shift in shifts if shift["kind"] == "iid" and not shift["without"])


def rankings(setting: Entry, code: str = "aurc") -> list[Entry]:
    """Mean ranks by a metric within each group of shifts, those over all shifts first."""
    groups = [group for group in setting["ranks"] if group["metric"] == code]
    return sorted(groups, key=lambda group: bool(group["over"] != OVERALL))


def leading(setting: Entry) -> list[str]:
    """The scores with a column of their own: the reference, MSR, learned ones, the best, a distance."""
    overall = [group for group in setting["ranks"] if group["metric"] == "aurc"]
    best = [max(overall, key=lambda group: int(group["shifts"]))["rows"][0]["score"]] if overall else []
    applicable = names(setting)
    order = [setting["reference"], "msr", "combined", *best, "vim", "confidnet", "dg_mcd_msr"]
    return list(dict.fromkeys(name for name in order if name in applicable))[:LIMIT]


def names(setting: Entry) -> list[str]:
    """Every score that applies somewhere."""
    return [str(score["score"]) for score in setting["scores"]]


def mean_ranks(setting: Entry) -> Table:
    """Mean rank by AURC of every score within each group of shifts."""
    groups = rankings(setting)
    by_score = [{row["score"]: row for row in group["rows"]} for group in groups]
    rows = [
        Row(
            entry["score"],
            {
                group["over"]: _rank(ranks.get(entry["score"]))
                for group, ranks in zip(groups, by_score, strict=True)
            },
        )
        for entry in (groups[0]["rows"] if groups else ())
    ]
    return Table(
        "Mean ranks", "score",
        {group["over"]: f"{group['over']} ({group['shifts']})" for group in groups}, tuple(rows),
        "Mean rank by AURC (1 = best; 95 % interval; share of bootstrap replicates in which it is first). "
        "Behind a group the number of shifts; the intensities of one corruption count as one.",
    )  # fmt: skip


def _rank(entry: Entry | None) -> Cell:
    if entry is None:
        return NONE
    rank, low, high = entry["rank"], entry["low"], entry["high"]
    first = Cell(f"{100 * entry['first']:.0f} %", value=entry["first"])
    return Cell(f"{rank:.1f}", f"{low:.1f} to {high:.1f}", (first,), ", {}", "", rank, low, high)


def counted(shift: Entry) -> str:
    """How many cases a shift has, and of how many patients."""
    patients = f" of {shift['patients']} patients or lesions" if shift["patients"] else ""
    return f"{shift['n']} cases{patients}, {shift['of_critical']} of a critical class"


def every_metric(shift: Entry, reference: str, columns: Sequence[str] = tuple(HEADS)) -> Table:
    """Every metric of every score in one shift, and the difference in AURC to the reference."""
    heads = {"accuracy": "accuracy"} | {code: HEADS[code] for code in columns}
    rows = []
    for entry in shift["rows"]:
        line, same = {"accuracy": _accuracy(entry)}, entry["score"] == reference
        line |= {code: cells.interval(entry["metrics"][code]) for code in columns}
        line["difference"] = Cell("(reference)") if same else _paired(entry, "")
        rows.append(Row(entry["score"], line, "reference" if same else ""))
    return Table(title(shift), "score", heads | {"difference": "AURC − reference"}, tuple(rows))


def _accuracy(entry: Entry | None) -> Cell:
    return NONE if entry is None else Cell(f"{entry['counts']['accuracy']:.3f}")


def _paired(entry: Entry, otherwise: str = words.NOTHING) -> Cell:
    """A score's difference in AURC to the reference."""
    paired = cells.difference(entry["metrics"]["aurc"].get("difference"))
    return paired if paired.span else Cell(otherwise, remark=paired.remark)


def by_shift(setting: Entry) -> Table:
    """AURC of the leading scores in every shift, and which score has the least."""
    leaders = leading(setting)
    columns = {"n": "n", "of_critical": "of a critical class", "accuracy": "accuracy"}
    columns |= {name: name for name in leaders} | {"first": "least AURC (share of replicates first)"}
    rows = []
    for shift in setting["shifts"]:
        by_score = _by_score(shift)
        line = {"n": Cell(str(shift["n"])), "of_critical": Cell(str(shift["of_critical"]))}
        line["accuracy"] = _accuracy(by_score.get(setting["reference"]))
        line |= {name: _area(by_score.get(name)) for name in leaders}
        rows.append(Row(title(shift), line | {"first": _first(shift)}))
    note = f"AURC in every shift, with the difference to {setting['reference']}."
    return Table("AURC by shift", "shift", columns, tuple(rows), note)


def _area(entry: Entry | None) -> Cell:
    if entry is None:
        return NONE
    area, paired = cells.interval(entry["metrics"]["aurc"]), _paired(entry, "")
    parts = (paired,) if paired.text else ()
    return Cell(area.text, area.span, parts, " [{}]", area.remark, area.value, area.low, area.high)


def _by_score(shift: Entry) -> dict[str, Entry]:
    return {entry["score"]: entry for entry in shift["rows"]}


def _first(shift: Entry) -> Cell:
    """The score of the first rank by AURC, and how surely it is the first."""
    ranked = [entry for entry in shift["rows"] if "rank" in entry["ranks"]["aurc"]]
    if not ranked:
        return NONE
    best = min(ranked, key=lambda entry: float(entry["ranks"]["aurc"]["rank"]))
    return Cell(best["score"], f"{100 * best['ranks']['aurc']['first']:.0f} %")


def silent(setting: Entry) -> Table:
    """The failures that remain at the operating threshold, of them the critical ones."""
    leaders = leading(setting)
    rows = []
    for shift in setting["shifts"]:
        by_score = _by_score(shift)
        line = {name: let_through(by_score[name]) if name in by_score else NONE for name in leaders}
        rows.append(Row(title(shift), line))
    critical = ", ".join(f"{true} called {called}" for true, called in setting["critical"])
    return Table(
        "Silent failures", "shift", {name: name for name in leaders}, tuple(rows),
        "Silent failures that remain at the operating threshold (means over seeds), with the silent critical "
        f"rate among the cases of critical classes and its exact interval. Critical: {critical}.",
        "accepted; silent of failures; critical silent of critical",
    )  # fmt: skip


def let_through(entry: Entry) -> Cell:
    """The share of answers that a score accepts, the silent failures, the critical ones and their rate."""
    counts, rate = entry["counts"], entry["metrics"]["silent_critical_rate"]
    share = ""
    if "mean" in rate:
        share = f"{100 * rate['mean']:.1f} %, {100 * rate['low']:.1f} to {100 * rate['high']:.1f}"
    failures = Cell(f"{counts['silent']:.1f} of {counts['failures']:.1f}")
    critical = Cell(f"{counts['silent_critical']:.1f} of {counts['critical']:.1f}", share)
    return Cell(f"{100 * counts['coverage']:.0f} %", parts=(failures, critical), value=counts["coverage"])


def confident(setting: Entry) -> Table:
    """Whether the most confident failures are richer in critical ones, and in how many shifts."""
    leaders = leading(setting)
    sides: dict[str, Counter[str]] = {name: Counter() for name in leaders}
    rows = []
    for shift in setting["shifts"]:
        by_score, line = _by_score(shift), {}
        for name in leaders:
            metric = by_score[name]["metrics"][CONFIDENT] if name in by_score else None
            cell = cells.difference(metric, "mean")
            sides[name][side(cell)] += 1
            line[name] = replace(cell, remark=side(cell) or cell.remark)
        rows.append(Row(title(shift), line))
    counts = {
        name: Cell(f"{by['richer']}; {by['poorer']}; {by['not told apart']}") for name, by in sides.items()
    }
    return Table(
        "Critical share of confident failures", "shift", {name: name for name in leaders},
        (*rows, Row("richer; poorer; not told apart", counts)),
        "Share of critical errors among the most confident third of the failures minus that among the other "
        "failures, 95 % interval over patients: above 0, the most confident failures are richer in critical "
        "ones. A dash: fewer than ten failures, or none or all of them critical.",
    )  # fmt: skip


def side(cell: Cell) -> str:
    """What an interval of a difference in shares of critical errors says; "" without one.

    >>> side(Cell("+0.2", low=0.1, high=0.3)), side(Cell("+0.2", low=-0.1, high=0.5))
    ('richer', 'not told apart')
    """
    if cell.low is None or cell.high is None:
        return ""
    return "richer" if cell.low > 0 else "poorer" if cell.high < 0 else "not told apart"


def against(setting: Entry) -> Table:
    """In how many shifts the AURC of a score is measurably below or above the reference's."""
    columns = {"lower": "lower", "higher": "higher", "undecided": "not told apart"}
    rows = [
        Row(entry["score"], {code: Cell(str(entry[code])) for code in columns})
        for entry in setting["against"]
    ]
    return Table(
        "Against the reference", "score", columns, tuple(rows),
        "Shifts (i.i.d. included) in which the AURC is measurably lower or higher than that of "
        f"{setting['reference']} (95 % interval of the paired difference without 0; not adjusted for many "
        "looks).",
    )  # fmt: skip


def missing(setting: Entry) -> list[str]:
    """Scores that do not apply, each with the reason."""
    return [f"{entry['score']}: {entry['why']}." for entry in setting["not_applicable"]]
