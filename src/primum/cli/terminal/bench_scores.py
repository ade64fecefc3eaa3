"""What a bench of scores found."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.markup import escape

from primum.cli.terminal import console, titled

OVERALL = "all shifts"


def show_bench_scores(content: Mapping[str, Any], out: Path) -> None:
    """Print mean ranks and what stays silent on the i.i.d. rows, and where the rest lies."""
    for setting in content["settings"]:
        found = [one for one in setting["ranks"] if one["metric"] == "aurc"]
        found.sort(key=lambda one: one["over"] != OVERALL)
        if not found:
            continue
        own = next(one for one in setting["shifts"] if one["kind"] == "iid" and not one["without"])
        silent = {row["score"]: row["counts"] for row in own["rows"]}
        over = f"{found[0]['over']} ({found[0]['shifts']})"
        title = f"{setting['data']}, {setting['network']}: mean rank by AURC, {over}"
        table = titled(title, ("score", "rank", "95 %", "first", "silent, i.i.d.", "critical"), 5)
        for row in found[0]["rows"]:
            counts = silent[row["score"]]
            table.add_row(
                escape(row["score"]), f"{row['rank']:.1f}", f"{row['low']:.1f}–{row['high']:.1f}",
                f"{100 * row['first']:.0f} %", f"{counts['silent']:.1f} of {counts['failures']:.1f}",
                f"{counts['silent_critical']:.1f} of {counts['critical']:.1f}",
            )  # fmt: skip
        console.print(table)
        for one in setting["not_applicable"]:
            console.print(f"{one['score']}: {escape(one['why'])}", soft_wrap=True)
    console.print(f"report: {escape(str(out / 'report.html'))}", soft_wrap=True)
