"""Try an image: drop one in and see the answer, the doubt, and whether it would be used or deferred."""

from __future__ import annotations

import base64
import binascii

from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from primum.core.check import InputError, PrimumError
from primum.data.imaging import limits
from primum.explore import trial
from primum.explore.app import case, parts
from primum.explore.app.stage import Finder, Stage
from primum.explore.trial import Answer
from primum.report import words

NAME, TITLE = "trying", "Try an image"
LONGEST = 4 * limits.UPLOADED // 3 + 1000  # characters of a file in base64 and of its kind
INTRO = (
    "Drop in an image the network has not seen, of the kind it was trained on: JPEG, PNG, TIFF or DICOM. "
    "It is looked at on this machine, and nothing of it is kept. Two questions are asked: has such an image "
    "been seen, and is the answer sure enough? A network knows other kinds of image only by chance, so look "
    "at the nearest known cases too."
)


def panel(stage: Stage) -> list[Component]:
    """The place to drop an image, and the answer."""
    if stage.scene.run is None:
        return [
            html.P(INTRO, className="intro"),
            parts.refusal(
                "there is no network here to ask: start the explorer on the folder of a run, "
                "which holds its network, to try an image"
            ),
        ]
    drop = dcc.Upload(
        html.Div([html.B("Drop an image here"), html.Br(), "or press to choose a file"]),
        id="upload", className="drop live", max_size=limits.UPLOADED,
    )  # fmt: skip
    return [
        html.P(INTRO, className="intro"),
        drop,
        dcc.Loading(html.Div(id="tried", role="status"), type="dot", color="#0b5c94"),
        parts.actions(NAME),
    ]


def connect(app: Dash, find: Finder) -> None:
    """Answer each image that is dropped in."""

    @app.callback(
        Output("tried", "children"),
        Input("upload", "contents"),
        State("upload", "filename"),
        State("scene", "value"),
        prevent_initial_call=True,
    )
    def answer(contents: str | None, name: str | None, number: int) -> list[Component]:
        if not contents:
            return []
        stage = find(number)
        try:
            return show_answer(
                stage, trial.answer(stage.scene, decode_upload(contents), name or "image", stage.policy)
            )
        except PrimumError as error:
            return [parts.refusal(str(error))]


def decode_upload(contents: str) -> bytes:
    """The bytes of a data URI; what is too long is refused before it is decoded."""
    text = str(contents)
    if len(text) > LONGEST:
        raise InputError(
            f"an image file of at most {limits.UPLOADED // 2**20} MB was expected, "
            f"{3 * len(text) / 4 / 2**20:,.2f} MB arrived; shrink it"
        )
    try:
        return base64.b64decode(text.partition(",")[2], validate=True)
    except (binascii.Error, ValueError):
        raise InputError("the file did not arrive whole; drop it in again") from None


def show_answer(stage: Stage, reply: Answer) -> list[Component]:
    """The picture and its map, the answer and what would become of it, the scores and the nearest cases."""
    pictures = [
        html.Figure([html.Img(src=parts.embedded(reply.picture), alt=reply.name), _under(reply.name)])
    ]
    if reply.heat is not None:
        heat = html.Img(src=parts.embedded(reply.heat), alt="What spoke for the answer")
        pictures.append(html.Figure([heat, _under("Yellow: what spoke most for the answer (Grad-CAM)")]))
    else:
        pictures.append(html.Figure(parts.refusal(reply.no_heat)))
    shares = sorted(((share, name) for name, share in reply.probabilities.items()), reverse=True)
    sure = words.number(shares[0][0], "accuracy")
    # never as if both questions had been answered, where the first could not be asked
    use = "Use the answer" if reply.asked else "Use the answer only of an image that is known to be familiar"
    verdict = use if reply.accepted else f"Send it to a reader: {reply.reason}"
    lines = [
        html.P([html.B(verdict)], className="verdict-line"),
        *([] if reply.reason == "unfamiliar" else [html.P(f"{words.opening(reply.seen)}.")]),
        html.P(f"{words.opening(reply.why)}."),
        html.P(["The answer: ", html.B(reply.predicted), f", {sure} sure."], className="answer"),
        *(html.P(f"{words.opening(note)}.", className="note") for note in reply.predictions.notes),
        html.H3("Probabilities"),
        case.bars(shares),
    ]
    near = case.near(stage, reply.nearest) if reply.nearest is not None else parts.refusal(reply.no_nearest)
    scores = [(name, value, reply.below.get(name)) for name, value in reply.scores.items()]
    aside = [
        html.H3("The nearest training images" if stage.scene.train is not None else "Nearest known cases"),
        near,
        html.H3("Confidence, higher is surer"),
        parts.score_table(scores),
    ]
    return [
        html.Div(
            [
                html.Div(pictures, className="picture pair"),
                html.Div([html.Div(lines), html.Div(aside)], className="halves"),
            ],
            className="tried",
        )
    ]


def _under(text: str) -> Component:
    return html.Figcaption(text, className="note")
