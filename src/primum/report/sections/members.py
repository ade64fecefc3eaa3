"""Several models on the same cases: who is right where they differ, and who is strong where."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
from markupsafe import Markup

from primum.judge.sections.members import MemberPair, MembersSection, Share, Stratum
from primum.report import drawings, figures, words
from primum.report.pictures import pack
from primum.report.tables import Cell, Column, Row, Table

MOST_PAIRS = 6
MOST_ROWS = 24


def of(section: MembersSection, prefix: str) -> dict[str, object]:
    """Build the view of the section; ``prefix`` keeps the ids of two audits apart."""
    apart = [pair for pair in section.pairs if pair.differ]
    widest = sorted(apart, key=lambda pair: -pair.differ)[:MOST_PAIRS]
    more = ", the pairs that differ most" if len(apart) > len(widest) else ""
    alt = "Of the cases on which two members differ: only the first right, only the second, neither"
    caption = f"Cases on which two members differ{more}"
    rows, hidden = _chosen(section.rows)
    return {
        "id": f"{prefix}members",
        "lead": lead(section),
        "pictures": [pack(bars(widest), f"{prefix}members-pairs", alt, caption)] if widest else [],
        "pairs": [_pair(pair) for pair in section.pairs],
        "strengths": _strengths(section, rows),
        "hidden": hidden,
        "clustered": section.clustered,
    }


def bars(pairs: Sequence[MemberPair]) -> go.Figure:
    """Draw one bar per pair of members, of the cases on which they differ; names stand above the bars."""
    figure = figures.blank(120 + 62 * len(pairs), barmode="stack", bargap=0.6)
    for name, colour, counts in (
        ("only the first right", figures.BLUE, [pair.first_right for pair in pairs]),
        ("only the second right", figures.CURVES[1], [pair.second_right for pair in pairs]),
        ("neither right", "#b9c2ca", [pair.neither_right for pair in pairs]),
    ):
        figure.add_bar(
            x=counts, y=list(range(len(pairs))), orientation="h", name=name,
            marker={"color": colour}, hovertemplate=f"{name}: %{{x}}<extra></extra>",
        )  # fmt: skip
    for place, pair in enumerate(pairs):
        figure.add_annotation(
            text=f"{figures.plain(pair.first)} and {figures.plain(pair.second)}", xref="paper", x=0,
            xanchor="left", y=place - 0.25, yanchor="bottom", showarrow=False, font={"size": 12.5},
        )  # fmt: skip
    figure.update_xaxes(title_text="cases", rangemode="tozero")
    figure.update_yaxes(range=[len(pairs) - 0.5, -0.8], visible=False)
    figure.update_layout(margin={"l": 8}, showlegend=True, legend={"traceorder": "normal"})
    return figure


def lead(section: MembersSection) -> str:
    """Say on how many cases the members differ, who is right there, and what no combination can mend."""
    differ, two = section.differ, len(section.names) == 2
    members = "two members" if two else f"{len(section.names)} members"
    sentence = (
        f"The {members} give different answers to {words.number(differ.count, 'n')} of "
        f"{words.counted(section.n)} ({words.number(differ.value, 'accuracy')}, interval {_span(differ)})"
    )
    if two and differ.count:
        pair = section.pairs[0]
        sentence += (
            f"; there {pair.first} alone is right in {words.number(pair.first_right, 'n')}, "
            f"{pair.second} alone in {words.number(pair.second_right, 'n')}, neither in "
            f"{words.number(pair.neither_right, 'n')}"
        )
    wrong = words.number(section.none_right.count, "n")
    return f"{sentence}. {'Both' if two else 'All'} are wrong in {wrong}."


def _span(share: Share) -> str:
    return words.span("accuracy", share.low, share.high)


def _pair(pair: MemberPair) -> dict[str, object]:
    share = pair.share
    return {
        "first": pair.first,
        "second": pair.second,
        "differ": words.number(pair.differ, "n"),
        "first_right": words.number(pair.first_right, "n"),
        "second_right": words.number(pair.second_right, "n"),
        "neither_right": words.number(pair.neither_right, "n"),
        "share": share and {
            "value": words.number(share.value, "accuracy"),
            "span": _span(share),
            "n": words.number(share.n, "n"),
            "bar": drawings.interval(share.value, share.low, share.high, mark=0.5),
        },
        "p": "–" if share is None else _p(pair.p),
    }  # fmt: skip


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _chosen(rows: Sequence[Stratum]) -> tuple[list[Stratum], int]:
    """All cases, then the classes and groups; of many, those on which members are furthest apart."""
    overall = [row for row in rows if row.kind == "all"]
    parts = [row for row in rows if row.kind != "all"]
    if len(parts) <= MOST_ROWS:
        return overall + parts, 0

    def spread(row: Stratum) -> int:
        counts = [member.right.count for member in row.members]
        return max(counts) - min(counts)

    widest = sorted(range(len(parts)), key=lambda place: (-spread(parts[place]), place))[:MOST_ROWS]
    return overall + [parts[place] for place in sorted(widest)], len(parts) - MOST_ROWS


def _strengths(section: MembersSection, rows: Sequence[Stratum]) -> Table:
    audited = [] if section.audited is None else [section.audited]
    heads = [*section.names, *audited, "at least one member"]
    return Table(
        [Column(name, words.scale(0, 1, "accuracy")) for name in heads],
        [Row(f"{row.name}, n = {words.number(row.n, 'n')}", _cells(row)) for row in rows],
    )


def _cells(row: Stratum) -> list[Cell]:
    cells = [_cell(member.right, f"only it right: {member.only_right}") for member in row.members]
    if row.audited is not None:
        cells.append(_cell(row.audited))
    return [*cells, _cell(row.oracle, f"none right: {row.none_right}")]


def _cell(share: Share, more: str = "") -> Cell:
    """A share for the table, with a second line where there is ``more`` to say."""
    span = Markup("{}<br>{}").format(_span(share), more) if more else _span(share)
    bar = drawings.interval(share.value, share.low, share.high)
    return Cell(words.number(share.value, "accuracy"), span, None, bar)
