"""The latent space: every case as a point, near others that the network sees alike."""

from __future__ import annotations

import numpy as np
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from primum.core.arrays import Bools, Integers
from primum.explore import export
from primum.explore.app import case, colouring, filters, parts, scatter
from primum.explore.app.stage import Click, Finder, Focus, Stage

NAME, TITLE = "latent", "Latent space"
INTRO = (
    "Every point is a case. Points lie near each other when the network sees their images alike; the axes "
    "have no unit, and only nearness means something. All sets of cases were placed together, so their "
    "positions compare."
)


def panel(stage: Stage) -> list[Component]:
    """The filters, the scatter and the case beside it."""
    colours = colouring.options(stage)
    left = [
        parts.field("Colour", parts.select("colour", colours, colours[0]["value"])),
        html.Fieldset(
            [
                html.Legend("Picture"),
                parts.choices("dimensions", {"3": "3-D", "2": "2-D"}, "3"),
                parts.choices("marked", {"yes": "ring failures"}, ["yes"], several=True),
            ]
        ),
        html.Details([html.Summary("Show only"), html.Div(filters.controls(stage))], id="filters", open=True),
        parts.field(
            "Find a case by its id",
            dcc.Input(
                id="find", type="text", debounce=True, placeholder="id, then Enter", autoComplete="off"
            ),
        ),
    ]
    middle = [
        html.P(id="latent-said", className="said", role="status"),
        html.Div(id="focus-said"),
        dcc.Graph(
            id="scatter", config={**parts.PLOT, "scrollZoom": True}, style={"height": "min(640px, 80vh)"}
        ),
        html.Div(id="scatter-legend"),
        html.P(id="scatter-made", className="note"),
        parts.actions(NAME, "Save these cases (CSV)"),
    ]
    aside = html.Aside(case.panel(stage, None), id="latent-case", className="case-panel")
    return [
        dcc.Store(id="latent-row"),
        dcc.Store(id="focus"),
        html.P(INTRO, className="intro"),
        html.Div([html.Div(left, className="controls live"), html.Div(middle), aside], className="columns"),
    ]


def connect(app: Dash, find: Finder) -> None:
    """Let the scatter follow its controls, and the case follow the clicks."""
    filters.connect(app, find)
    parts.scroll_to(app, "latent-case", "latent-row")
    app.clientside_callback(
        "() => window.innerWidth > 760", Output("filters", "open"), Input("scene", "value")
    )  # on a telephone the picture comes first

    @app.callback(
        output=(
            Output("scatter", "figure"),
            Output("scatter-legend", "children"),
            Output("scatter-made", "children"),
            Output("latent-said", "children"),
            Output("focus-said", "children"),
        ),
        inputs={
            "chosen": filters.inputs(),
            "colour": Input("colour", "value"),
            "dimensions": Input("dimensions", "value"),
            "marked": Input("marked", "value"),
            "focus": Input("focus", "data"),
            "tab": Input("tab", "value"),
            "number": State("scene", "value"),
            "row": State("latent-row", "data"),
        },
    )
    def draw(
        *, chosen: filters.Filters, colour: str, dimensions: str, marked: list[str], focus: Focus | None,
        tab: str, number: int, row: int | None,
    ) -> tuple[object, ...]:  # fmt: skip
        if tab != NAME:
            raise PreventUpdate
        stage = find(number)
        mask = filters.passing(stage, chosen)
        of = colouring.by(stage, colour)
        in_focus = _mask(stage, focus)
        size = int(dimensions)
        return (
            scatter.figure(stage, size, mask, of, marked=bool(marked), focus=in_focus, chosen=row),
            colouring.legend(stage, of, bool(marked)),
            f"Placed by {stage.projections[size].description}.",
            filters.describe(stage, mask, chosen),
            _focus_note(focus, in_focus),
        )

    @app.callback(
        Output("latent-row", "data"),
        Input("scatter", "clickData"),
        Input("find", "value"),
        State("scene", "value"),
        prevent_initial_call=True,
    )
    def choose(click: Click | None, text: str | None, number: int) -> object:
        if ctx.triggered_id == "scatter" and click:
            return int(click["points"][0]["customdata"])
        if ctx.triggered_id == "find" and text:
            matches = np.flatnonzero((find(number).cases["id"] == text.strip()).to_numpy())
            return int(matches[0]) if len(matches) else -1
        return no_update

    @app.callback(
        Output("latent-case", "children"),
        Output("scatter", "figure", allow_duplicate=True),
        Input("latent-row", "data"),
        State("scene", "value"),
        State("dimensions", "value"),
        prevent_initial_call=True,
    )
    def show(row: int | None, number: int, dimensions: str) -> tuple[list[Component], object]:
        stage = find(number)
        if row is None or not 0 <= row < len(stage.scene):
            return case.panel(stage, None, "No case has this id." if row == -1 else case.EMPTY), no_update
        return case.panel(stage, row), scatter.move_mark(stage, int(dimensions), row)

    @app.callback(
        Output("focus", "data", allow_duplicate=True),
        Input("no-focus", "n_clicks"),
        prevent_initial_call=True,
    )
    def clear(clicks: int | None) -> object:
        return None if clicks else no_update

    @app.callback(
        output=Output("latent-file", "data"),
        inputs={"clicks": Input("latent-csv", "n_clicks")},
        state={
            "lasso": State("scatter", "selectedData"),
            "focus": State("focus", "data"),
            "number": State("scene", "value"),
            "chosen": {
                name: State(selector.component_id, "value") for name, selector in filters.inputs().items()
            },
        },
        prevent_initial_call=True,
    )
    def save(
        clicks: int | None, lasso: Click | None, focus: Focus | None, number: int, chosen: filters.Filters
    ) -> object:
        if not clicks:
            raise PreventUpdate
        stage = find(number)
        mask = filters.passing(stage, chosen)
        in_focus = _mask(stage, focus)
        if in_focus is not None:
            mask &= in_focus
        if lasso and lasso.get("points"):
            caught = np.zeros(len(mask), dtype=np.bool_)
            caught[[int(point["customdata"]) for point in lasso["points"]]] = True
            mask &= caught
        return csv_download(stage, np.flatnonzero(mask), "cases")


def csv_download(stage: Stage, rows: Integers, name: str) -> dict[str, str]:
    """A CSV file for the browser to keep."""
    keys = stage.cases["key"].gather(rows).to_list()
    return {"content": export.csv(stage.scene, keys), "filename": f"{name}.csv", "type": "text/csv"}


def _mask(stage: Stage, focus: Focus | None) -> Bools | None:
    if not focus:
        return None
    mask = np.zeros(len(stage.scene), dtype=np.bool_)
    mask[stage.members(focus)] = True
    return mask


def _focus_note(focus: Focus | None, mask: Bools | None) -> Component | str:
    if not focus or mask is None:
        return ""
    of = f"cluster {focus['cluster'] + 1} of {focus['class']} in {focus['domain']}"
    button = html.Button("Show all in colour", id="no-focus", n_clicks=0, className="live")
    return html.P([f"In colour: the {int(mask.sum())} cases of {of}. ", button], className="said")
