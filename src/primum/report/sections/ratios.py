"""What a critical error weighs: the cost of every rule and policy as it weighs 2 to 50 false alarms."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from primum.judge.sections.deferral import CostRatioCurve
from primum.report import figures, tables, words
from primum.report.pictures import Picture, pack

TICKS = (2, 3, 5, 10, 20, 30, 50)
HIGHEST = 3.0  # drawn: three times the cost of the best constant answer


def of(curves: Sequence[CostRatioCurve], prefix: str) -> dict[str, object]:
    """A picture of every rule, and of every policy with its reader, and their numbers.

    Args:
        curves: of the section. prefix: of the ids.
    """
    drawn = curves[: figures.MOST_CURVES]
    more = f"; {len(curves) - len(drawn)} more in the table" if len(curves) > len(drawn) else ""
    return {
        "pictures": [_picture(drawn, f"{prefix}ratios", more)] if drawn else [],
        "heads": [f"{ratio:.3g}" for ratio in curves[0].ratio] if curves else [],
        "rows": [
            (
                _name(curve),
                [
                    {"cost": words.number(cost), "span": words.span("", low, high)}
                    for cost, low, high in zip(curve.cost, curve.low, curve.high, strict=True)
                ],
            )
            for curve in curves
        ],
    }


def _name(curve: CostRatioCurve) -> str:
    if curve.policy is None:
        return words.opening(tables.rule_name((curve.rule, curve.calibrated)))
    if not curve.reader_cost and not curve.reader_errs:
        return f"{curve.policy}, free reader"
    errs = ", who errs" if curve.reader_errs else ""
    return f"{curve.policy}, reader at {curve.reader_cost or 0:.2g} false alarms{errs}"


def _picture(curves: Sequence[CostRatioCurve], name: str, more: str) -> Picture:
    titles = [figures.folded(_name(curve)) for curve in curves]
    entries = figures.legend_lines(titles)
    figure, top = figures.blank(390 + 20 * entries), 0.0
    for place, (curve, title) in enumerate(zip(curves, titles, strict=True)):
        colour = figures.CURVES[place % len(figures.CURVES)]
        _band(figure, curve, colour)
        figure.add_scatter(
            x=list(curve.ratio), y=list(curve.cost), mode="lines", name=title,
            customdata=list(zip(curve.low, curve.high, strict=True)),
            line={"color": colour, "dash": figures.DASHES[place % len(figures.DASHES)], "width": 2},
            hovertemplate="%{x:.3g} : 1, cost %{y:.3f}, interval %{customdata[0]:.3f}–%{customdata[1]:.3f}"
            "<extra></extra>",
        )  # fmt: skip
        top = max(top, *curve.high)
    figure.add_hline(y=1, line={"color": figures.SOFT, "width": 1, "dash": "dot"})
    figure.update_xaxes(
        title_text="one critical error weighs so many false alarms", type="log",
        tickvals=TICKS, ticktext=[str(tick) for tick in TICKS],
    )  # fmt: skip
    figure.update_yaxes(title_text="cost, 1 = best constant answer", range=[0, min(1.05 * top, HIGHEST)])
    figure.update_layout(
        showlegend=True, legend={"y": -0.24, "yanchor": "top"}, margin={"b": 86 + 20 * entries}
    )
    alt = "Cost against the ratio of a critical error to a false alarm, one line per rule and policy"
    return pack(figure, name, alt, f"Cost of each rule and policy{more}")


def _band(figure: go.Figure, curve: CostRatioCurve, colour: str) -> None:
    """The interval as an area of its own, so that a legend entry stands for the line alone."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    figure.add_scatter(
        x=[*curve.ratio, *reversed(curve.ratio)], y=[*curve.high, *reversed(curve.low)], mode="lines",
        fill="toself", fillcolor=f"rgba({red},{green},{blue},0.09)", line={"width": 0}, hoverinfo="skip",
        showlegend=False,
    )  # fmt: skip
