"""Which cases are shown: the filters of the scatter, as a row of controls and as a mask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from primum.core.arrays import Bools
from primum.explore.app import parts
from primum.explore.app.stage import Finder, Stage
from primum.report import words

OUTCOMES = {
    "all": "all answers",
    "wrong": "wrong",
    "silent": "wrong, silently",
    "critical": "critical errors",
}
NAMES = ("class", "domain", "shift", "level", "outcome", "column", "values", "score", "range")
STEPS = 200
Filters = Mapping[str, Any]  # name of a filter → its value as the browser sends it


def inputs() -> dict[str, Input]:
    """The filters as inputs of a callback, by name."""
    return {name: Input(f"only-{name}", "value") for name in NAMES}


def controls(stage: Stage) -> list[Component]:
    """The controls, all cases let through at first."""
    cases, scene = stage.cases, stage.scene
    shifts = cases["shift"].drop_nulls().unique(maintain_order=True).to_list()
    levels = sorted(cases["shift_level"].drop_nulls().unique().to_list())
    visibility = {"style": {}} if shifts else {"style": {"display": "none"}}
    low, high = span(stage, scene.scores[0])
    several = {"multi": True, "clearable": True, "placeholder": "all"}
    return [
        parts.field("True class", parts.select("only-class", scene.classes, [], **several)),
        parts.field("Set of cases", parts.select("only-domain", stage.domains, [], **several)),
        html.Div(
            [
                parts.field("Shift", parts.select("only-shift", shifts, [], **several)),
                parts.field("Intensity, 1 to 5", parts.select("only-level", levels, [], **several)),
            ],
            **visibility,
        ),
        parts.field("Answers", parts.select("only-outcome", _outcomes(stage), "all")),
        parts.field(
            "Group by a column",
            parts.select("only-column", stage.columns, None, clearable=True, placeholder="none"),
        ),
        html.Div(
            parts.field("Groups", parts.select("only-values", [], [], **several)),
            id="only-values-shown",
            style={"display": "none"},
        ),
        parts.field("Confidence by", parts.select("only-score", parts.score_options(stage), scene.scores[0])),
        html.Div(
            dcc.RangeSlider(
                id="only-range", min=low, max=high, value=[low, high], step=(high - low) / STEPS, marks=None,
                allow_direct_input=False, tooltip={"placement": "bottom", "always_visible": True},
            ),
            className="field range", role="group", **{"aria-label": "Confidence range"},
        ),
    ]  # fmt: skip


def connect(app: Dash, find: Finder) -> None:
    """Let the groups follow the column, and the range follow the score."""

    @app.callback(
        Output("only-values", "options"),
        Output("only-values", "value"),
        Output("only-values-shown", "style"),
        Input("only-column", "value"),
        State("scene", "value"),
        prevent_initial_call=True,
    )
    def groups(column: str | None, number: int) -> tuple[list[dict[str, str]], list[str], dict[str, str]]:
        stage = find(number)
        if column not in stage.columns:
            return [], [], {"display": "none"}
        values = stage.cases[column].drop_nulls().unique().sort().head(500).to_list()
        return [{"value": str(value), "label": str(value)} for value in values], [], {}

    @app.callback(
        Output("only-range", "min"),
        Output("only-range", "max"),
        Output("only-range", "step"),
        Output("only-range", "value"),
        Input("only-score", "value"),
        State("scene", "value"),
        prevent_initial_call=True,
    )
    def ends(score: str, number: int) -> tuple[float, float, float, list[float]]:
        stage = find(number)
        low, high = span(stage, score if score in stage.scene.scores else stage.scene.scores[0])
        return low, high, (high - low) / STEPS, [low, high]


def span(stage: Stage, score: str) -> tuple[float, float]:
    """Two ends that hold every value of a score, with few digits and some width between them."""
    column = stage.cases[f"score_{score}"].drop_nulls()
    low, high = float(column.min()), float(column.max())  # type: ignore[arg-type]
    places = 2 - int(np.floor(np.log10(max(high - low, 1e-9))))
    unit = 10.0**-places
    top = np.ceil(high / unit) + (low == high)
    return round(float(np.floor(low / unit) * unit), places), round(float(top * unit), places)


def passing(stage: Stage, chosen: Filters) -> Bools:
    """(N,) bool, the cases every filter lets through; a filter left empty lets all through."""
    cases = stage.cases
    conditions: list[pl.Expr] = []
    for name, column in (
        ("class", "label"),
        ("domain", "domain"),
        ("shift", "shift"),
        ("level", "shift_level"),
    ):
        if chosen.get(name):
            conditions.append(pl.col(column).is_in(chosen[name]))
    if chosen.get("outcome") == "wrong":
        conditions.append(~pl.col("correct"))
    elif chosen.get("outcome") in ("silent", "critical"):
        conditions.append(pl.col(chosen["outcome"]))
    if chosen.get("column") in stage.columns and chosen.get("values"):
        conditions.append(pl.col(chosen["column"]).cast(pl.String).is_in(chosen["values"]))
    score, ends = chosen.get("score"), chosen.get("range")
    if score in stage.scene.scores and ends:
        low, high = span(stage, score)
        if ends[0] > low or ends[1] < high:
            conditions.append(pl.col(f"score_{score}").is_between(ends[0], ends[1]))
    mask = np.ones(len(cases), dtype=np.bool_)
    if conditions:
        mask &= cases.select(pl.all_horizontal(conditions).fill_null(False)).to_series().to_numpy()
    return mask


def describe(stage: Stage, mask: Bools, chosen: Filters) -> str:
    """How many cases passed, how many of them are wrong, and which filters stand."""
    cases = stage.cases.filter(pl.Series(mask))
    wrong, silent = int((~cases["correct"]).sum()), int(cases["silent"].sum())
    silent_critical = int((cases["silent"] & cases["critical"]).sum())
    sentence = f"{words.counted(len(cases))}: {words.counted(wrong, 'wrong answer', 'wrong answers')}"
    sentence += f", {words.number(silent, 'n')} of them silent" if wrong else ""
    sentence += f" and {words.number(silent_critical, 'n')} of these critical" if silent_critical else ""
    standing = [
        ", ".join(str(value) for value in chosen[name])
        for name in ("class", "domain", "shift", "level", "values")
        if chosen.get(name)
    ]
    if chosen.get("outcome", "all") != "all":
        standing.append(OUTCOMES[chosen["outcome"]])
    return sentence + (f". Only {'; '.join(standing)}." if standing else ".")


def _outcomes(stage: Stage) -> list[dict[str, str]]:
    fatal = stage.scene.critical is not None
    return [
        {"value": name, "label": label} for name, label in OUTCOMES.items() if fatal or name != "critical"
    ]
