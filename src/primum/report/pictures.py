"""A Plotly figure packed for the page: its JSON, what it shows in words, its caption."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go
from markupsafe import Markup

UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


@dataclass(frozen=True)
class Picture:
    """What the macro ``figures`` reads.

    Attributes:
        id: of its element, unique on the page. spec: the figure as JSON, safe inside a script element.
        alt: what it shows, for readers who do not see it. caption: stands above it. height: in pixels.
    """

    id: str
    spec: Markup
    alt: str
    caption: str
    height: int


def pack(figure: go.Figure, name: str, alt: str, caption: str = "") -> Picture:
    """Pack a figure under the id ``name``.

    >>> "<" in pack(go.Figure(layout={"title": {"text": "</script>"}}), "a", "nothing").spec
    False
    """
    spec = figure.to_json(validate=False, engine="json")
    # Any user's text may stand in a figure: inside a script element only these signs could end it.
    for sign, code in UNSAFE.items():
        spec = spec.replace(sign, code)
    return Picture(name, Markup(spec), alt, caption, figure.layout.height)
