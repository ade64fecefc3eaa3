"""The deferral sliders: what is unfamiliar or unsure goes to a reader, and what is left among the used."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import polars as pl
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from primum.core import ties
from primum.core.arrays import Floats
from primum.explore import deferral, novelty
from primum.explore.app import matrices, parts
from primum.explore.app.latent import csv_download
from primum.explore.app.stage import Finder, Stage
from primum.explore.deferral import ThresholdResult
from primum.explore.novelty import Veto
from primum.judge.deferral.veto import RATE
from primum.judge.metrics.selective import threshold_at_coverage
from primum.judge.statistics.interval import Estimate
from primum.report import figures, words

NAME, TITLE = "deferral", "Deferral"
INTRO = (
    "Images like those the network has seen, whose answers it is sure of, are used; the others go to a "
    "reader. Move the sliders to send more or fewer to the reader, and see what is left among the answers "
    "that are used. A threshold chosen on these very cases flatters itself: fix one with primum defer fit "
    "on other rows before it is relied on."
)
START, VETOED, MOST_VETOED = 20.0, 100 * RATE, 30  # per cent
ALONE = "Share of cases to send to a reader, the least sure first"
AFTER = "Is the answer sure enough? Share of the others to send to a reader, the least sure first"


def panel(stage: Stage) -> list[Component]:
    """The sliders and what they move."""
    unit = stage.scene.severity.unit if stage.scene.severity is not None else ""
    controls = [
        _seen_by(stage),
        parts.field(
            "Sure by", parts.select("deferral-score", parts.score_options(stage), stage.scene.scores[0])
        ),
        parts.field("Set of cases", parts.select("deferral-domain", stage.domains, stage.domains[0])),
        *_cost(stage, unit),
        parts.field(
            "Threshold: used at or above it",
            dcc.Input(id="deferral-threshold", type="number", debounce=True, step="any"),
        ),
    ]
    slider = dcc.Slider(
        id="deferral-share", min=0, max=100, step=0.5, value=START, updatemode="drag",
        marks={at: f"{at}{words.GAP}%" for at in range(0, 101, 20)}, allow_direct_input=False,
    )  # fmt: skip
    return [
        html.P(INTRO, className="intro"),
        html.Div(controls, className="controls row live"),
        *_first_question(stage),
        html.Div(
            [
                html.Div(AFTER if novelty.names(stage.scene) else ALONE, id="deferral-share-name"),
                html.Div(slider, role="group", **{"aria-labelledby": "deferral-share-name"}),
                html.Button("At the operating threshold", id="deferral-operating", n_clicks=0),
            ],
            className="slider live",
        ),
        html.P(id="deferral-said", className="said", role="status"),
        html.Div(id="deferral-numbers"),
        html.Div(
            [
                html.Figure(
                    [
                        html.Figcaption("As more cases are deferred"),
                        dcc.Graph(
                            id="deferral-curve",
                            config={**parts.PLOT, "displayModeBar": False},
                            style={"height": "370px"},
                        ),
                    ]
                ),
                html.Div(id="deferral-matrix"),
            ],
            className="halves",
        ),
        parts.actions(NAME, "Save the deferred cases (CSV)"),
    ]


def connect(app: Dash, find: Finder) -> None:
    """Slider and threshold follow each other, everything else follows both and the veto."""

    @app.callback(
        output={
            "share": Output("deferral-share", "value"),
            "typed": Output("deferral-threshold", "value"),
            "said": Output("deferral-said", "children"),
            "numbers": Output("deferral-numbers", "children"),
            "curve": Output("deferral-curve", "figure"),
            "matrix": Output("deferral-matrix", "children"),
        },
        inputs={
            "share": Input("deferral-share", "value"),
            "rate": Input("deferral-rate", "value"),
            "novel": Input("deferral-novelty", "value"),
            "typed": Input("deferral-threshold", "value"),
            "operating": Input("deferral-operating", "n_clicks"),
            "score": Input("deferral-score", "value"),
            "domain": Input("deferral-domain", "value"),
            "cost": Input("deferral-cost", "value"),
            "tab": Input("tab", "value"),
            "number": State("scene", "value"),
        },
    )
    def draw(
        *, share: float, rate: float, novel: str | None, typed: float | None, operating: int, score: str,
        domain: str, cost: float | None, tab: str, number: int,
    ) -> dict[str, object]:  # fmt: skip
        if tab != NAME:
            raise PreventUpdate
        stage = find(number)
        rows = (stage.cases["domain"] == domain).to_numpy()
        veto = None if novel is None else novelty.at_rate(stage.scene, novel, rate / 100)
        few = "" if novel is None else novelty.too_few(stage.scene, novel, rate / 100)
        values = stage.cases[f"score_{score}"].to_numpy()
        passing = rows & np.isfinite(values)
        values = values[passing if veto is None else passing & veto.passes(stage.scene)]
        trigger = ctx.triggered_id
        threshold = _threshold(values, share)
        if trigger == "deferral-threshold" and typed is not None:
            threshold = float(typed)
        elif trigger == "deferral-operating":
            threshold = stage.scene.thresholds[score]
        if trigger in ("deferral-threshold", "deferral-operating") and len(values):
            share = round(100 * float(np.mean(~ties.at_least(values, threshold))), 1)
        reader = max(float(cost or 0), 0.0)
        result = deferral.measure_threshold(
            stage.scene, rows, score, threshold=threshold, reader_cost=reader, veto=veto
        )
        swept = deferral.sweep(stage.scene, rows, score, reader, veto=veto)
        return {
            "share": no_update if trigger == "deferral-share" else share,  # or it would jump back while moved
            "typed": no_update if trigger == "deferral-threshold" else _typed(threshold),
            "said": _summary(result, score, threshold, veto, few),
            "numbers": _numbers(stage, result, reader),
            "curve": curve(swept, result, reader),
            "matrix": matrices.confusion(stage, result.confusion, "Answers that are used"),
        }

    @app.callback(
        Output("deferral-file", "data"),
        Input("deferral-csv", "n_clicks"),
        State("deferral-threshold", "value"),
        State("deferral-score", "value"),
        State("deferral-domain", "value"),
        State("deferral-rate", "value"),
        State("deferral-novelty", "value"),
        State("scene", "value"),
        prevent_initial_call=True,
    )
    def save(
        clicks: int | None, threshold: float | None, score: str, domain: str, rate: float,
        novel: str | None, number: int,
    ) -> object:  # fmt: skip
        if not clicks:
            raise PreventUpdate
        stage = find(number)
        bound = np.inf if threshold is None else threshold
        stopped = (stage.cases[f"score_{score}"] < bound).fill_null(False).to_numpy()
        if novel is not None:
            stopped = stopped | ~novelty.at_rate(stage.scene, novel, rate / 100).passes(stage.scene)
        here = (stage.cases["domain"] == domain).to_numpy()
        return csv_download(stage, np.flatnonzero(here & stopped), "deferred")


def _seen_by(stage: Stage) -> Component:
    """The novelty score that is asked, hidden where there is none."""
    scores = novelty.names(stage.scene)
    options = [{"value": name, "label": parts.score_name(name)} for name in scores]
    chooser = parts.select("deferral-novelty", options, scores[0] if scores else None)
    return parts.field("Seen by", chooser) if scores else html.Div(chooser, style={"display": "none"})


def _first_question(stage: Stage) -> list[Component]:
    """The slider of the veto, hidden with a sentence why where no score can ask."""
    asks = bool(novelty.names(stage.scene))
    slider = dcc.Slider(
        id="deferral-rate", min=0, max=MOST_VETOED, step=0.5, value=VETOED if asks else 0, updatemode="drag",
        marks={at: f"{at}{words.GAP}%" for at in range(0, MOST_VETOED + 1, 5)}, allow_direct_input=False,
    )  # fmt: skip
    name = (
        f"Has such an image been seen? Share of known {novelty.noun(stage.scene)} to send away as unfamiliar "
        f"({novelty.source(stage.scene)})"
    )
    block = html.Div(
        [
            html.Div(name, id="deferral-rate-name"),
            html.Div(slider, role="group", **{"aria-labelledby": "deferral-rate-name"}),
        ],
        className="slider live",
        **({} if asks else {"style": {"display": "none"}}),
    )
    if asks:
        return [block]
    why = f"Whether such an image has been seen cannot be asked here. {novelty.why_none(stage.scene)}."
    return [html.P(why, className="note", id="deferral-unasked"), block]


def _cost(stage: Stage, unit: str) -> list[Component]:
    """What a reader costs, where costs are known at all."""
    box = dcc.Input(id="deferral-cost", type="number", min=0, value=0, step="any", debounce=True)
    if stage.scene.severity is None:
        return [html.Div(box, style={"display": "none"})]
    return [parts.field(f"Cost of one deferral (in units of: {unit})", box)]


def _threshold(values: Floats, share: float) -> float:
    """The threshold that defers a share in per cent, or as near below it as ties allow."""
    if share >= 100 or not len(values):
        return float(np.inf)
    return threshold_at_coverage(values, 1 - share / 100)


def _typed(threshold: float) -> float | None:
    """What stands in the box: every digit, since rounding would move cases over the line."""
    return None if np.isinf(threshold) else float(threshold)


def _summary(result: ThresholdResult, score: str, threshold: float, veto: Veto | None, few: str) -> str:
    asks = veto is not None and np.isfinite(veto.threshold)
    at = (
        "all cases go to the reader"
        if np.isposinf(threshold)
        else f"used where {score} is at least {threshold:.4g}"
    )
    if veto is not None and asks:
        at += f" and {veto.score} at least {veto.threshold:.4g}"
    which = f" ({result.unfamiliar} unfamiliar, {result.unsure} unsure)" if asks else ""
    used = f"{result.n - result.accepted} go to a reader{which} and {result.accepted} answers are used"
    sentence = f"Of {words.counted(result.n)}, {used}; {at}"
    left = (
        f"; {result.left_out} without a known truth or these scores are left out" if result.left_out else ""
    )
    return f"{sentence}{left}{few and f'; {few}'}."


def _numbers(stage: Stage, result: ThresholdResult, reader: float) -> Component:
    """The figures in large, each with its interval or the reason why there is none."""
    cost = "failure_cost_with_reader" if reader else "failure_cost"
    estimates = result.figures
    stopped = f"{result.unfamiliar} unfamiliar, {result.unsure} unsure"
    entries = [
        _number("Sent to a reader", estimates["deferred_share"], "accuracy", "of all cases", stopped),
        _number(
            "Critical error rate",
            estimates["accepted_cer"],
            "cer",
            "of the critical cases whose answer is used",
        ),
        _number("Critical cases used", estimates["critical_coverage"], "accuracy", "of all critical cases"),
        _number("Failure cost", estimates[cost], "cost", "per case, used answers and deferrals together"),
    ]
    wrong = f"{result.errors} of {result.accepted}"
    missed = result.critical_errors
    fatal = "" if missed is None else f"{missed} of them critical, which nobody would notice"
    entries[1:1] = [
        html.Div([html.Span("Wrong among the used", className="name"), html.Span(wrong, className="big"),
                  html.Span(fatal, className="span")]),
        _number("Silent critical errors", estimates["cer_after_deferral"], "cer",
                "of all critical cases, a deferred one is safe"),
    ]  # fmt: skip
    return html.Div(entries, className="numbers")


def _number(name: str, estimate: Estimate | str, code: str, of: str, more: str = "") -> Component:
    if isinstance(estimate, str):
        value = words.NOTHING
        below = [html.Span(words.opening(estimate) + ".", className="span")]
    else:
        value = words.number(estimate.value, code)
        interval = words.span(code, estimate.low, estimate.high)
        below = [html.Span(f"95{words.GAP}% interval {interval}" if interval else "", className="span"),
                 html.Span(f"{of}, n = {words.counted(estimate.n)}", className="span"),
                 *([html.Span(more, className="span")] if more else [])]  # fmt: skip
    return html.Div([html.Span(name, className="name"), html.Span(value, className="big"), *below])


def curve(swept: pl.DataFrame, result: ThresholdResult, reader: float) -> go.Figure:
    """Critical errors left and failure cost against the share deferred, a line where the slider stands."""
    lines = [
        ("cer_after_deferral", "silent critical errors", figures.CRITICAL, ".0%"),
        ("failure_cost", "failure cost per case", figures.BLUE, ""),
        ("errors", "wrong and used, of all", figures.SOFT, ".0%"),
    ]
    curves = [line for line in lines if swept[line[0]].is_not_null().any()]
    curves = curves if len(curves) < 3 else curves[:2]
    figure = go.Figure()
    for at, (column, title, colour, ticks) in enumerate(curves):
        axis = "y" if at == 0 else f"y{at + 1}"
        figure.add_scatter(
            x=swept["deferred"].to_list(), y=swept[column].to_list(), mode="lines", yaxis=axis,
            line={"color": colour, "width": 2, "shape": "hv"}, name=title,
            hovertemplate="deferred %{x:.1%}: %{y" + (":.1%" if ticks else ":.3f") + "}<extra></extra>",
        )  # fmt: skip
        gap = 1 / len(curves)
        figure.update_layout(
            {
                "yaxis" if at == 0 else f"yaxis{at + 1}": {
                    "domain": [1 - (at + 1) * gap + 0.04, 1 - at * gap - 0.04], "rangemode": "tozero",
                    "tickformat": ticks, "title": {"text": title},
                }
            }
        )  # fmt: skip
    deferred = result.figures["deferred_share"]
    if isinstance(deferred, Estimate):
        figure.add_vline(x=deferred.value, line={"color": figures.INK, "width": 1.5, "dash": "dot"})
    figure.update_layout(
        template=figures.TEMPLATE, height=370, showlegend=False,
        margin={"l": 62, "r": 14, "t": 6, "b": 46},
        xaxis={"title": {"text": "share sent to a reader"}, "tickformat": ".0%", "range": [-0.01, 1.01],
               "anchor": f"y{len(curves)}" if len(curves) > 1 else "y"},
    )  # fmt: skip
    return figure
