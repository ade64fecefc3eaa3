"""The tables of a bench of scores as Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from primum.bench.markdown import escaped
from primum.judge.metrics.table import METRICS, codes

HEADS = {code: METRICS[code].head for code in codes("score_table")} | {"cost_aurc": "cost-weighted AURC"}
CONFIDENT = "critical_share_confident"
MOST = 6  # scores that get a column of their own


def markdown(content: Mapping[str, Any]) -> str:
    """Tables of every data set and network of ``primum.bench_scores/1`` content."""
    content = escaped(content)
    lines = [f"# {content['name']}", ""]
    for setting in content["settings"]:
        lines += [f"## {setting['data']}, {setting['network']}", "", facts(setting, content), ""]
        for part in (_ranks, _iid, _by_shift, _silent, _confident, _against, _missing):
            lines += [*part(setting), ""]
    machine = content["machine"]
    lines.append(
        f"primum {content['version']}, {machine['processor']}, {machine['cores']} cores, "
        f"Python {machine['python']}; {content['bootstrap']} bootstrap replicates over patients. "
        "Every figure of every shift and seed: findings.parquet; every silent failure: silent.parquet."
    )
    return "\n".join(lines) + "\n"


def facts(setting: Mapping[str, Any], content: Mapping[str, Any]) -> str:
    """What a setting stands on, in sentences."""
    seeds, dropout = ", ".join(map(str, setting["seeds"])), setting["dropout"]
    where = [f"{value} in the {name}" for name, value in dropout.items() if value]
    drops = f"dropout {' and '.join(where)}, {content['passes']} passes" if where else "no dropout"
    return (
        f"Trunk {setting['trunk']}, {drops}; seeds {seeds}; severity {setting['severity']}. Means over "
        "seeds. AURC depends on the base rate of errors, so scores are ranked within a shift and AURC is "
        "never averaged over shifts. Scores over passes speak of the answers of the mean softmax, those of "
        "Deep Gamblers of another network's answers: mind the accuracy. Operating thresholds accept "
        f"{100 * content['coverage']:.0f} % of the calibration rows."
    )


def title(shift: Mapping[str, Any]) -> str:
    """What a shift is called."""
    level = "" if shift["level"] is None else f" {shift['level']}"
    without = f" (trained without {shift['without']})" if shift["kind"] == "iid" and shift["without"] else ""
    kind = "left out: " if shift["kind"] == "left_out" else ""
    return f"{kind}{shift['shift']}{level}{without}"


def shown_scores(setting: Mapping[str, Any]) -> list[str]:
    """The scores with a column of their own: the reference, MSR, learned ones, the best, a distance."""
    overall = [one for one in setting["ranks"] if one["metric"] == "aurc"]
    best = [max(overall, key=lambda one: one["shifts"])["rows"][0]["score"]] if overall else []
    there = [one["score"] for one in setting["scores"]]
    wanted = [setting["reference"], "msr", "combined", *best, "vim", "confidnet", "dg_mcd_msr"]
    return list(dict.fromkeys(name for name in wanted if name in there))[:MOST]


def _ranks(setting: Mapping[str, Any]) -> list[str]:
    """Mean rank by AURC within each group of shifts: rows scores, columns groups."""
    found = [one for one in setting["ranks"] if one["metric"] == "aurc"]
    if not found:
        return ["No scores could be ranked."]
    found.sort(key=lambda one: one["over"] != "all shifts")
    by = [{row["score"]: row for row in one["rows"]} for one in found]
    heads = [f"{one['over']} ({one['shifts']})" for one in found]
    lines = [
        "Mean rank by AURC (1 = best; 95 % interval; share of bootstrap replicates in which it is first). "
        "Behind a group the number of shifts; the intensities of one corruption count as one.",
        "",
        f"| score | {' | '.join(heads)} |",
        "|---|" + "---|" * len(heads),
    ]
    for row in found[0]["rows"]:
        cells = [_ranked(rows.get(row["score"])) for rows in by]
        lines.append(f"| {row['score']} | {' | '.join(cells)} |")
    return lines


def _ranked(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return "–"
    return f"{row['rank']:.1f} ({row['low']:.1f} to {row['high']:.1f}), {100 * row['first']:.0f} %"


def _iid(setting: Mapping[str, Any]) -> list[str]:
    """Every metric of every score on the i.i.d. test rows."""
    shift = next(one for one in setting["shifts"] if one["kind"] == "iid" and not one["without"])
    lines = [
        f"i.i.d. test rows: {counted(shift)}. Difference in AURC to {setting['reference']}, paired over "
        "patients.",
        "",
        f"| score | accuracy | {' | '.join(HEADS.values())} | AURC − reference |",
        "|---|---|" + "---|" * (len(HEADS) + 1),
    ]
    for row in shift["rows"]:
        cells = [value(row["metrics"][code]) for code in HEADS]
        apart = difference(row["metrics"]["aurc"].get("difference"))
        name = "(reference)" if row["score"] == setting["reference"] else apart
        lines.append(f"| {row['score']} | {row['counts']['accuracy']:.3f} | {' | '.join(cells)} | {name} |")
    return lines


def _by_shift(setting: Mapping[str, Any]) -> list[str]:
    """AURC of a few scores in every shift, and who is first there."""
    names = shown_scores(setting)
    lines = [
        f"AURC in every shift, with the difference to {setting['reference']}.",
        "",
        f"| shift | n | of a critical class | accuracy | {' | '.join(names)} | least AURC (share of "
        "replicates first) |",
        "|---|---|---|---|" + "---|" * (len(names) + 1),
    ]
    for shift in setting["shifts"]:
        rows = {row["score"]: row for row in shift["rows"]}
        cells = []
        for name in names:
            metric = rows[name]["metrics"]["aurc"] if name in rows else {}
            apart = difference(metric.get("difference"))
            cells.append(value(metric) + (f" [{apart}]" if apart else ""))
        accuracy = f"{rows[setting['reference']]['counts']['accuracy']:.3f}"
        lines.append(
            f"| {title(shift)} | {shift['n']} | {shift['of_critical']} | {accuracy} | {' | '.join(cells)} | "
            f"{_first(shift)} |"
        )
    return lines


def _first(shift: Mapping[str, Any]) -> str:
    ranked = [row for row in shift["rows"] if "rank" in row["ranks"]["aurc"]]
    if not ranked:
        return "–"
    best = min(ranked, key=lambda row: float(row["ranks"]["aurc"]["rank"]))
    return f"{best['score']} ({100 * best['ranks']['aurc']['first']:.0f} %)"


def _silent(setting: Mapping[str, Any]) -> list[str]:
    """The failures that remain at the operating threshold, of them the critical ones."""
    names = shown_scores(setting)
    heads = [f"{name}: accepted; silent of failures; critical silent of critical" for name in names]
    critical = ", ".join(f"{true} called {called}" for true, called in setting["critical"])
    lines = [
        "Silent failures that remain at the operating threshold (means over seeds), with the silent critical "
        f"rate among the cases of critical classes and its exact interval. Critical: {critical}.",
        "",
        f"| shift | {' | '.join(heads)} |",
        "|---|" + "---|" * len(names),
    ]
    for shift in setting["shifts"]:
        rows = {row["score"]: row for row in shift["rows"]}
        cells = [remaining(rows[name]) if name in rows else "–" for name in names]
        lines.append(f"| {title(shift)} | {' | '.join(cells)} |")
    return lines


def remaining(row: Mapping[str, Any]) -> str:
    """What one score lets through in one shift."""
    counts, rate = row["counts"], row["metrics"]["silent_critical_rate"]
    share = "" if "mean" not in rate else f" ({100 * rate['mean']:.1f} %, {_percent(rate)})"
    return (
        f"{100 * counts['coverage']:.0f} %; {counts['silent']:.1f} of {counts['failures']:.1f}; "
        f"{counts['silent_critical']:.1f} of {counts['critical']:.1f}{share}"
    )


def _percent(metric: Mapping[str, Any]) -> str:
    return f"{100 * metric['low']:.1f} to {100 * metric['high']:.1f}"


def _confident(setting: Mapping[str, Any]) -> list[str]:
    """Are the most confident failures richer in critical ones?"""
    names = shown_scores(setting)
    lines = [
        "Share of critical errors among the most confident third of the failures minus that among the other "
        "failures, 95 % interval over patients: above 0, the most confident failures are richer in critical "
        "ones. A dash: fewer than ten failures, or none or all of them critical.",
        "",
        f"| shift | {' | '.join(names)} |",
        "|---|" + "---|" * len(names),
    ]
    told: dict[str, Counter[int]] = {name: Counter() for name in names}
    for shift in setting["shifts"]:
        rows = {row["score"]: row for row in shift["rows"]}
        metrics = [rows[name]["metrics"][CONFIDENT] if name in rows else {} for name in names]
        lines.append(f"| {title(shift)} | {' | '.join(_signed(metric) for metric in metrics)} |")
        for name, metric in zip(names, metrics, strict=True):
            if "mean" in metric:
                told[name][(metric["low"] > 0) - (metric["high"] < 0)] += 1
    counts = [f"{told[name][1]}; {told[name][-1]}; {told[name][0]}" for name in names]
    return [*lines, f"| richer; poorer; not told apart | {' | '.join(counts)} |"]


def _signed(metric: Mapping[str, Any]) -> str:
    if "mean" not in metric:
        return "–"
    return f"{metric['mean']:+.3f} ({metric['low']:+.3f} to {metric['high']:+.3f})".replace("-", "−")


def _against(setting: Mapping[str, Any]) -> list[str]:
    lines = [
        "Shifts (i.i.d. included) in which the AURC is measurably lower or higher than that of "
        f"{setting['reference']} (95 % interval of the paired difference without 0; not adjusted for many "
        "looks).",
        "",
        "| score | lower | higher | not told apart |",
        "|---|---|---|---|",
    ]
    rows: Sequence[Mapping[str, Any]] = setting["against"]
    return lines + [
        f"| {row['score']} | {row['lower']} | {row['higher']} | {row['undecided']} |" for row in rows
    ]


def _missing(setting: Mapping[str, Any]) -> list[str]:
    lines = [f"- {row['score']}: {row['why']}." for row in setting["not_applicable"]]
    return ["Scores that do not apply:", "", *lines] if lines else ["Every score applies."]


def counted(shift: Mapping[str, Any]) -> str:
    """How many cases a shift has, and of whom."""
    patients = f" of {shift['patients']} patients or lesions" if shift["patients"] else ""
    return f"{shift['n']} cases{patients}, {shift['of_critical']} of a critical class"


def value(metric: Mapping[str, Any]) -> str:
    """A seed-mean with its interval."""
    if "mean" not in metric:
        return "–"
    return f"{metric['mean']:.3f} ({metric['low']:.3f} to {metric['high']:.3f})"


def difference(found: Mapping[str, Any] | None) -> str:
    """A difference with its interval, or nothing."""
    if not found or "value" not in found:
        return ""
    return f"{found['value']:+.3f} ({found['low']:+.3f} to {found['high']:+.3f})".replace("-", "−")
