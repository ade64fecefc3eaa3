"""Pictures of a bench of scores: ranks as a heat map, and metrics over the intensity of a corruption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from primum.report import figures

BEST, WORST = "#0b5c94", "#f5f7f9"
ROW, LETTER = 24, 6  # pixels
LONGEST = 38  # letters of a shift


@dataclass(frozen=True)
class Line:
    """A score's metric over the intensities of a corruption: lists of one length."""

    name: str
    level: Sequence[int]
    value: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


def heat_map(
    scores: Sequence[str],
    shifts: Sequence[str],
    ranks: Sequence[Sequence[float | None]],
    texts: Sequence[Sequence[str]],
) -> go.Figure:
    """Draw the rank of every score (row) in every shift (column); dark is first, a gap could not be ranked.

    Args:
        scores, shifts: names. ranks: per score, one rank per shift or None. texts: the words for each cell.
    """
    names = [figures.plain(name, LONGEST) for name in shifts]
    below = 20 + LETTER * max(map(len, names), default=0)
    figure = figures.blank(below + 10 + ROW * len(scores))
    last = max((rank for row in ranks for rank in row if rank is not None), default=2.0)
    figure.add_trace(
        go.Heatmap(
            z=[list(row) for row in ranks], x=list(range(len(shifts))), y=list(range(len(scores))),
            customdata=[list(row) for row in texts], hovertemplate="%{customdata}<extra></extra>",
            colorscale=[[0, BEST], [1, WORST]], zmin=1, zmax=max(last, 2.0), xgap=1, ygap=1,
            hoverongaps=False, showscale=False,
        )
    )  # fmt: skip
    figure.update_xaxes(
        tickvals=list(range(len(shifts))), ticktext=names, tickangle=-90, showgrid=False, ticks="",
        tickfont={"size": 10.5}, showline=False,
    )  # fmt: skip
    figure.update_yaxes(
        tickvals=list(range(len(scores))), ticktext=[figures.plain(name, 18) for name in scores],
        autorange="reversed", showgrid=False, ticks="", tickfont={"size": 11}, showline=False,
    )  # fmt: skip
    figure.update_layout(margin={"l": 108, "r": 6, "t": 4, "b": below})
    return figure


def over_intensity(lines: Sequence[Line], title: str, percent: bool = False) -> go.Figure:
    """Draw a metric against the intensity of a corruption, one line per score; 0 is the image as it came.

    Args:
        lines: one per score. title: of the axis. percent: the metric is a share.
    """
    figure = figures.blank(340)
    for at, line in enumerate(lines):
        colour = figures.CURVES[at % len(figures.CURVES)]
        bars = {
            "type": "data", "symmetric": False, "thickness": 1, "width": 3, "color": colour,
            "array": [high - value for high, value in zip(line.high, line.value, strict=True)],
            "arrayminus": [value - low for low, value in zip(line.low, line.value, strict=True)],
        }  # fmt: skip
        figure.add_scatter(
            # Lines are set side by side, so that their intervals do not cover one another.
            x=[level + 0.06 * (at - (len(lines) - 1) / 2) for level in line.level], y=line.value,
            mode="lines+markers", name=figures.plain(line.name), error_y=bars,
            line={"color": colour, "width": 2, "dash": figures.DASHES[at % len(figures.DASHES)]},
            hovertemplate="%{y:.1%}" if percent else "%{y:.3f}",
        )  # fmt: skip
    figure.update_xaxes(title_text="intensity (0: as it came)", tickvals=list(range(6)), range=[-0.4, 5.4])
    figure.update_yaxes(title_text=title, rangemode="tozero", tickformat=".0%" if percent else "")
    figure.update_layout(showlegend=True)
    return figure
