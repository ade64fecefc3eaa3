"""Concept clusters: what the network sees as kinds of each class, and the image that stands for each kind."""

from __future__ import annotations

import polars as pl
from dash import ALL, Dash, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from primum.explore.app import parts
from primum.explore.app.latent import csv_download
from primum.explore.app.stage import Case, Finder, Stage
from primum.report import words

NAME, TITLE = "clusters", "Concept clusters"
INTRO = (
    "The cases of each true class, in each set of cases, fall into up to nine groups that the network "
    "sees alike. Each picture is the case nearest to the middle of its group. Click one to see all its "
    "cases in the latent space."
)


def panel(stage: Stage) -> list[Component]:
    """Which class and set of cases to show, and the groups."""
    classes = [
        {"value": "", "label": "every class"},
        *({"value": name, "label": name} for name in stage.scene.classes),
    ]
    return [
        html.P(INTRO, className="intro"),
        html.Div(
            [
                parts.field("Set of cases", parts.select("clusters-domain", stage.domains, stage.domains[0])),
                parts.field("True class", parts.select("clusters-class", classes, "")),
            ],
            className="controls row live",
        ),
        html.Div(id="clusters-shown"),
        parts.actions(NAME, "Save these cases with their clusters (CSV)"),
    ]


def connect(app: Dash, find: Finder) -> None:
    """Show the chosen groups; a click leads to their points."""

    @app.callback(
        Output("clusters-shown", "children"),
        Input("clusters-domain", "value"),
        Input("clusters-class", "value"),
        Input("tab", "value"),
        State("scene", "value"),
    )
    def draw(domain: str, name: str, tab: str, number: int) -> list[Component]:
        if tab != NAME:
            raise PreventUpdate
        stage = find(number)
        table = select_clusters(stage, domain, name)
        if table.is_empty():
            return [html.P("No case of this class is here.", className="calm")]
        children: list[Component] = []
        for (of,), groups in table.group_by("class", maintain_order=True):
            total = int(groups["n"].sum())
            children += [
                html.H3([str(of), html.Small(words.counted(total))]),
                html.Div(
                    [_card(stage, cluster) for cluster in groups.iter_rows(named=True)],
                    className="cards nine",
                ),
            ]
        return children

    @app.callback(
        Output("focus", "data"),
        Output("tab", "value"),
        Input({"cluster": ALL, "class": ALL, "domain": ALL}, "n_clicks"),
        prevent_initial_call=True,
    )
    def lead(clicks: list[int]) -> tuple[object, object]:
        if not any(clicks) or not ctx.triggered_id:
            return no_update, no_update
        return dict(ctx.triggered_id), "latent"

    @app.callback(
        Output("clusters-file", "data"),
        Input("clusters-csv", "n_clicks"),
        State("clusters-domain", "value"),
        State("clusters-class", "value"),
        State("scene", "value"),
        prevent_initial_call=True,
    )
    def save(clicks: int | None, domain: str, name: str, number: int) -> object:
        if not clicks:
            raise PreventUpdate
        stage = find(number)
        members = [key for keys in select_clusters(stage, domain, name)["members"] for key in keys]
        return csv_download(stage, stage.scene.rows(members), "clusters")


def select_clusters(stage: Stage, domain: str, name: str) -> pl.DataFrame:
    """The clusters of one set of cases, of one class or of all."""
    table = stage.clusters.filter(pl.col("domain") == domain)
    return table.filter(pl.col("class") == name) if name else table


def _card(stage: Stage, cluster: Case) -> Component:
    row = stage.scene.row(cluster["key"])
    line: list[Component | str] = [html.B(words.counted(cluster["n"]))]
    if cluster["failures"]:
        line.append(f", {words.number(cluster['failures'], 'n')} wrong")
        if cluster["silent"]:
            line.append(f", {words.number(cluster['silent'], 'n')} of them silently")
    return html.Button(
        [
            parts.thumbnail(stage, row, f"Middle of a group of {cluster['n']} cases"),
            html.Span(line, className="text"),
        ],
        id={"cluster": cluster["cluster"], "class": cluster["class"], "domain": cluster["domain"]},
        className="card",
        n_clicks=0,
    )
