"""What could be promised: the share of negatives cleared, and of cases deferred, at each alpha."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import plotly.graph_objects as go

from primum.judge.sections.deferral import PolicyAttainable, PolicyRecord
from primum.report import figures, words
from primum.report.pictures import pack

TICKS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
Value = Callable[[PolicyAttainable], float | None]


def _cleared(point: PolicyAttainable) -> float | None:
    return point.cleared


def _deferred(point: PolicyAttainable) -> float | None:
    return point.deferred_share


def of(policies: Sequence[PolicyRecord], prefix: str) -> dict[str, object]:
    """Two pictures with a line for each policy that tried other alphas, and their numbers.

    Args:
        policies: of the audit, named. prefix: of the ids.
    """
    curves = [policy for policy in policies if policy.attainable][: figures.MOST_CURVES]
    if not curves:
        return {"pictures": [], "rows": [], "alphas": []}
    alphas = sorted({point.alpha for policy in curves for point in policy.attainable})
    sides: tuple[tuple[str, str, Value], ...] = (
        ("cleared", "Negatives cleared", _cleared),
        ("deferred", "Cases deferred", _deferred),
    )
    return {
        "pictures": [
            pack(
                _figure(curves, value, title.lower()),
                f"{prefix}attainable-{name}",
                f"{title}, of the fit rows, against the alpha that is promised, one line per policy",
                f"{title}, fit rows",
            )
            for name, title, value in sides
        ],
        "alphas": [words.level(alpha) for alpha in alphas],
        "rows": [(policy.name, _cells(policy, alphas)) for policy in curves],
    }


def _cells(policy: PolicyRecord, alphas: Sequence[float]) -> list[dict[str, str] | None]:
    points = {point.alpha: point for point in policy.attainable}
    return [
        {
            "cleared": words.number(points[alpha].cleared, "accuracy"),
            "deferred": words.number(points[alpha].deferred_share, "deferred_share"),
        }
        if alpha in points
        else None
        for alpha in alphas
    ]


def _figure(curves: Sequence[PolicyRecord], value: Value, title: str) -> go.Figure:
    names = [figures.folded(policy.name) for policy in curves]
    entries = figures.legend_lines(names)
    figure = figures.blank(350 + 20 * entries)
    for place, (policy, name) in enumerate(zip(curves, names, strict=True)):
        drawn = [point for point in policy.attainable if value(point) is not None]
        colour = figures.CURVES[place % len(figures.CURVES)]
        figure.add_scatter(
            x=[point.alpha for point in drawn], y=[value(point) for point in drawn], mode="lines+markers",
            name=name,
            line={"color": colour, "dash": figures.DASHES[place % len(figures.DASHES)], "width": 2},
            marker={
                "color": colour,
                "size": [12 if point.alpha == policy.alpha else 5 for point in drawn],
                "symbol": ["diamond" if point.alpha == policy.alpha else "circle" for point in drawn],
            },
            hovertemplate=f"alpha %{{x:.3~%}}: %{{y:.1%}} {title}",
        )  # fmt: skip
    figure.update_xaxes(
        title_text="alpha: critical cases wrongly cleared, at most", type="log",
        tickvals=TICKS, ticktext=[f"{100 * tick:g}%" for tick in TICKS],
    )  # fmt: skip
    figure.update_yaxes(title_text=f"share of {title}", tickformat=".0%", range=[-0.03, 1.03])
    figure.update_layout(
        showlegend=True, legend={"y": -0.3, "yanchor": "top"}, margin={"b": 86 + 20 * entries}
    )
    return figure
