"""Turn a bench of scores into what its template shows: who finds the failures, and which stay silent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from primum.judge.metrics.table import METRICS, codes
from primum.report import figures, shift_figures, words
from primum.report.pictures import Picture, pack

CONFIDENT = "critical_share_confident"
CODES = {code: words.opening(METRICS[code].head) for code in codes("score_bench")}
MOST = 5  # scores with a column of their own
OVERALL = "all shifts"
Row = Mapping[str, Any]


def of(bench: Mapping[str, Any]) -> dict[str, Any]:
    """Build everything the template needs for a bench of scores (``primum.bench_scores/1``)."""
    machine = bench.get("machine") or {}
    share = words.number(bench.get("coverage"), "accuracy").replace(".0", "")
    return {
        "title": str(bench.get("name") or "bench"),
        "facts": [
            words.counted(len(bench["settings"]), "comparison", "comparisons"),
            words.counted(bench.get("bootstrap"), "bootstrap replicate", "bootstrap replicates"),
            f"primum {bench.get('version')}",
            f"{machine.get('processor')}, {machine.get('cores')} cores",
        ],
        "level": "95 %",
        "coverage": share,
        "settings": [
            setting(one, f"setting-{at}", int(bench.get("passes") or 0))
            for at, one in enumerate(bench["settings"])
        ],
    }


def setting(given: Mapping[str, Any], prefix: str, passes: int) -> dict[str, Any]:
    """One data set and network."""
    names, shifts = shown_scores(given), given["shifts"]
    return {
        "id": prefix,
        "name": f"{given['data']}, {given['network']}",
        "facts": facts(given, passes),
        "lead": lead(given),
        "reference": given["reference"],
        "names": names,
        "heat": [heat(given, prefix)],
        "means": means(given, prefix),
        "lines": over_intensity(given, names, prefix),
        "remaining": [remaining(shift, names) for shift in shifts],
        "confident": [confident(shift, names) for shift in shifts],
        "critical": ", ".join(f"{true} called {called}" for true, called in given["critical"]),
        "against": given["against"],
        "heads": list(CODES.values()),
        "tables": [table(shift, given["reference"]) for shift in shifts],
        "missing": [f"{one['score']}: {one['why']}." for one in given["not_applicable"]],
    }


def facts(given: Mapping[str, Any], passes: int) -> str:
    """What the setting stands on."""
    where = [f"{value} in the {name}" for name, value in given["dropout"].items() if value]
    drops = f"dropout {' and '.join(where)}, {passes} passes" if where else "no dropout"
    seeds = ", ".join(map(str, given["seeds"]))
    return f"trunk {given['trunk']}; {drops}; seeds {seeds}; severity {given['severity']}"


def title(shift: Row) -> str:
    """What a shift is called."""
    level = "" if shift["level"] is None else f" {shift['level']}"
    without = f" without {shift['without']}" if shift["kind"] == "iid" and shift["without"] else ""
    left = "left out: " if shift["kind"] == "left_out" else ""
    return f"{left}{shift['shift']}{level}{without}"


def shown_scores(given: Mapping[str, Any]) -> list[str]:
    """The scores with a column of their own: the reference, MSR, learned ones, the best, a distance."""
    overall = ranking(given)
    there = [str(one["score"]) for one in given["scores"]]
    best = [str(overall["rows"][0]["score"])] if overall else []
    wanted = [str(given["reference"]), "msr", "combined", *best, "vim", "confidnet", "dg_mcd_msr"]
    return list(dict.fromkeys(name for name in wanted if name in there))[:MOST]


def ranking(given: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Mean ranks by AURC over all shifts; without shifts those of the i.i.d. rows."""
    found: list[Mapping[str, Any]] = [one for one in given["ranks"] if one["metric"] == "aurc"]
    found.sort(key=lambda one: one["over"] != OVERALL)
    return found[0] if found else None


def lead(given: Mapping[str, Any]) -> str:
    """Who comes first by AURC, how surely, and how the reference fares."""
    found = ranking(given)
    if found is None:
        return "No scores could be ranked."
    rows = {row["score"]: row for row in found["rows"]}
    best, reference = found["rows"][0], given["reference"]
    over = f"{found['shifts']} shifts" if found["over"] == OVERALL else "the i.i.d. rows"
    said = (
        f"By AURC over {over}, {best['score']} has the best mean rank, {best['rank']:.1f} of {len(rows)} "
        f"({best['low']:.1f} to {best['high']:.1f}); it is first in {100 * best['first']:.0f} % of bootstrap "
        "replicates."
    )
    if best["score"] == reference or reference not in rows:
        return said
    own = rows[reference]
    return f"{said} {reference} has {own['rank']:.1f} ({own['low']:.1f} to {own['high']:.1f})."


def heat(given: Mapping[str, Any], prefix: str) -> Picture:
    """Ranks of all scores in all shifts."""
    overall, shifts = ranking(given), given["shifts"]
    order = [str(row["score"]) for row in overall["rows"]] if overall else []
    order += [one["score"] for one in given["scores"] if one["score"] not in order]
    cells = [{row["score"]: row for row in shift["rows"]} for shift in shifts]
    ranks, said = [], []
    for name in order:
        found = [rows.get(name) for rows in cells]
        ranks.append([None if row is None else row["ranks"]["aurc"].get("rank") for row in found])
        said.append(
            [
                "" if row is None else spoken(name, title(shift), row)
                for shift, row in zip(shifts, found, strict=True)
            ]
        )
    return pack(
        shift_figures.heat_map(order, [title(shift) for shift in shifts], ranks, said),
        f"{prefix}-heat",
        "Rank of every score by AURC within every shift",
        "Rank by AURC within each shift, dark is first; scores in the order of their mean rank",
    )


def spoken(name: str, where: str, row: Row) -> str:
    """A cell of the heat map in words."""
    ranked, area = row["ranks"]["aurc"], row["metrics"]["aurc"]
    cell = f"{figures.plain(name)}, {figures.plain(where)}"
    if "rank" not in ranked:
        return f"{cell}: not ranked"
    return (
        f"{cell}<br>rank {ranked['rank']:g} ({ranked['low']:.0f} to "
        f"{ranked['high']:.0f}), first in {100 * ranked['first']:.0f} % of replicates<br>"
        f"AURC {area['mean']:.4f} ({area['low']:.4f} to {area['high']:.4f})"
    )


def means(given: Mapping[str, Any], prefix: str) -> list[Picture]:
    """Mean ranks by AURC, and by failure AUROC, which does not depend on how many answers are wrong."""
    pictures = []
    for code, named in (("aurc", "AURC"), ("failure_auroc", "failure AUROC"), ("cost_aurc", "cost AURC")):
        found = [one for one in given["ranks"] if one["metric"] == code]
        found.sort(key=lambda one: one["over"] != OVERALL)
        if not found:
            continue
        rows = [
            figures.Whisker(
                row["score"], row["rank"], row["low"], row["high"],
                f"{row['rank']:.1f}, first in {100 * row['first']:.0f} %",
            )
            for row in found[0]["rows"]
        ]  # fmt: skip
        over = found[0]["over"]
        pictures.append(
            pack(
                figures.dots_and_whiskers(rows, f"mean rank by {named}, {over}"), f"{prefix}-mean-{code}",
                f"Mean rank of every score by {named}, with bootstrap intervals",
                f"Mean rank by {named} over {over}; 1 is best",
            )
        )  # fmt: skip
    return pictures


def over_intensity(given: Mapping[str, Any], names: Sequence[str], prefix: str) -> list[Picture]:
    """AURC and silent failures against intensity, one pair of pictures per corruption."""
    own = next(one for one in given["shifts"] if one["kind"] == "iid" and not one["without"])
    corruptions = dict.fromkeys(one["shift"] for one in given["shifts"] if one["kind"] == "corruption")
    pictures = []
    for at, corruption in enumerate(corruptions):
        levels = [
            (one["level"], one)
            for one in given["shifts"]
            if one["kind"] == "corruption" and one["shift"] == corruption
        ]
        points = [(0, own), *sorted(levels, key=lambda pair: int(pair[0]))]
        for code, what, percent in (
            ("aurc", "AURC", False), ("silent_failure_rate", "silent failures, share of all cases", True),
        ):  # fmt: skip
            drawn = [line(name, points, code) for name in names]
            pictures.append(
                pack(
                    shift_figures.over_intensity([one for one in drawn if one["level"]], what, percent),
                    f"{prefix}-{code}-{at}",
                    f"{what} over the intensity of {corruption}, one line per score",
                    f"{corruption}: {what}",
                )
            )
    return pictures


def line(name: str, points: Sequence[tuple[int, Row]], code: str) -> dict[str, Any]:
    """One score's metric at every intensity where it is known."""
    known = []
    for level, shift in points:
        metric: Row = next((row["metrics"][code] for row in shift["rows"] if row["score"] == name), {})
        if "mean" in metric:
            known.append((level, metric))
    return {
        "name": name,
        "level": [level for level, _ in known],
        **{
            key: [metric[found] for _, metric in known]
            for key, found in (("value", "mean"), ("low", "low"), ("high", "high"))
        },
    }


def remaining(shift: Row, names: Sequence[str]) -> dict[str, Any]:
    """What each shown score lets through at its operating threshold in one shift."""
    rows = {row["score"]: row for row in shift["rows"]}
    return {
        "name": title(shift),
        "n": words.counted(shift["n"]),
        "of_critical": words.number(shift["of_critical"], "n"),
        "cells": [let_through(rows[name]) if name in rows else None for name in names],
    }


def let_through(row: Row) -> dict[str, Any]:
    """Failures and critical failures at or above the threshold, of all there are."""
    counts, rate = row["counts"], row["metrics"]["silent_critical_rate"]
    span = words.span("silent_critical_rate", rate.get("low"), rate.get("high")) if "mean" in rate else ""
    return {
        "silent": f"{counts['silent']:.1f} of {counts['failures']:.1f}",
        "critical": f"{counts['silent_critical']:.1f} of {counts['critical']:.1f} critical",
        "some": counts["silent_critical"] > 0,
        "rate": f"{words.number(rate['mean'], 'silent_critical_rate')} ({span})" if span else "",
        "accepted": f"{words.number(counts['coverage'], 'accuracy')} accepted",
    }


def confident(shift: Row, names: Sequence[str]) -> dict[str, Any]:
    """Whether the most confident failures are richer in critical ones, by each shown score."""
    rows = {row["score"]: row for row in shift["rows"]}
    return {
        "name": title(shift),
        "cells": [richer(rows[name]["metrics"][CONFIDENT]) if name in rows else None for name in names],
    }


def richer(metric: Row) -> dict[str, str]:
    """A difference of two shares with its interval, and what it says."""
    if "mean" not in metric:
        return {"value": words.NOTHING, "span": str(metric["why_not"]), "said": ""}
    apart = "richer" if metric["low"] > 0 else "poorer" if metric["high"] < 0 else "not told apart"
    return {"value": signed(metric["mean"]), "span": between(metric), "said": apart}


def table(shift: Row, reference: str) -> dict[str, Any]:
    """Every metric of every score in one shift."""
    return {
        "name": title(shift),
        "facts": f"{words.counted(shift['n'])}, {shift['of_critical']} of a critical class",
        "rows": [
            {
                "score": row["score"],
                "reference": row["score"] == reference,
                "accuracy": f"{row['counts']['accuracy']:.3f}",
                "cells": [measured(row["metrics"][code]) for code in CODES],
                "difference": apart(row["metrics"]["aurc"].get("difference")),
                "rank": row["ranks"]["aurc"].get("rank"),
            }
            for row in shift["rows"]
        ],
    }


def measured(metric: Row) -> dict[str, str]:
    """A seed-mean and its interval, or why there is none."""
    if "mean" not in metric:
        return {"value": words.NOTHING, "span": str(metric["why_not"])}
    return {"value": f"{metric['mean']:.3f}", "span": f"{metric['low']:.3f}–{metric['high']:.3f}"}


def apart(found: Row | None) -> dict[str, str]:
    """A difference to the reference with its interval."""
    if not found or "value" not in found:
        return {"value": "", "span": ""}
    return {"value": signed(found["value"]), "span": between(found)}


def signed(value: float) -> str:
    """A number with its sign."""
    return f"{value:+.3f}".replace("-", words.MINUS)


def between(found: Row) -> str:
    """An interval of a signed number."""
    return f"{signed(found['low'])} to {signed(found['high'])}"
