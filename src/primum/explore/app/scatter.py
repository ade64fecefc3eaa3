"""The scatter of the latent space, in two or three dimensions, as a plotly figure."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import polars as pl
from dash import Patch
from numpy.typing import NDArray

from primum.core.arrays import Bools, Integers
from primum.explore.app.colouring import Colouring, symbols
from primum.explore.app.stage import Stage
from primum.report import figures

MARK = 0  # place of the mark of the chosen case among the traces
RING = 18.0
MOST_SVG = 4_000
SCALE = "Cividis"
FAINT = "#dbe2e7"
CAMERA = {"eye": {"x": 1.3, "y": 1.3, "z": 0.7}, "center": {"x": 0, "y": 0, "z": -0.12}}
Rows = Integers


def figure(
    stage: Stage,
    dimensions: int,
    mask: Bools,
    colouring: Colouring,
    *,
    marked: bool,
    focus: Bools | None = None,
    chosen: int | None = None,
) -> go.Figure:
    """Draw the cases that are kept and placed.

    Args:
        stage: what is shown. dimensions: 2 or 3.
        kept: (N,) bool. colouring: of all N cases. marked: ring failures and silent failures.
        focus: (N,) bool, the cases to stand out from the others, or None.
        chosen: row of the case with a blue ring.
    """
    pen = _Pen(stage, dimensions, int(mask.sum()))
    rows_drawn = np.flatnonzero(mask & pen.placed)
    front = rows_drawn if focus is None else rows_drawn[focus[rows_drawn]]
    chart = go.Figure()
    chart.add_trace(pen.trace(**_mark(stage, dimensions, chosen)))
    if focus is not None:
        chart.add_trace(pen.points(rows_drawn[~focus[rows_drawn]], FAINT, opacity=0.7))
    if colouring.group is not None:
        for at, colour in enumerate(colouring.colours):
            rows = front[colouring.group[front] == at]
            if len(rows):
                chart.add_trace(pen.points(rows, colour))
    elif colouring.value is not None:
        chart.add_trace(pen.points(front, _scaled(colouring, front)))
    if marked:
        for rows, colour, size, width in _rings(stage, front):
            if len(rows):
                chart.add_trace(pen.ring(rows, colour, size, width))
    chart.update_layout(
        template=None,  # that of the reports holds its axes fast, and this one is for looking around
        showlegend=False,
        uirevision=f"{stage.number} {dimensions}",
        margin={"l": 0, "r": 0, "t": 34, "b": 0},
        font={"family": figures.FONT, "size": 12, "color": figures.INK},
        paper_bgcolor=figures.PAPER,
        plot_bgcolor="#f7f9fb",
        hoverlabel={"bgcolor": figures.PAPER, "bordercolor": figures.LINE, "align": "left"},
        **pen.space(),
    )
    return chart


def move_mark(stage: Stage, dimensions: int, row: int) -> Patch:
    """What moves the mark of the chosen case in a figure that is drawn."""
    change = Patch()
    mark = _mark(stage, dimensions, row)
    for name in (*"xyz"[:dimensions], "customdata", "marker"):
        change["data"][MARK][name] = mark[name]
    return change


def _ends(stage: Stage, dimensions: int) -> list[list[float]]:
    """Both ends of each axis, a little beyond every case, whatever is filtered."""
    low, high = np.nanmin(stage.positions[dimensions], axis=0), np.nanmax(stage.positions[dimensions], axis=0)
    beyond = 0.04 * np.maximum(high - low, 1e-3)
    return np.stack([low - beyond, high + beyond], axis=1).astype(float).tolist()  # type: ignore[no-any-return]


def _mark(stage: Stage, dimensions: int, row: int | None) -> dict[str, object]:
    """A blue ring, with lines through it in three dimensions, where others may hide it; nothing undrawn."""
    at = None if row is None else stage.positions[dimensions][row].astype(float)
    ends = _ends(stage, dimensions)
    path: list[list[float | None]] = []
    if at is not None and np.isfinite(at).all():
        for axis in range(dimensions if dimensions == 3 else 0):
            for end in ends[axis]:
                path.append([end if coordinate == axis else float(at[coordinate]) for coordinate in range(3)])
            path.append([None] * 3)
        path.append(at.tolist())
    sizes = [*[0.0] * (len(path) - 1), RING] if path else []
    line = {"width": 3.5, "color": figures.BLUE}
    return {
        **{axis: [point[k] for point in path] for k, axis in enumerate("xyz"[:dimensions])},
        "mode": "lines+markers" if dimensions == 3 else "markers",
        "line": {"color": figures.BLUE, "width": 2.5},
        "marker": {"size": sizes, "symbol": "circle-open", "color": figures.BLUE, "opacity": 1, "line": line},
        "customdata": [row] * len(path),
        "hoverinfo": "skip",
    }


class _Pen:
    """Draws points of one kind in the chosen number of dimensions."""

    def __init__(self, stage: Stage, dimensions: int, count: int) -> None:
        self.stage, self.dimensions, self.xyz = stage, dimensions, stage.positions[dimensions]
        self.placed = np.isfinite(self.xyz).all(axis=1)
        self.symbols = symbols(stage)
        self.text = hovers(stage.cases)
        self.trace: Any = go.Scatter3d
        if dimensions == 2:
            self.trace = go.Scatter if count <= MOST_SVG else go.Scattergl
        self.size = (3.6 if count > 5_000 else 4.6) if dimensions == 3 else (5 if count > 5_000 else 7)

    def points(self, rows: Rows, colour: str | dict[str, object], opacity: float | None = None) -> Any:
        marker: dict[str, object] = {"size": self.size, "symbol": self.symbols[rows], "line": {"width": 0}}
        marker |= colour if isinstance(colour, dict) else {"color": colour}
        return self._trace(rows, marker, 0.85 if opacity is None else opacity)

    def ring(self, rows: Rows, colour: str, size: float, width: float) -> Any:
        marker = {
            "size": size,
            "symbol": "circle-open",
            "color": colour,
            "line": {"width": width, "color": colour},
        }
        return self._trace(np.asarray(rows, dtype=np.int64), marker, 1.0)

    def _trace(self, rows: Rows, marker: dict[str, object], opacity: float) -> Any:
        at = self.xyz[rows]
        where = dict(zip("xyz", (at[:, axis] for axis in range(self.dimensions)), strict=False))
        return self.trace(
            **where, mode="markers", marker=marker, opacity=opacity, customdata=rows.tolist(),
            text=self.text[rows], hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip

    def space(self) -> dict[str, object]:
        """Axes without numbers: only nearness means anything."""
        bare = {"showticklabels": False, "title": {"text": ""}, "zeroline": False, "showspikes": False}
        if self.dimensions == 3:
            walls = {**bare, "backgroundcolor": "#f7f9fb", "gridcolor": figures.LINE, "showbackground": True}
            ends = _ends(self.stage, 3)
            axes = {f"{axis}axis": {**walls, "range": ends[k]} for k, axis in enumerate("xyz")}
            return {"scene": {**axes, "aspectmode": "cube", "camera": CAMERA}, "dragmode": "orbit"}
        flat = {**bare, "showgrid": False, "showline": False, "ticks": ""}
        return {"xaxis": flat, "yaxis": flat, "dragmode": "pan"}


def hovers(cases: pl.DataFrame) -> NDArray[np.object_]:
    """(N,) what is said beside the pointer; no patient is named."""
    texts = cases.select(
        pl.format(
            "{}<br>{}<br>confidence {}",
            _escaped(pl.col("domain")),
            _escaped(
                pl.when(pl.col("label").is_null()).then(pl.format("called {}", pl.col("predicted")))
                .when(pl.col("correct")).then(pl.format("{}, called rightly", pl.col("label")))
                .otherwise(pl.format("{}, called {}", pl.col("label"), pl.col("predicted")))
            ),
            pl.col("confidence").round(3),
        )
    )  # fmt: skip
    return np.asarray(texts.to_series().to_list(), dtype=object)


def _escaped(text: pl.Expr) -> pl.Expr:
    """Names as plotly shows them letter by letter, see ``figures.plain``."""
    for sign, code in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.str.replace_all(sign, code, literal=True)
    return text


def _rings(stage: Stage, rows: Rows) -> list[tuple[Rows, str, float, float]]:
    """Rows to ring, one kind each: wrong, wrong and silent, silent and critical."""
    wrong, silent, critical = (
        stage.cases[name].fill_null(value).to_numpy()[rows] ^ (name == "correct")
        for name, value in (("correct", True), ("silent", False), ("critical", False))
    )
    return [
        (rows[wrong & ~silent], figures.SOFT, 8, 1.0),
        (rows[silent & ~critical], figures.INK, 10, 1.6),
        (rows[silent & critical], figures.CRITICAL, 11, 2.0),
    ]


def _scaled(colouring: Colouring, rows: Rows) -> dict[str, object]:
    assert colouring.value is not None
    finite = colouring.value[np.isfinite(colouring.value)]
    bar = {
        "orientation": "h", "thickness": 9, "len": 0.5, "x": 0, "xanchor": "left", "y": 1,
        "yanchor": "bottom",
        "title": {"text": figures.plain(colouring.title), "side": "top"}, "outlinewidth": 0, "nticks": 5,
    }  # fmt: skip
    return {
        "color": colouring.value[rows], "colorscale": SCALE, "colorbar": bar,
        "cmin": float(finite.min()) if len(finite) else 0.0,
        "cmax": float(finite.max()) if len(finite) else 1.0,
    }  # fmt: skip
