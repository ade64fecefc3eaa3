"""A confusion matrix as a table, in the look of the report."""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component

from primum.core.arrays import Array
from primum.explore.app.stage import Stage
from primum.report import matrix


def confusion(stage: Stage, counts: Array, name: str) -> Component:
    """Counts (K, K), rows true and columns predicted, critical cells outlined in red."""
    classes, cells = stage.scene.classes, stage.scene.critical
    fatal = [] if cells is None else [
        (classes[true], classes[answer])
        for true in range(len(classes)) for answer in range(len(classes)) if cells[true, answer]
    ]  # fmt: skip
    laid = matrix.lay_out(counts.tolist(), classes, fatal)
    kind = "tilted" if laid["tilted"] else "flat"
    heads = [html.Th(html.Span(column), className=kind, scope="col") for column in laid["columns"]]
    over = html.Tr(
        [html.Td(), html.Th("the model called it →", className="axis", colSpan=len(heads)), html.Td()]
    )
    columns = html.Tr([html.Th("truth ↓", className="axis"), *heads, html.Th("n", className="n")])
    body = [
        html.Tr(
            [
                html.Th(row["name"], scope="row"),
                *map(_cell, row["cells"]),
                html.Td(row["total"], className="n"),
            ]
        )
        for row in laid["rows"]
    ]
    caption = f"{name}: {len(heads)} of {laid['of']} classes" if laid["hidden"] else name
    notes = [html.P("Outlined in red: errors that can be fatal.", className="note")] if fatal else []
    table = html.Table([html.Thead([over, columns]), html.Tbody(body)], className="confusion")
    return html.Figure(
        [html.Figcaption(caption), html.Div(table, className="scroll", tabIndex=0), *notes],
        className="matrix",
    )


def _cell(cell: dict[str, Any]) -> Component:
    count, critical = cell["count"], cell["critical"]
    named = {
        "fatal": critical, "hit": critical and count, "right": cell["right"], "deep": cell["share"] > 0.5
    }  # fmt: skip
    style = {}
    if count and not critical:
        style = {"backgroundColor": f"rgba(11,92,148,{0.06 + 0.82 * cell['share']:.3f})"}
    content = [count, html.Span(cell["said"], className="share")] if count else count
    return html.Td(content, className=" ".join(name for name, on in named.items() if on), style=style)
