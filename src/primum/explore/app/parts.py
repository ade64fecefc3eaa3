"""Small pieces that every tab is made of."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence

from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from primum.explore.app.stage import Case, Stage
from primum.report import words

FULL = 1600
SMALL = 320
NEAR = 128
PLOT = {
    "displaylogo": False,
    "responsive": True,
    "showSendToCloud": False,  # plotly 7 has a button that sends the cases of a figure to its maker
    "plotlyServerURL": "",
    "modeBarButtonsToRemove": ["toImage", "hoverClosest3d", "tableRotation"],
}


def field(name: str, control: Component, hint: str = "") -> Component:
    """A control under its name."""
    return html.Label([html.Span(name), control], className="field", title=hint or None)


def select(name: str, options: Sequence[object], value: object, **settings: object) -> Component:
    """A list to choose one of, or with ``multi`` several."""
    return dcc.Dropdown(id=name, options=list(options), value=value, **{"clearable": False, **settings})


def choices(name: str, options: Mapping[str, str], value: object, several: bool = False) -> Component:
    """Radio buttons, or with ``several`` boxes to tick."""
    entries = [{"value": key, "label": label} for key, label in options.items()]
    kind = dcc.Checklist if several else dcc.RadioItems
    return kind(id=name, options=entries, value=value, className="choices")


def score_name(name: str) -> str:
    """A score with what it is in brackets."""
    meaning = words.SCORES.get(name)
    return f"{name} ({meaning})" if meaning else name


def score_options(stage: Stage) -> list[dict[str, str]]:
    """The scores of a scene for a list."""
    return [{"value": name, "label": score_name(name)} for name in stage.scene.scores]


def score_table(rows: Iterable[tuple[str, float | None, float | None]]) -> Component:
    """Confidence scores as a table: name, value or None, and the share of the cases below it or None."""
    lines = []
    for name, value, below in rows:
        if value is None:
            lines.append(html.Tr([html.Th(name), html.Td("not computed here", colSpan=2)]))
            continue
        share = words.NOTHING if below is None else f"{100 * below:.0f}{words.GAP}%"
        cells = [html.Td(text, className="num") for text in (words.number(value), share)]
        lines.append(html.Tr([html.Th(name, title=words.SCORES.get(name), scope="row"), *cells]))
    heads = [html.Th("score"), html.Th("value", className="num"), html.Th("higher than", className="num")]
    return html.Table([html.Thead(html.Tr(heads)), html.Tbody(lines)], className="small")


def picture(stage: Stage, row: int, size: int | None = None) -> str:
    """Address of the picture of a case; rows are numbers, so that no id stands in an address."""
    query = f"&size={size}" if size else ""
    return f"picture?scene={stage.number}&case={row}{query}"


def describe(case: Case) -> str:
    """What a case is and what it was called, in one sentence."""
    label, called = case["label"], case["predicted"]
    if label is None:
        return f"Called {called}; the truth is not known."
    if case["correct"]:
        return f"Called {called}, rightly."
    return f"Called {called}, is {label}."


def failure_kind(case: Case) -> str:
    """How bad a failure is, in words; empty for a right answer."""
    if case["correct"] is None or case["correct"]:
        return ""
    if case["critical"]:
        return "silent critical error" if case["silent"] else "critical error"
    return "silent failure" if case["silent"] else "failure"


def embedded(content: bytes) -> str:
    """A PNG as an address of its own, for pictures that belong to no case."""
    return f"data:image/png;base64,{base64.b64encode(content).decode('ascii')}"


def thumbnail(stage: Stage, row: int, alt: str) -> Component:
    """A small picture of a case."""
    return html.Img(src=picture(stage, row, SMALL), alt=alt)


def card(
    stage: Stage, tab: str, row: int, text: Sequence[Component | str], pressed: bool = False
) -> Component:
    """A picture to click, with text under it."""
    case = stage.cases.row(row, named=True)
    return html.Button(
        [thumbnail(stage, row, describe(case)), html.Span(list(text), className="text")],
        id={"card": tab, "row": row},
        className="card",
        n_clicks=0,
        **{"aria-pressed": "true" if pressed else "false"},
    )


def actions(tab: str, csv: str = "") -> Component:
    """Buttons that take something away: a selection as CSV, and this view as one file."""
    buttons = [
        html.Button(
            "Save this view (HTML)", id={"save": tab}, n_clicks=0, title="One file that opens offline"
        )
    ]
    if csv:
        buttons.insert(0, html.Button(csv, id=f"{tab}-csv", n_clicks=0))
        buttons.append(dcc.Download(id=f"{tab}-file"))
    return html.Div(buttons, className="actions live")


def scroll_to(app: Dash, panel: str, chosen: str) -> None:
    """Bring the panel of a case into view once one is chosen, where it lies below the rest."""
    app.clientside_callback(
        "(_, id, row) => { if (row !== null && row !== undefined && window.innerWidth <= 1180) "
        "document.getElementById(id).scrollIntoView(); return ''; }",
        Output(panel, "title"),
        Input(panel, "children"),
        State(panel, "id"),
        State(chosen, "data"),
        prevent_initial_call=True,
    )


def refusal(sentence: str) -> Component:
    """What could not be shown, and why."""
    start = sentence.partition(":")[0]
    text = sentence if {".", "/"} & set(start) else words.opening(sentence)  # names of files stay as they are
    return html.P(f"{text.rstrip('.')}.", className="refused", role="status")
