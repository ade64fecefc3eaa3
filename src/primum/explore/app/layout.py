"""The page: the tabs, one panel each, and whose scene is shown."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from primum.explore.app import clusters, comparison, deferral, failures, latent, parts, stage, trial
from primum.explore.app.stage import Stage
from primum.report import words

ALWAYS = (latent, clusters, failures, deferral, trial)


def tabs(stages: Sequence[Stage]) -> tuple[ModuleType, ...]:
    """The modules of the tabs; a comparison needs two scenes."""
    return (*ALWAYS, comparison) if len(stages) > 1 else ALWAYS


def page(stages: Sequence[Stage]) -> Component:
    """The whole page, the first scene shown."""
    named = [{"value": entry.number, "label": entry.scene.name} for entry in stages]
    chooser = parts.field("Model shown", parts.select("scene", named, 0, searchable=False))
    hidden = {"style": {"display": "none"}} if len(stages) == 1 else {}
    head = html.Header(
        [
            html.Div(id="head", children=heading(stages[0])),
            html.Div(chooser, className="choose live", **hidden),
        ],
        className="mast",
    )
    titles = {module.NAME: module.TITLE for module in tabs(stages)}
    return html.Div(
        [
            head,
            html.Nav(parts.choices("tab", titles, latent.NAME), className="tabs", **{"aria-label": "Views"}),
            html.Main(
                [
                    html.Section(id={"panel": module.NAME}, className="panel", hidden=module is not latent,
                             children=module.panel(stages[0] if module is not comparison else list(stages)))
                    for module in tabs(stages)
                ]
            ),
            dcc.Store(id="saved"),
            html.Footer(
                html.P("What is shown describes these cases alone; it is no clearance for clinical use.")
            ),
        ],
        className="explorer-page",
    )  # fmt: skip


def heading(current: Stage) -> list[Component]:
    """Name of the model, and what is shown of it."""
    scene = current.scene
    facts = [words.counted(len(scene)), words.counted(len(scene.classes), "class", "classes")]
    facts.append(words.counted(len(scene.domains), "set of cases", "sets of cases"))
    notes = ". ".join(words.opening(note) for note in scene.notes)
    return [
        html.P([html.B("primum"), " explorer"], className="brand"),
        html.H1(scene.name),
        html.P([" · ".join(facts), html.Br(), f"{notes}." if notes else ""], className="facts"),
    ]


def connect(app: Dash, stages: Sequence[Stage]) -> None:
    """Tie everything together; every callback gets all it needs from the browser that asks."""

    def find(number: object) -> Stage:
        return stage.at(stages, number)

    app.clientside_callback(
        "(tab, ids) => ids.map((one) => one.panel !== tab)",
        Output({"panel": ALL}, "hidden"),
        Input("tab", "value"),
        State({"panel": ALL}, "id"),
    )
    app.clientside_callback(
        ClientsideFunction("explorer", "save"),
        Output("saved", "data"),
        Input({"save": ALL}, "n_clicks"),
        State("tab", "value"),
        prevent_initial_call=True,
    )
    for module in tabs(stages):
        module.connect(app, find)
    if len(stages) == 1:
        return

    @app.callback(
        Output("head", "children"),
        *(Output({"panel": module.NAME}, "children") for module in ALWAYS),
        Input("scene", "value"),
        prevent_initial_call=True,
    )
    def switch(number: object) -> tuple[object, ...]:
        current = find(number)
        return heading(current), *(module.panel(current) for module in ALWAYS)
