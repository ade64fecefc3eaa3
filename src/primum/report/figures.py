"""One Plotly figure per picture, and the one template of their looks; nothing is computed here."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from primum.judge.sections.overview import RiskCoverage
from primum.judge.sections.reliability import Bin

INK, SOFT, LINE, PAPER = "#1c2733", "#5d6b78", "#dfe5ea", "#ffffff"
BLUE, CRITICAL = "#0b5c94", "#c2261b"
# Okabe and Ito's colour-blind-safe set without its vermilion: red is kept for critical errors alone.
CURVES = ("#0b5c94", "#d98e04", "#00876c", "#7a5aa6", "#4aa3d8", "#5d6b78", "#8a6d3b", "#1c2733")
DASHES = ("solid", "dash", "dot", "dashdot")
MOST_CURVES = len(CURVES)
MOST_POINTS = 400
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


AXIS = {
    "showgrid": True, "gridcolor": LINE, "linecolor": SOFT, "showline": True, "zeroline": False,
    "ticks": "outside", "tickcolor": SOFT, "ticklen": 4, "fixedrange": True,
    "title": {"standoff": 8, "font": {"color": SOFT, "size": 12.5}},
}  # fmt: skip
TEMPLATE = go.layout.Template(
    layout={
        "margin": {"l": 56, "r": 22, "t": 12, "b": 48},
        "font": {"family": FONT, "size": 13, "color": INK},
        "paper_bgcolor": PAPER,
        "plot_bgcolor": PAPER,
        "colorway": CURVES,
        "hoverlabel": {"bgcolor": PAPER, "bordercolor": LINE, "font": {"color": INK}},
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
        "dragmode": False,
        "xaxis": AXIS,
        "yaxis": AXIS,
    }
)  # colours, fonts, margins of every figure of a report, a bench page and the explorer


@dataclass(frozen=True)
class Whisker:
    """One row of :func:`dots_and_whiskers`.

    Attributes:
        name: stands above the row. value, low, high: the point and the ends of its interval, if any.
        text: the value in words, below the name. critical: drawn in the colour of critical errors.
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    text: str = ""
    critical: bool = False


def plain(text: object, longest: int = 44) -> str:
    """Make a user's text safe for Plotly, which reads ``<b>`` and ``<a>`` in labels as markup.

    >>> plain("<b>"), plain("a long name", 8)
    ('&lt;b&gt;', 'a long …')
    """
    label = str(text)
    return html.escape(label if len(label) <= longest else label[: longest - 1] + "…", quote=False)


def folded(text: object, longest: int = 42) -> str:
    """A name of any length for a legend, in lines that fit a phone; safe as :func:`plain`.

    >>> folded("At most 10 % critical errors · critical_mass, veto knn")
    'At most 10 % critical errors ·<br>critical_mass, veto knn'
    """
    return "<br>".join(plain(line, longest) for line in textwrap.wrap(str(text), longest)[:3])


def legend_lines(names: Iterable[str]) -> int:
    """Lines that folded names take in a legend."""
    return sum(name.count("<br>") + 1 for name in names)


def blank(height: int, **layout: object) -> go.Figure:
    """An empty figure of ``height`` pixels in the looks of the page."""
    return go.Figure(layout={"template": TEMPLATE, "height": height, **layout})


def reliability(bins: Sequence[Bin]) -> go.Figure:
    """Draw confidence against accuracy with intervals, and below it how many cases each bin holds."""
    figure = blank(400, bargap=0.06, showlegend=False)
    accuracy = [bin.accuracy for bin in bins]
    lows = [bin.accuracy if bin.accuracy_low is None else bin.accuracy_low for bin in bins]
    highs = [bin.accuracy if bin.accuracy_high is None else bin.accuracy_high for bin in bins]
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": SOFT, "width": 1, "dash": "dot"}, hoverinfo="skip"
    )
    figure.add_scatter(
        x=[bin.confidence for bin in bins],
        y=accuracy,
        mode="lines+markers",
        line={"color": BLUE, "width": 1.5},
        marker={"size": 7, "color": BLUE},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [high - right for right, high in zip(accuracy, highs, strict=True)],
            "arrayminus": [right - low for right, low in zip(accuracy, lows, strict=True)],
            "color": BLUE,
            "thickness": 1,
            "width": 3,
        },
        customdata=[[low, high, bin.n] for bin, low, high in zip(bins, lows, highs, strict=True)],
        hovertemplate="said %{x:.1%}, right %{y:.1%}<br>interval %{customdata[0]:.1%}–%{customdata[1]:.1%}"
        "<br>n = %{customdata[2]}<extra></extra>",
    )
    figure.add_bar(
        x=[(bin.low + bin.high) / 2 for bin in bins],
        y=[bin.n for bin in bins],
        width=[bin.high - bin.low for bin in bins],
        marker={"color": "#a9c3d6"},
        yaxis="y2",
        hovertemplate="n = %{y}<extra></extra>",
    )
    start = max(0.0, min([bin.low for bin in bins], default=0.0) - 0.02)
    figure.update_xaxes(
        title_text="confidence: what the model said", tickformat=".0%", range=[start, 1.01], anchor="y2"
    )
    lowest = min([*lows, start])
    figure.update_yaxes(
        title_text="share that was right", tickformat=".0%", range=[max(-0.02, lowest - 0.03), 1.03]
    )
    figure.update_layout(
        yaxis={"domain": [0.27, 1]},
        yaxis2={"domain": [0, 0.17], "nticks": 3, "title": {"text": "cases"}},
    )
    return figure


def risk_coverage(
    curves: Sequence[RiskCoverage], *, joint: bool = False, at: float | None = None
) -> go.Figure:
    """Draw the risk among accepted cases against the share accepted, one line per confidence score.

    Args:
        curves: of one residual, at most eight of them.
        joint: draw the generalised risk, of all cases, in place of that of the accepted.
        at: the operating coverage, drawn as a line.
    """
    figure = blank(320 + 20 * len(curves))
    cost = any(curve.residual == "cost" for curve in curves)
    value = "cost %{y:.3f}" if cost else "%{y:.1%} wrong"
    for place, (curve, name) in enumerate(zip(curves, curve_names(curves), strict=True)):
        figure.add_scatter(
            x=thin(curve.coverage),
            y=thin(curve.generalized_risk if joint else curve.risk),
            mode="lines",
            name=plain(name),
            line={"color": CURVES[place % len(CURVES)], "dash": DASHES[place % len(DASHES)], "width": 2},
            hovertemplate=f"accepted %{{x:.0%}}: {value}<extra></extra>",
        )
    if at is not None:
        figure.add_vline(x=at, line={"color": SOFT, "width": 1, "dash": "dot"})
    title = ("mean cost" if cost else "share wrong") + (", of all cases" if joint else ", of the accepted")
    figure.update_xaxes(title_text="share of cases the model answers", tickformat=".0%", range=[0, 1.01])
    figure.update_yaxes(title_text=title, rangemode="tozero", tickformat="" if cost else ".0%")
    figure.update_layout(showlegend=True)
    return figure


def trade_off(curves: Sequence[Mapping[str, Any]], points: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Draw critical error rate against specificity, one curve per loss, the decisions marked on it.

    Args:
        curves: ``loss``, ``specificity`` and ``cer`` lists.
        points: ``loss``, ``decision`` (argmax or bayes), ``specificity``, ``cer``, or None.
    """
    figure = blank(520)
    marked = [point for point in points if point["cer"] is not None and point["specificity"] is not None]
    for at, curve in enumerate(curves):
        colour = CURVES[at % len(CURVES)]
        line = {"color": colour, "width": 2, "dash": DASHES[at // len(CURVES) % len(DASHES)]}
        figure.add_scatter(
            x=curve["specificity"], y=curve["cer"], mode="lines", name=plain(curve["loss"]), line=line,
            legendgroup=curve["loss"], hovertemplate="specificity %{x:.0%}: %{y:.1%} missed",
        )  # fmt: skip
        for point in marked:
            if point["loss"] != curve["loss"]:
                continue
            symbol = "circle" if point["decision"] == "argmax" else "diamond"
            figure.add_scatter(
                x=[point["specificity"]], y=[point["cer"]], mode="markers", showlegend=False,
                legendgroup=curve["loss"], name=plain(f"{curve['loss']}, {point['decision']}"),
                marker={"size": 10, "color": colour, "symbol": symbol, "line": {"color": PAPER, "width": 1}},
                hovertemplate="specificity %{x:.1%}: %{y:.1%} missed",
            )  # fmt: skip
    start = max(0.0, min((point["specificity"] for point in marked), default=0.0) - 0.05)
    end = min(1.0, max((point["cer"] for point in marked), default=1.0) + 0.05)
    figure.update_xaxes(title_text="specificity", tickformat=".0%", range=[start, 1.005])
    figure.update_yaxes(title_text="critical error rate", tickformat=".0%", range=[-0.01 * end, end])
    figure.update_layout(showlegend=True, legend={"y": -0.16, "yanchor": "top"}, margin={"b": 150})
    return figure


def curve_names(curves: Sequence[RiskCoverage]) -> list[str]:
    """Name curves by score, adding decision and calibration only where they tell curves apart.

    >>> curve_names([RiskCoverage(score="msr", decision=rule) for rule in ("argmax", "bayes")])
    ['msr · argmax', 'msr · bayes']
    """
    decisions = {curve.decision for curve in curves}
    states = {curve.calibrated for curve in curves}
    names = []
    for curve in curves:
        parts = [curve.score]
        if len(decisions) > 1:
            parts.append(str(curve.decision))
        if len(states) > 1:
            parts.append("raw" if curve.calibrated in (None, "none") else str(curve.calibrated))
        names.append(" · ".join(parts))
    return names


def thin(values: Sequence[float]) -> list[float]:
    """Keep at most 400 evenly spaced points of a curve, first and last among them, for drawing only.

    >>> len(thin([0.1] * 1000))
    400
    """
    if len(values) <= MOST_POINTS:
        return list(values)
    step = (len(values) - 1) / (MOST_POINTS - 1)
    return [values[round(at * step)] for at in range(MOST_POINTS)]


def dots_and_whiskers(
    rows: Sequence[Whisker], title: str, *, percent: bool = False, zero: bool = False
) -> go.Figure:
    """Draw values with intervals, one row each: costs by decision rule, or paired differences.

    Args:
        rows: top first. Names stand above their row, so that they fit a phone.
        title: the axis title.
        percent: values are shares; show percentage points.
        zero: draw the line of no difference.
    """
    figure = blank(84 + 62 * len(rows), showlegend=False)
    unit = 100 if percent else 1
    for place, row in enumerate(rows):
        colour = CRITICAL if row.critical else BLUE
        bars = None
        if row.low is not None and row.high is not None:
            bars = {
                "type": "data", "symmetric": False, "thickness": 2, "width": 5, "color": colour,
                "array": [unit * (row.high - row.value)], "arrayminus": [unit * (row.value - row.low)],
            }  # fmt: skip
        figure.add_scatter(
            x=[unit * row.value], y=[place], mode="markers", marker={"size": 9, "color": colour},
            error_x=bars, hovertemplate="%{x:.3f}<extra></extra>",
        )  # fmt: skip
        text = f"<br><span style='color:{SOFT}'>{plain(row.text)}</span>" if row.text else ""
        figure.add_annotation(
            text=plain(row.name, 60) + text, xref="paper", x=0, xanchor="left", y=place, yanchor="bottom",
            yshift=5, align="left", showarrow=False, font={"size": 12.5}, bgcolor="rgba(255,255,255,0.8)",
        )  # fmt: skip
    if zero:
        figure.add_vline(x=0, line={"color": INK, "width": 1})
    figure.update_xaxes(title_text=title + (", percentage points" if percent else ""))
    figure.update_xaxes(rangemode="normal" if zero else "tozero")
    figure.update_yaxes(range=[len(rows) - 0.75, -0.95], visible=False)
    figure.update_layout(margin={"l": 8, "t": 4, "b": 48})
    return figure
