"""Silent failures: wrong answers, the surest first, and one image as it is corrupted more and more."""

from __future__ import annotations

import polars as pl
from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from primum.explore import failures
from primum.explore.app import case, parts
from primum.explore.app.latent import csv_download
from primum.explore.app.stage import Case, Finder, Stage
from primum.report import words

NAME, TITLE = "failures", "Silent failures"
INTRO = (
    "A failure is a wrong answer; it is silent when the model was as sure of it as of the answers one "
    "would accept. First the two surest failures, then the critical ones (those whose error can be "
    "fatal), then all others; in each part the surest first."
)
PER_PAGE = 24
PARTS = {
    "most confident": "The two surest",
    "critical": "Critical errors",
    "other": "All others",
}
EMPTY = "Click a failure to see it at full size, with every score."


def panel(stage: Stage) -> list[Component]:
    """Which failures to show, the gallery, and the chosen case beside it."""
    everywhere = {"value": "", "label": "every set of cases"}
    domains = [everywhere, *({"value": name, "label": name} for name in stage.domains)]
    only = {"all": "all failures", "silent": "silent ones only"}
    controls = [
        parts.field(
            "Sure by", parts.select("failures-score", parts.score_options(stage), stage.scene.scores[0])
        ),
        parts.field("Set of cases", parts.select("failures-domain", domains, "")),
        parts.choices("failures-only", only, "all"),
    ]
    pager = html.Div(
        [
            html.Button("← Surer", id="failures-back", n_clicks=0),
            html.Span(id="failures-page-said", role="status"),
            html.Button("Less sure →", id="failures-on", n_clicks=0),
        ],
        className="pager live",
    )
    main = [
        html.P(id="failures-said", className="said", role="status"),
        html.Div(id="failures-shown"),
        pager,
        parts.actions(NAME, "Save these failures (CSV)"),
    ]
    aside = html.Aside(case.panel(stage, None, EMPTY), id="failures-case", className="case-panel")
    return [
        dcc.Store(id="failures-row"),
        dcc.Store(id="failures-page", data=0),
        html.P(INTRO, className="intro"),
        html.Div(controls, className="controls row live"),
        html.Div(id="failures-strip"),
        html.Div([html.Div(main), aside], className="columns wide-left"),
    ]


def connect(app: Dash, find: Finder) -> None:
    """Turn the pages, and follow the clicks."""
    parts.scroll_to(app, "failures-case", "failures-row")

    @app.callback(
        Output("failures-page", "data"),
        Input("failures-back", "n_clicks"),
        Input("failures-on", "n_clicks"),
        Input("failures-score", "value"),
        Input("failures-domain", "value"),
        Input("failures-only", "value"),
        State("failures-page", "data"),
        prevent_initial_call=True,
    )
    def turn(back: int, on: int, score: str, domain: str, only: str, page: int) -> int:
        step = {"failures-back": -1, "failures-on": 1}.get(str(ctx.triggered_id))
        return 0 if step is None else max(0, int(page or 0) + step)

    @app.callback(
        Output("failures-shown", "children"),
        Output("failures-said", "children"),
        Output("failures-page-said", "children"),
        Output("failures-back", "disabled"),
        Output("failures-on", "disabled"),
        Input("failures-page", "data"),
        Input("failures-score", "value"),
        Input("failures-domain", "value"),
        Input("failures-only", "value"),
        Input("tab", "value"),
        State("scene", "value"),
    )
    def draw(page: int, score: str, domain: str, only: str, tab: str, number: int) -> tuple[object, ...]:
        if tab != NAME:
            raise PreventUpdate
        stage = find(number)
        table = select_failures(stage, score, domain, only)
        pages = max(1, -(-len(table) // PER_PAGE))
        page = min(int(page or 0), pages - 1)
        children: list[Component] = []
        for (part,), of in table[page * PER_PAGE : (page + 1) * PER_PAGE].group_by(
            "part", maintain_order=True
        ):
            large = " large" if part == "most confident" else ""
            cards = [_card(stage, row, score) for row in of["row"].to_list()]
            children += [html.H3(PARTS[str(part)]), html.Div(cards, className=f"cards{large}")]
        if not children:
            children = [html.P("No failure is here.", className="calm")]
        return children, _summary(table), f"page {page + 1} of {pages}", page == 0, page >= pages - 1

    @app.callback(
        Output("failures-row", "data"),
        Input({"card": NAME, "row": ALL}, "n_clicks"),
        prevent_initial_call=True,
    )
    def choose(clicks: list[int]) -> object:
        return ctx.triggered_id["row"] if any(clicks) and ctx.triggered_id else no_update

    @app.callback(
        Output("failures-case", "children"),
        Output("failures-strip", "children"),
        Input("failures-row", "data"),
        Input("tab", "value"),
        State("scene", "value"),
    )
    def show(row: int | None, tab: str, number: int) -> tuple[object, object]:
        if tab != NAME:
            raise PreventUpdate
        stage = find(number)
        return case.panel(stage, row, EMPTY), strips(stage, _first(stage) if row is None else row)

    @app.callback(
        Output("failures-file", "data"),
        Input("failures-csv", "n_clicks"),
        State("failures-score", "value"),
        State("failures-domain", "value"),
        State("failures-only", "value"),
        State("scene", "value"),
        prevent_initial_call=True,
    )
    def save(clicks: int | None, score: str, domain: str, only: str, number: int) -> object:
        if not clicks:
            raise PreventUpdate
        stage = find(number)
        return csv_download(stage, select_failures(stage, score, domain, only)["row"].to_numpy(), "failures")


def select_failures(stage: Stage, score: str, domain: str, only: str) -> pl.DataFrame:
    """The failures of one set of cases or of all, ordered."""
    rows = None if not domain else (stage.cases["domain"] == domain).to_numpy()
    table = failures.rank_failures(stage.scene, score, rows)
    return table.filter(pl.col("silent")) if only == "silent" else table


def strips(stage: Stage, row: int | None) -> list[Component]:
    """One image across the intensities of each corruption, with answer and confidence under each."""
    if row is None or not stage.cases["shift_level"].is_not_null().any():
        return []
    table = failures.intensities(stage.scene, stage.cases["id"][row])
    children: list[Component] = []
    for (shift,), levels in table.group_by("shift", maintain_order=True):
        pictures = [_level(stage, entry) for entry in levels.iter_rows(named=True)]
        children += [html.H3(f"{shift}: one image across intensities"), html.Div(pictures, className="strip")]
    return children


def _level(stage: Stage, entry: Case) -> Component:
    level = entry["shift_level"]
    answer = f"{entry['predicted']}, {words.number(entry['confidence'], 'accuracy')} sure"
    tone = "fatal-text" if entry["critical"] else None
    kind = parts.failure_kind(entry)
    caption = [
        html.B(f"intensity {level}" if level else "as it is"), html.Br(), html.Span(answer, className=tone),
        *([html.Br(), html.Span(kind, className=tone)] if kind else []),
    ]  # fmt: skip
    return html.Figure([parts.thumbnail(stage, entry["row"], answer), html.Figcaption(caption)])


def _card(stage: Stage, row: int, score: str) -> Component:
    entry = stage.cases.row(row, named=True)
    value = entry.get(f"score_{score}")
    tone = "fatal" if entry["critical"] else None
    lines = [
        html.B(f"{entry['label']} called {entry['predicted']}"), html.Br(),
        f"{words.number(entry['confidence'], 'accuracy')} sure",
        "" if score == "msr" or value is None else f", {score} {words.number(value)}", html.Br(),
        html.Span(parts.failure_kind(entry), className=tone),
        *([html.Br(), html.Span(entry["domain"])] if len(stage.domains) > 1 else []),
    ]  # fmt: skip
    return parts.card(stage, NAME, row, lines)


def _first(stage: Stage) -> int | None:
    """The surest failure among corrupted cases."""
    worst = stage.cases.filter(~pl.col("correct") & pl.col("shift_level").is_not_null()).sort(
        "confidence", "key", descending=[True, False]
    )
    return int(worst["row"][0]) if len(worst) else None


def _summary(table: pl.DataFrame) -> str:
    silent, critical = int(table["silent"].sum()), int(table["critical"].sum())
    silent_critical = int((table["silent"] & table["critical"]).sum())
    sentence = f"{words.counted(len(table), 'failure', 'failures')}: {silent} silent"
    return sentence + (f", {critical} critical, {silent_critical} both." if critical else ".")
