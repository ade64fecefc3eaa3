"""One case at full size: the image, the answer, every score, the map, and what the network finds near it."""

from __future__ import annotations

import polars as pl
from dash import html
from dash.development.base_component import Component

from primum.core.check import InputError, PrimumError
from primum.explore import neighbours, pictures
from primum.explore.app import parts
from primum.explore.app.stage import Case, Stage
from primum.report import words

NEIGHBOURS = 5
MOST_BARS = 8
HIDDEN = ("path", "map_path")
EMPTY = "Click a point, or type the id of a case, to see its image here."


def panel(stage: Stage, row: int | None, empty: str = EMPTY) -> list[Component]:
    """Everything known of one case; a sentence when none is chosen."""
    if row is None or not 0 <= row < len(stage.scene):
        return [html.P(empty, className="calm")]
    case = stage.cases.row(row, named=True)
    left = [_picture(stage, row, case), _answer(stage, case)]
    right = [_probabilities(stage, case), _scores(stage, case), *_near(stage, case), _facts(stage, case)]
    return [html.Div([html.Div(left), html.Div(right)], className="inside")]


def _picture(stage: Stage, row: int, case: Case) -> Component:
    """The image, the stored map beside it; where the image is missing, which path is."""
    heading = [html.H2([case["id"], html.Small(f"{case['domain']}")])]
    try:
        pictures.png(stage.scene, case["key"], 16)
        heated = pictures.heat(stage.scene, case["key"], 16) is not None
    except PrimumError as error:
        return html.Div([*heading, parts.refusal(str(error))])
    address = parts.picture(stage, row, parts.FULL)
    link = html.A(
        html.Img(src=address, alt=f"{case['id']}. {parts.describe(case)}"),
        href=parts.picture(stage, row), target="_blank", title="Open at its own size",
    )  # fmt: skip
    if not heated:
        return html.Div([*heading, html.Div(link, className="picture")])
    heat = html.Figure(
        [
            html.Img(src=f"map?scene={stage.number}&case={row}", alt="What the network looked at"),
            html.Figcaption("Yellow: what spoke most for the answer", className="note"),
        ]
    )
    return html.Div([*heading, html.Div([html.Figure(link), heat], className="picture pair")])


def _answer(stage: Stage, case: Case) -> Component:
    kind = parts.failure_kind(case)
    sure = f"{words.number(case['confidence'], 'accuracy')} sure"
    line: list[Component | str] = [html.B(parts.describe(case)), f" The model was {sure}"]
    if kind:
        tone = "fatal" if case["critical"] else ""
        line += [": a ", html.Span(kind, className=tone or None), "."]
    else:
        line.append(".")
    notes = []
    if case["silent"]:
        notes = [
            html.P("Silent: the model was as sure as of the answers one would accept.", className="note")
        ]
    return html.Div([html.P(line, className="answer"), *notes])


def _probabilities(stage: Stage, case: Case) -> Component:
    shares = sorted(((case[f"prob_{name}"], name) for name in stage.scene.classes), reverse=True)
    return html.Div([html.H3("Probabilities"), bars(shares, case["label"])])


def bars(shares: list[tuple[float, str]], label: str | None = None) -> Component:
    """Probabilities as bars, largest first; the true class in bold, the rest summed."""
    largest = [bar for at, bar in enumerate(shares) if at < MOST_BARS or bar[1] == label]
    remainder = sum(share for share, _ in shares) - sum(share for share, _ in largest)
    lines = [(share, name, name == label) for share, name in largest]
    if len(largest) < len(shares):
        lines.append((max(remainder, 0.0), f"{len(shares) - len(largest)} others", False))
    return html.Dl(
        [
            html.Div(
                [
                    html.Dt(f"{name} (truth)" if true else name, title=name),
                    html.Dd(html.I(style={"width": f"{100 * share:.2f}%"}), className="bar"),
                    html.Dd(words.number(share, "accuracy")),
                ],
                className="true" if true else None,
            )
            for share, name, true in lines
        ],
        className="bars",
    )


def _scores(stage: Stage, case: Case) -> Component:
    """Every confidence score, and which share of the cases the model was less sure of."""
    values = {name: case.get(f"score_{name}") for name in stage.scene.scores}
    rows = [
        (name, value, None if value is None else stage.scene.share_below(name, value))
        for name, value in values.items()
    ]
    return html.Div(
        [
            html.H3("Confidence, higher is surer"),
            parts.score_table(rows),
            html.P(
                "“Higher than” is the share of all cases shown here with a lower value.", className="note"
            ),
            *_missing(stage),
        ]
    )


def _missing(stage: Stage) -> list[Component]:
    """The scores that do not apply, and why."""
    if not stage.scene.not_applicable:
        return []
    reasons = [html.Div([html.Dt(name), html.Dd(why)]) for name, why in stage.scene.not_applicable.items()]
    return [html.Details([html.Summary("Scores that do not apply here"), html.Dl(reasons, className="one")])]


def _near(stage: Stage, case: Case) -> list[Component]:
    """The nearest cases as the network sees them."""
    try:
        table = neighbours.nearest(stage.scene, case["key"], NEIGHBOURS)
    except InputError as error:
        return [html.H3("Nearest known cases"), html.P(words.opening(str(error)) + ".", className="note")]
    pool = (
        "training cases"
        if stage.scene.train is not None
        else "cases shown here, as there are no training rows"
    )
    return [
        html.H3("Nearest known cases"),
        near(stage, table),
        html.P(f"The {pool} that look most alike to the network.", className="note"),
    ]


def near(stage: Stage, table: pl.DataFrame) -> Component:
    """Known cases with their pictures, nearest first, and how alike they are to the network."""
    return html.Ul(
        [_neighbour(stage, neighbour) for neighbour in table.iter_rows(named=True)], className="near"
    )


def _neighbour(stage: Stage, neighbour: Case) -> Component:
    label = neighbour["label"] or "truth not known"
    answer = "" if neighbour["predicted"] == neighbour["label"] else f", called {neighbour['predicted']}"
    alike = f"{100 * neighbour['similarity']:.0f}{words.GAP}%"
    try:
        address = parts.embedded(pictures.png(stage.scene, neighbour["key"], parts.NEAR))
        image: Component = html.Img(src=address, alt=f"Known case, {label}{answer}")
    except PrimumError:
        image = html.Span("no picture", className="blank")
    return html.Li([image, html.B(label), answer, html.Br(), f"{alike} alike"])


def _facts(stage: Stage, case: Case) -> Component:
    facts = [
        html.Div([html.Dt(name), html.Dd(str(case[name]))])
        for name in stage.scene.metadata_columns
        if case[name] is not None and name not in HIDDEN
    ]
    if not facts:
        return html.Div()
    return html.Details([html.Summary("Everything the table says"), html.Dl(facts, className="one")])
