"""Turn a bench of scores into what its template prints: who finds the failures, and which stay silent."""

from __future__ import annotations

from collections.abc import Sequence

from primum.judge.metrics.table import METRICS, codes
from primum.report import cells, figures, score_tables, shift_figures, words
from primum.report.cells import Entry
from primum.report.pictures import Picture, pack
from primum.report.score_tables import title


def of(bench: Entry) -> dict[str, object]:
    """Build everything the template needs for a bench of scores (``primum.bench_scores/1``)."""
    passes = int(bench.get("passes") or 0)
    return {
        "title": str(bench.get("name") or "bench"),
        "facts": [
            words.counted(len(bench["settings"]), "comparison", "comparisons"),
            f"{cells.machine(bench)} over patients",
        ],
        "level": "95 %",
        "coverage": words.number(bench.get("coverage"), "accuracy").replace(".0", ""),
        "settings": [setting(entry, f"setting-{at}", passes) for at, entry in enumerate(bench["settings"])],
    }


def setting(entry: Entry, prefix: str, passes: int) -> dict[str, object]:
    """One data set and network."""
    reference = entry["reference"]
    return {
        "id": prefix,
        "name": f"{entry['data']}, {entry['network']}",
        "facts": score_tables.facts(entry, passes),
        "lead": lead(entry),
        "heat": [heat(entry, prefix)],
        "means": means(entry, prefix),
        "ranks": score_tables.mean_ranks(entry),
        "lines": over_intensity(entry, prefix),
        "silent": score_tables.silent(entry),
        "confident": score_tables.confident(entry),
        "against": score_tables.against(entry),
        "by_shift": score_tables.by_shift(entry),
        "tables": [
            (score_tables.every_metric(shift, reference), score_tables.counted(shift))
            for shift in entry["shifts"]
        ],
        "missing": score_tables.missing(entry),
    }


def lead(entry: Entry) -> str:
    """Who comes first by AURC, how surely, and how the reference fares."""
    rankings = score_tables.rankings(entry)
    if not rankings:
        return "No scores could be ranked."
    group, reference = rankings[0], entry["reference"]
    rows = {row["score"]: row for row in group["rows"]}
    best = group["rows"][0]
    over = f"{group['shifts']} shifts" if group["over"] == score_tables.OVERALL else "the i.i.d. rows"
    text = (
        f"By AURC over {over}, {best['score']} has the best mean rank, {best['rank']:.1f} of {len(rows)} "
        f"({best['low']:.1f} to {best['high']:.1f}); it is first in {100 * best['first']:.0f} % of bootstrap "
        "replicates."
    )
    if best["score"] == reference or reference not in rows:
        return text
    row = rows[reference]
    return f"{text} {reference} has {row['rank']:.1f} ({row['low']:.1f} to {row['high']:.1f})."


def heat(entry: Entry, prefix: str) -> Picture:
    """Ranks of all scores in all shifts."""
    rankings, shifts = score_tables.rankings(entry), entry["shifts"]
    order = [str(row["score"]) for row in rankings[0]["rows"]] if rankings else []
    order += [name for name in score_tables.names(entry) if name not in order]
    columns = [{row["score"]: row for row in shift["rows"]} for shift in shifts]
    ranks, texts = [], []
    for name in order:
        rows = [column.get(name) for column in columns]
        ranks.append([None if row is None else row["ranks"]["aurc"].get("rank") for row in rows])
        texts.append(
            [
                "" if row is None else spoken(name, title(shift), row)
                for shift, row in zip(shifts, rows, strict=True)
            ]
        )
    return pack(
        shift_figures.heat_map(order, [title(shift) for shift in shifts], ranks, texts),
        f"{prefix}-heat",
        "Rank of every score by AURC within every shift",
        "Rank by AURC within each shift, dark is first; scores in the order of their mean rank",
    )


def spoken(name: str, where: str, row: Entry) -> str:
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


def means(entry: Entry, prefix: str) -> list[Picture]:
    """Mean ranks by AURC, and by failure AUROC, which does not depend on how many answers are wrong."""
    pictures = []
    for code in codes("ranked"):
        rankings, head = score_tables.rankings(entry, code), METRICS[code].head
        if not rankings:
            continue
        rows = [
            figures.Whisker(
                row["score"], row["rank"], row["low"], row["high"],
                f"{row['rank']:.1f}, first in {100 * row['first']:.0f} %",
            )
            for row in rankings[0]["rows"]
        ]  # fmt: skip
        over = rankings[0]["over"]
        pictures.append(
            pack(
                figures.dots_and_whiskers(rows, f"mean rank by {head}, {over}"), f"{prefix}-mean-{code}",
                f"Mean rank of every score by {head}, with bootstrap intervals",
                f"Mean rank by {head} over {over}; 1 is best",
            )
        )  # fmt: skip
    return pictures


def over_intensity(entry: Entry, prefix: str) -> list[Picture]:
    """AURC and silent failures against intensity, one pair of pictures per corruption."""
    unshifted, leaders = score_tables.unshifted(entry), score_tables.leading(entry)
    levels: dict[str, list[tuple[int, Entry]]] = {}
    for shift in entry["shifts"]:
        if shift["kind"] == "corruption":
            levels.setdefault(shift["shift"], [(0, unshifted)]).append((int(shift["level"]), shift))
    pictures = []
    for at, (corruption, points) in enumerate(levels.items()):
        points.sort(key=lambda point: point[0])
        for code, axis, percent in (
            ("aurc", "AURC", False), ("silent_failure_rate", "silent failures, share of all cases", True),
        ):  # fmt: skip
            lines = [drawable for name in leaders if (drawable := line(name, points, code)).level]
            pictures.append(
                pack(
                    shift_figures.over_intensity(lines, axis, percent),
                    f"{prefix}-{code}-{at}",
                    f"{axis} over the intensity of {corruption}, one line per score",
                    f"{corruption}: {axis}",
                )
            )
    return pictures


def line(name: str, points: Sequence[tuple[int, Entry]], code: str) -> shift_figures.Line:
    """One score's metric at every intensity where there is one."""
    metrics = []
    for level, shift in points:
        metric: Entry = next((row["metrics"][code] for row in shift["rows"] if row["score"] == name), {})
        if "mean" in metric:
            metrics.append((level, metric))
    return shift_figures.Line(
        name,
        [level for level, _ in metrics],
        *([metric[key] for _, metric in metrics] for key in ("mean", "low", "high")),
    )
