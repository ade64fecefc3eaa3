"""What the colours and symbols of a scatter mean; red is kept for critical errors alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from dash import html
from dash.development.base_component import Component

from primum.core.arrays import Floats, Integers, Strings
from primum.explore.app import parts
from primum.explore.app.stage import Stage
from primum.report import figures, words

SYMBOLS = ("circle", "square", "diamond", "cross", "x", "circle-open", "square-open", "diamond-open")
SHAPES = {
    "circle": "<circle cx='8' cy='8' r='5'/>",
    "square": "<rect x='3.5' y='3.5' width='9' height='9'/>",
    "diamond": "<path d='M8 2 14 8 8 14 2 8Z'/>",
    "cross": "<path d='M6 2h4v4h4v4h-4v4H6v-4H2V6h4Z'/>",
    "x": "<path d='M4.2 2 8 5.8 11.8 2 14 4.2 10.2 8 14 11.8 11.8 14 8 10.2 4.2 14 2 11.8 5.8 8 2 4.2Z'/>",
}
COLOURS = ("#0b5c94", "#d98e04", "#00876c", "#7a5aa6", "#4aa3d8", "#8a6d3b", "#1c2733")
GREY, RIGHT = "#9fadb8", "#c5d0d8"
MOST_VALUES = 12
MOST_LISTED = 24


@dataclass(frozen=True)
class Colouring:
    """How the points are coloured: by groups with a colour each, or by a number on a scale.

    Attributes:
        title: what the colour stands for.
        group: (N,) place of each case in ``names``, or None on a scale.
        names, colours: of the groups.
        value: (N,) number of each case, NaN where there is none, or None with groups.
    """

    title: str
    group: Integers | None = None
    names: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    value: Floats | None = None


def options(stage: Stage) -> list[dict[str, str]]:
    """What a scatter can be coloured by."""
    choices = [
        ("domain", "set of cases"),
        ("confusion", "confusion: truth and answer"),
        ("label", "true class"),
        ("predicted", "answer"),
        *((f"score_{name}", f"confidence: {parts.score_name(name)}") for name in stage.scene.scores),
        *((f"column {name}", f"column: {name}") for name in stage.columns),
    ]
    if len(stage.domains) == 1:
        choices = [*choices[1:], choices[0]]
    return [{"value": value, "label": label} for value, label in choices]


def by(stage: Stage, choice: str) -> Colouring:
    """The colouring of every case of a scene by one of :func:`options`."""
    cases = stage.cases
    if choice == "confusion":
        return _confusions(cases)
    if choice.startswith("score_"):
        value = cases[choice].cast(pl.Float64).fill_null(np.nan).to_numpy()
        return Colouring(f"confidence: {choice.removeprefix('score_')}", value=value)
    column = choice.removeprefix("column ")
    if column not in cases.columns:
        column = "domain"
    values = cases[column]
    if values.dtype.is_numeric() and values.n_unique() > MOST_VALUES:
        return Colouring(column, value=values.cast(pl.Float64).fill_null(np.nan).to_numpy())
    title = {"domain": "set of cases", "label": "true class", "predicted": "answer"}.get(column, column)
    order = {"domain": stage.domains, "label": stage.scene.classes, "predicted": stage.scene.classes}
    return _groups(title, values.cast(pl.String).fill_null("not known"), order.get(column, ()))


def symbols(stage: Stage) -> Strings:
    """(N,) symbol of each case's true class; above eight classes they are used again."""
    markers = np.array([SYMBOLS[at % len(SYMBOLS)] for at in range(len(stage.scene.classes))])
    return np.where(stage.scene.labels < 0, "circle", markers[stage.scene.labels])


def legend(stage: Stage, colouring: Colouring, marked: bool) -> list[Component]:
    """What symbols, colours and rings mean, as lists under the figure."""
    lists = [classes(stage)]
    if colouring.group is not None:
        swatches = [
            html.Li([html.I(style={"background": colour}), name])
            for name, colour in zip(colouring.names, colouring.colours, strict=True)
        ]
        lists.append(html.Ul([html.Li(html.B(f"Colour: {colouring.title}")), *swatches], className="legend"))
    if marked:
        rings = [
            _ring("wrong", figures.SOFT, 1.2),
            _ring("wrong and silent: confident all the same", figures.INK, 2.2),
        ]
        if stage.scene.critical is not None:
            rings.append(_ring("silent and critical", figures.CRITICAL, 2.4))
        lists.append(html.Ul([html.Li(html.B("Ring")), *rings], className="legend"))
    return lists


def classes(stage: Stage) -> Component:
    """The symbol of each class, of the first 24 where there are more."""
    entries = [
        html.Li([_symbol(SYMBOLS[at % len(SYMBOLS)]), name])
        for at, name in enumerate(stage.scene.classes[:MOST_LISTED])
    ]
    more = len(stage.scene.classes) - MOST_LISTED
    remainder = [html.Li(f"and {more} more")] if more > 0 else []
    again = [html.Li("symbols are used again after eight classes")] if len(entries) > len(SYMBOLS) else []
    return html.Ul([html.Li(html.B("Symbol: true class")), *entries, *remainder, *again], className="legend")


def _confusions(cases: pl.DataFrame) -> Colouring:
    """Right answers pale, the commonest confusions in a colour each, critical ones first."""
    outcomes = cases.select(
        pl.when(pl.col("correct")).then(pl.lit("right"))
        .when(pl.col("correct").is_null()).then(pl.lit("truth not known"))
        .otherwise(pl.col("label") + " called " + pl.col("predicted")).alias("confusion"),
        "critical", "correct",
    )  # fmt: skip
    ranked = (
        outcomes.filter(~pl.col("correct"))
        .group_by("confusion")
        .agg(pl.len().alias("n"), pl.col("critical").any())
        .sort(["critical", "n", "confusion"], descending=[True, True, False])["confusion"]
        .to_list()
    )
    commonest = ranked[: len(COLOURS)]
    names = ["right", *commonest]
    colours = [RIGHT, *COLOURS[: len(commonest)]]
    if len(ranked) > len(commonest):
        names.append(f"{len(ranked) - len(commonest)} rarer confusions")
        colours.append(GREY)
    if cases["correct"].null_count():
        names.append("truth not known")
        colours.append("#e3d9c6")
    place = {name: at for at, name in enumerate(names)}
    rarer = len(commonest) + 1
    group = np.array([place.get(name, rarer) for name in outcomes["confusion"].to_list()], dtype=np.int64)
    return Colouring("confusion", group, tuple(names), tuple(colours))


def _groups(title: str, values: pl.Series, order: tuple[str, ...]) -> Colouring:
    """A colour for each of the commonest values, the rest together."""
    counts = values.value_counts(sort=True)
    common = counts[values.name].to_list()
    ordered = [name for name in order if name in common] or common
    coloured = ordered[: len(COLOURS)]
    names, colours = list(coloured), list(COLOURS[: len(coloured)])
    if len(ordered) > len(coloured) or set(common) - set(ordered):
        names.append("all others")
        colours.append(GREY)
    place = {name: at for at, name in enumerate(coloured)}
    group = np.array([place.get(name, len(coloured)) for name in values.to_list()], dtype=np.int64)
    return Colouring(
        title,
        group,
        tuple(words.opening(str(name)) if name == "all others" else str(name) for name in names),
        tuple(colours),
    )


def _symbol(name: str) -> Component:
    return _svg(
        SHAPES[name.removesuffix("-open")],
        "none" if name.endswith("-open") else figures.SOFT,
        figures.SOFT,
        1.6,
    )


def _ring(text: str, colour: str, width: float) -> Component:
    return html.Li([_svg("<circle cx='8' cy='8' r='6'/>", "none", colour, width), text])


def _svg(shape: str, fill: str, stroke: str, width: float) -> Component:
    """A small drawing as a picture of its own, since dash has no SVG."""
    from urllib.parse import quote

    picture = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><g fill='{fill}' stroke='{stroke}' "
        f"stroke-width='{width}'>{shape}</g></svg>"
    )
    return html.Img(src=f"data:image/svg+xml,{quote(picture)}", alt="", width=16, height=16)
