"""Several models on the same cases: who is right where they differ, and who is strong where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from markupsafe import Markup

from primum.report import drawings, figures, words
from primum.report.pictures import pack

MOST_PAIRS = 6
MOST_ROWS = 24
PARTS = {
    "first_right": ("only the first right", figures.BLUE),
    "second_right": ("only the second right", figures.CURVES[1]),
    "neither_right": ("neither right", "#b9c2ca"),
}


def of(content: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Build the view of the section.

    Args:
        content: what ``curves.members`` of an audit holds.
        prefix: keeps the ids of two audits apart.
    """
    pairs = list(content["pairs"])
    apart = [pair for pair in pairs if pair["differ"]]
    shown = sorted(apart, key=lambda pair: -int(pair["differ"]))[:MOST_PAIRS]
    more = ", the pairs that differ most" if len(apart) > len(shown) else ""
    spoken = "Of the cases on which two members differ: only the first right, only the second, neither"
    caption = f"Cases on which two members differ{more}"
    pictures = [pack(bars(shown), f"{prefix}members-pairs", spoken, caption)] if shown else []
    rows, hidden = _kept(content["rows"])
    return {
        "id": f"{prefix}members",
        "lead": lead(content),
        "pictures": pictures,
        "pairs": [_pair(pair) for pair in pairs],
        "strengths": _strengths(content, rows),
        "hidden": hidden,
        "clustered": bool(content["clustered"]),
    }


def bars(pairs: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Draw one bar per pair of members, of the cases on which they differ; names stand above the bars."""
    figure = figures.blank(120 + 62 * len(pairs), barmode="stack", bargap=0.6)
    for key, (said, colour) in PARTS.items():
        figure.add_bar(
            x=[pair[key] for pair in pairs], y=list(range(len(pairs))), orientation="h", name=said,
            marker={"color": colour}, hovertemplate=f"{said}: %{{x}}<extra></extra>",
        )  # fmt: skip
    for at, pair in enumerate(pairs):
        figure.add_annotation(
            text=f"{figures.plain(pair['first'])} and {figures.plain(pair['second'])}", xref="paper", x=0,
            xanchor="left", y=at - 0.25, yanchor="bottom", showarrow=False, font={"size": 12.5},
        )  # fmt: skip
    figure.update_xaxes(title_text="cases", rangemode="tozero")
    figure.update_yaxes(range=[len(pairs) - 0.5, -0.8], visible=False)
    figure.update_layout(margin={"l": 8}, showlegend=True, legend={"traceorder": "normal"})
    return figure


def lead(content: Mapping[str, Any]) -> str:
    """Say on how many cases the members differ, who is right there, and what no combination can mend."""
    differ, none = content["differ"], content["none_right"]
    n, names = content["n"], content["names"]
    who = "two members" if len(names) == 2 else f"{len(names)} members"
    said = (
        f"The {who} give different answers to {words.number(differ['count'], 'n')} of {words.counted(n)} "
        f"({words.number(differ['value'], 'accuracy')}, interval {_span(differ)})"
    )
    if len(names) == 2 and differ["count"]:
        pair = content["pairs"][0]
        said += (
            f"; there {pair['first']} alone is right in {words.number(pair['first_right'], 'n')}, "
            f"{pair['second']} alone in {words.number(pair['second_right'], 'n')}, neither in "
            f"{words.number(pair['neither_right'], 'n')}"
        )
    every = "both" if len(names) == 2 else "all"
    return f"{said}. {words.opening(every)} are wrong in {words.number(none['count'], 'n')}."


def _span(share: Mapping[str, Any]) -> str:
    return words.span("accuracy", share["low"], share["high"])


def _pair(pair: Mapping[str, Any]) -> dict[str, Any]:
    counts = {
        key: words.number(pair[key], "n")
        for key in ("differ", "first_right", "second_right", "neither_right")
    }
    share = pair["share"]
    return {
        "first": pair["first"],
        "second": pair["second"],
        **counts,
        "share": None if share is None else {
            "value": words.number(share["value"], "accuracy"),
            "span": _span(share),
            "n": words.number(share["n"], "n"),
            "bar": drawings.interval(share["value"], share["low"], share["high"], mark=0.5),
        },
        "p": "–" if share is None else _p(pair["p"]),
    }  # fmt: skip


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _kept(rows: Sequence[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], int]:
    """All cases, then the classes and groups; of many, those on which members are furthest apart."""
    first = [row for row in rows if row["kind"] == "all"]
    rest = [row for row in rows if row["kind"] != "all"]
    if len(rest) <= MOST_ROWS:
        return first + rest, 0

    def spread(row: Mapping[str, Any]) -> int:
        found = [int(one["right"]["count"]) for one in row["members"]]
        return max(found) - min(found)

    widest = sorted(range(len(rest)), key=lambda at: (-spread(rest[at]), at))[:MOST_ROWS]
    return first + [rest[at] for at in sorted(widest)], len(rest) - MOST_ROWS


def _strengths(content: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    audited = content["audited"]
    heads = [*content["names"], *([] if audited is None else [audited]), "at least one member"]
    return {
        "columns": [{"name": name, "scale": words.scale(0, 1, "accuracy")} for name in heads],
        "rows": [{"name": _named(row), "cells": _cells(row)} for row in rows],
        "missing": [],
    }


def _named(row: Mapping[str, Any]) -> str:
    return f"{row['name']}, n = {words.number(row['n'], 'n')}"


def _cells(row: Mapping[str, Any]) -> list[dict[str, Any] | None]:
    found = [_cell(one["right"], f"only it right: {one['only_right']}") for one in row["members"]]
    if row["audited"] is not None:
        found.append(_cell(row["audited"]))
    return [*found, _cell(row["oracle"], f"none right: {row['none_right']}")]


def _cell(share: Mapping[str, Any], more: str = "") -> dict[str, Any]:
    """A share for the table, in the fields the macro ``cells`` reads."""
    return {
        "value": words.number(share["value"], "accuracy"),
        "span": Markup("{}<br>{}").format(_span(share), more) if more else _span(share),
        "n": None,
        "bar": drawings.interval(share["value"], share["low"], share["high"]),
        "verdict": "",
        "said": "",
        "critical": False,
    }
