"""Two models side by side on the same cases: where they part, and what each said there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from primum.core.arrays import Integers
from primum.explore.app import case, colouring, parts, scatter
from primum.explore.app.colouring import Colouring
from primum.explore.app.stage import Click, Finder, Stage
from primum.report import words

NAME, TITLE = "comparison", "Two models"
INTRO = (
    "Both models on the cases they share. Each has a map of its own, made from what that network sees, so "
    "positions compare inside a map, not between the two. Click a point to see the case as both models "
    "answered it."
)
KINDS = ("both right", "only the first wrong", "only the second wrong", "both wrong", "truth not known")
COLOURS = (colouring.RIGHT, "#d98e04", "#4aa3d8", "#1c2733", "#e3d9c6")
EMPTY = "Click a point in either map to see what both models said of it."


def panel(stages: Sequence[Stage]) -> list[Component]:
    """Which two, which cases, the counts, the two maps, and the chosen case under each."""
    named = [{"value": stage.number, "label": stage.scene.name} for stage in stages]
    subsets = {"": "all shared cases", **{kind: kind for kind in KINDS[:4]}, "differ": "answers differ"}
    controls = [
        parts.field("First", parts.select("first", named, 0)),
        parts.field("Second", parts.select("second", named, 1)),
        parts.field(
            "Show", parts.select("parting", [{"value": k, "label": v} for k, v in subsets.items()], "")
        ),
        parts.choices("comparison-dimensions", {"3": "3-D", "2": "2-D"}, "2"),
    ]
    sides = [
        html.Div(
            [
                html.H3(id=f"{side}-name"),
                dcc.Graph(
                    id=f"{side}-scatter",
                    config={**parts.PLOT, "scrollZoom": True},
                    style={"height": "min(480px, 80vh)"},
                ),
                html.Div(id=f"{side}-case"),
            ]
        )
        for side in ("first", "second")
    ]
    return [
        dcc.Store(id="both-key"),
        html.P(INTRO, className="intro"),
        html.Div(controls, className="controls row live"),
        html.P(id="comparison-said", className="said", role="status"),
        html.Div(id="comparison-counts"),
        html.Div(sides, className="halves"),
        parts.actions(NAME, "Save these cases (CSV)"),
    ]


def connect(app: Dash, find: Finder) -> None:
    """Draw both maps alike, and let a click in one show the case in both."""
    selectors = {
        "first": Input("first", "value"),
        "second": Input("second", "value"),
        "parting": Input("parting", "value"),
    }

    @app.callback(
        output={
            "said": Output("comparison-said", "children"),
            "counts": Output("comparison-counts", "children"),
            "names": (Output("first-name", "children"), Output("second-name", "children")),
            "figures": (Output("first-scatter", "figure"), Output("second-scatter", "figure")),
        },
        inputs={
            **selectors,
            "dimensions": Input("comparison-dimensions", "value"),
            "tab": Input("tab", "value"),
            "key": Input("both-key", "data"),
        },
    )
    def draw(
        *, first: int, second: int, parting: str, dimensions: str, tab: str, key: str | None
    ) -> dict[str, object]:
        if tab != NAME:
            raise PreventUpdate
        two = find(first), find(second)
        shared = join_cases(*two)
        subset = filter_cases(shared, parting)
        return {
            "said": _summary(two, shared, subset),
            "counts": [_counts(two, shared), colouring.classes(two[0])],
            "names": tuple(stage.scene.name for stage in two),
            "figures": tuple(
                _figure(stage, subset[f"row_{side}"].to_numpy(), subset["kind"], int(dimensions), key)
                for stage, side in zip(two, ("first", "second"), strict=True)
            ),
        }

    @app.callback(
        Output("both-key", "data"),
        Input("first-scatter", "clickData"),
        Input("second-scatter", "clickData"),
        State("first", "value"),
        State("second", "value"),
        prevent_initial_call=True,
    )
    def choose(left: Click | None, right: Click | None, first: int, second: int) -> object:
        of, click = (first, left) if ctx.triggered_id == "first-scatter" else (second, right)
        if not click:
            return no_update
        return find(of).cases["key"][int(click["points"][0]["customdata"])]

    @app.callback(
        Output("first-case", "children"),
        Output("second-case", "children"),
        Input("both-key", "data"),
        Input("first", "value"),
        Input("second", "value"),
    )
    def show(key: str | None, first: int, second: int) -> list[list[Component]]:
        return [case.panel(stage, _row(stage, key), EMPTY) for stage in (find(first), find(second))]

    @app.callback(
        output=Output("comparison-file", "data"),
        inputs={"clicks": Input("comparison-csv", "n_clicks")},
        state={name: State(selector.component_id, "value") for name, selector in selectors.items()},
        prevent_initial_call=True,
    )
    def save(clicks: int | None, first: int, second: int, parting: str) -> object:
        if not clicks:
            raise PreventUpdate
        subset = filter_cases(join_cases(find(first), find(second)), parting).drop(
            "key", "row_first", "row_second"
        )
        return {"content": subset.write_csv(), "filename": "comparison.csv", "type": "text/csv"}


def join_cases(first: Stage, second: Stage) -> pl.DataFrame:
    """The cases both hold, by set of cases and id: row, answer and outcome in each, and their ``kind``."""
    columns = ["key", "row", "predicted", "correct", "critical", "silent", "confidence"]
    left = first.cases.select("id", "domain", "label", *columns)
    right = second.cases.select(columns)
    table = left.join(right, on="key", how="inner", suffix="_second", maintain_order="left")
    table = table.rename({name: f"{name}_first" for name in columns[1:]})
    a, b = pl.col("correct_first"), pl.col("correct_second")
    kind = (
        pl.when(a & b).then(pl.lit(KINDS[0])).when(~a & b).then(pl.lit(KINDS[1]))
        .when(a & ~b).then(pl.lit(KINDS[2])).when(~a & ~b).then(pl.lit(KINDS[3]))
        .otherwise(pl.lit(KINDS[4])).alias("kind")
    )  # fmt: skip
    return table.with_columns(kind)


def filter_cases(shared: pl.DataFrame, parting: str) -> pl.DataFrame:
    """The shared cases of one kind, or those whose answers differ."""
    if parting == "differ":
        return shared.filter(pl.col("predicted_first") != pl.col("predicted_second"))
    return shared.filter(pl.col("kind") == parting) if parting else shared


def _row(stage: Stage, key: str | None) -> int | None:
    rows = np.flatnonzero((stage.cases["key"] == (key or "")).to_numpy())
    return int(rows[0]) if len(rows) else None


def _figure(stage: Stage, rows: Integers, kinds: pl.Series, dimensions: int, key: str | None) -> object:
    visible = np.zeros(len(stage.scene), dtype=np.bool_)
    visible[rows] = True
    group = np.zeros(len(stage.scene), dtype=np.int64)
    group[rows] = [KINDS.index(kind) for kind in kinds.to_list()]
    of = Colouring("outcome", group, KINDS, COLOURS)
    return scatter.figure(stage, dimensions, visible, of, marked=False, chosen=_row(stage, key))


def _summary(two: Sequence[Stage], shared: pl.DataFrame, subset: pl.DataFrame) -> str:
    if shared.is_empty():
        return (
            "These two share no case: sets of cases and ids must have the same names in both, "
            "so compare two models on the same tables."
        )
    differ = int((shared["predicted_first"] != shared["predicted_second"]).sum())
    alone = [len(stage.scene) - len(shared) for stage in two]
    left = f" Only the first holds {alone[0]} more, only the second {alone[1]}." if any(alone) else ""
    return f"{words.counted(len(shared))} shared; the answers differ in {differ}; {len(subset)} shown.{left}"


def _counts(two: Sequence[Stage], shared: pl.DataFrame) -> Component:
    fatal = any(stage.scene.critical is not None for stage in two)
    lines = []
    for kind, colour in zip(KINDS, COLOURS, strict=True):
        of = shared.filter(pl.col("kind") == kind)
        if kind == KINDS[4] and of.is_empty():
            continue
        cells = [html.Td(len(of), className="num")]
        for side in ("first", "second"):
            if fatal:
                cells.append(html.Td(int(of[f"critical_{side}"].sum()), className="num"))
            cells.append(html.Td(int(of[f"silent_{side}"].sum()), className="num"))
        swatch = html.I(style={"background": colour}, className="dot")
        lines.append(html.Tr([html.Th([swatch, kind], scope="row"), *cells]))
    heads = ["cases"]
    for side in ("first", "second"):
        heads += [f"critical errors, {side}"] if fatal else []
        heads += [f"silent, {side}"]
    head = html.Tr([html.Th(), *(html.Th(name, className="num") for name in heads)])
    return html.Div(html.Table([html.Thead(head), html.Tbody(lines)]), className="scroll", tabIndex=0)
