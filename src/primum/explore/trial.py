"""A new image: the network's answer, its doubt, what it looked at, and which question would stop it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path, PurePath
from threading import Lock
from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl

from primum.auditing.policy.application import apply
from primum.auditing.policy.document import Policy
from primum.auditing.policy.terms import percent
from primum.core import ties
from primum.core.check import InputError
from primum.data.imaging.apart import READER
from primum.data.imaging.decoded import Decoded
from primum.data.imaging.opening import UnreadableError
from primum.data.imaging.ranges import Unfit, of_channel
from primum.explore import neighbours, novelty, pictures
from primum.explore import scores as scoring
from primum.explore.scene import OPERATING, Scene
from primum.judge.deferral.veto import RATE
from primum.predictions import Predictions

if TYPE_CHECKING:
    from PIL.Image import Image

    from primum.data.images import ImageTable
    from primum.model.backbone import Network

NEW = "new image"
PICTURE_SIZE = 512  # pixels of the longer side of the pictures
LONGEST_NAME = 80  # characters of the name of a file
NEAREST = 3
ASKING = Lock()  # one network answers all users
Reason = Literal["", "unfamiliar", "unsure"]


@dataclass(frozen=True, eq=False)
class Answer:
    """What a run's network says of an image.

    Attributes:
        name: of the file. predicted: class name. probabilities: class → 0 to 1.
        scores: name → confidence, higher = more trustworthy. below: name → share of the scene's cases whose
            confidence is lower.
        accepted: whether the answer would be used. reason: ``unfamiliar`` or ``unsure``, else empty.
        seen: whether such an image has been seen, in a sentence, or why that cannot be asked.
        asked: whether that was asked; a policy without a veto does not want it to be.
        why: what the decision rests on, in a sentence.
        picture: PNG. heat: PNG under the map of what speaks for the answer, or None. no_heat: why, or empty.
        nearest: three cases as ``neighbours.nearest`` returns, or None. no_nearest: why, or empty.
        predictions: the one row, as ``primum.model.predict`` writes it; its notes say what was clipped.
    """

    name: str
    predicted: str
    probabilities: Mapping[str, float]
    scores: Mapping[str, float]
    below: Mapping[str, float]
    accepted: bool
    reason: Reason
    seen: str
    asked: bool
    why: str
    picture: bytes
    heat: bytes | None
    no_heat: str
    nearest: pl.DataFrame | None
    no_nearest: str
    predictions: Predictions


def answer(scene: Scene, content: bytes, name: str, policy: Policy | None = None) -> Answer:
    """Ask the network of a scene about one image.

    Where the scene's own predictions are means over dropout passes, this answer is one too.

    Args:
        scene: of a run. content: of an image file of any kind, DICOM too. name: of the file.
        policy: accepts or defers; without it the scene's operating threshold on MSR does, and before it a
            veto at 5 % by its first novelty score.

    Raises:
        InputError: for a scene without a network, a file that is no image, or a policy for other outputs.
        MissingExtraError: when a library it needs is not installed.
    """
    if scene.run is None:
        raise InputError(
            f"{scene.name}: trying an image needs a network; start the explorer on the folder of a run"
        )
    from primum.data.images import COLUMNS, ImageTable
    from primum.model.predict import predict

    name = clean_name(name)
    READER.start()  # while the network is loaded
    network = _network(scene.run)
    decoded = _decode(content, name)
    if len(network.card.transform.mean) != 3:
        raise InputError(
            f"{name}: one file holds one picture, this network takes {len(network.card.transform.mean)} "
            "channels; predict such images with primum predict"
        )
    columns = {column: [NEW if column == "id" else None] for column in COLUMNS}
    cases = pl.DataFrame(columns, schema=dict.fromkeys(COLUMNS, pl.String))
    ranges, unfit = network.card.transform.ranges, Unfit()
    within = of_channel(ranges, 0)
    unfit.add(0, [decoded], [within])
    image, shown_pixels = decoded.visible(within), decoded.render(within)
    table = ImageTable(name, scene.classes, cases, pixels=np.asarray(shown_pixels, dtype=np.uint8)[None])
    source = scene.domains[0].predictions.source.get("mc_dropout") or {}
    with ASKING:
        predictions = predict(
            network,
            table,
            progress=False,
            passes=int(source.get("passes", 0)),
            seed=int(source.get("seed", 0)),
        )
        notes = (*predictions.notes, *unfit.notes([0], ranges))
        predictions = replace(predictions, metadata=predictions.metadata.drop("split"), notes=notes)
        heat, no_heat = _heat(network, table, image, int(predictions.predicted[0]))
    scores = {
        score: float(value[0]) for score, value in scoring.of_new(predictions, scene.fit, scene.train).items()
    }
    reason, seen, asked, why = _decide(scene, predictions, scores, policy)
    near, no_near = _near(scene, predictions)
    return Answer(
        name,
        predicted=predictions.classes[int(predictions.predicted[0])],
        probabilities=dict(zip(predictions.classes, predictions.probs[0].tolist(), strict=True)),
        scores=scores,
        below={
            score: scene.share_below(score, value)
            for score, value in scores.items()
            if f"score_{score}" in scene.cases.columns
        },
        accepted=not reason,
        reason=reason,
        seen=seen,
        asked=asked,
        why=why,
        picture=pictures.to_png(image, PICTURE_SIZE),
        heat=heat,
        no_heat=no_heat,
        nearest=near,
        no_nearest=no_near,
        predictions=predictions,
    )


def clean_name(name: str) -> str:
    """The name of an uploaded file, at most 80 printable characters; it is shown and never a path.

    >>> clean_name("scan\\x00.dcm")
    'scan.dcm'
    """
    printed = "".join(letter for letter in str(name) if letter.isprintable())
    return (
        printed
        if len(printed) <= LONGEST_NAME
        else f"{printed[: LONGEST_NAME // 2]}…{printed[1 - LONGEST_NAME // 2 :]}"
    )


def _decode(content: bytes, name: str) -> Decoded:
    try:
        return READER.load(content, PurePath(name).suffix)
    except UnreadableError as error:
        raise InputError(f"{name}: an image was expected, {error}") from None


@lru_cache(maxsize=2)
def _network(run: Path) -> Network:
    from primum.model import backbone

    return backbone.load(run)


def _heat(network: Network, table: ImageTable, image: Image, predicted: int) -> tuple[bytes | None, str]:
    """Grad-CAM of the answer over the image, or why there is none."""
    from primum.core.check import MissingExtraError
    from primum.model.explain import layers, maps
    from primum.model.images import Images

    try:
        layer = layers.last_spatial(network)
        pixels = Images(table, network.card.transform).batch(np.array([0]))
        with maps.looking(network, layer) as look:
            relevance = look(network.prepare(pixels), [predicted])[0][0].numpy()
    except (InputError, MissingExtraError) as error:
        return None, str(error)
    if not relevance.any():
        return None, "nothing in the image speaks for this answer, so there is no map"
    return pictures.to_png(pictures.overlay(pictures.shrink(image, PICTURE_SIZE), relevance)), ""


def _decide(
    scene: Scene, predictions: Predictions, scores: Mapping[str, float], policy: Policy | None
) -> tuple[Reason, str, bool, str]:
    """What stops the answer, whether such an image has been seen, if that was asked, and what decides."""
    familiar: bool | None
    if policy is not None:
        decided = apply(policy, predictions).decided
        confidence, threshold = float(decided.confidence[0]), float(decided.threshold[0])
        origin, score = f"the policy ({policy.said})", decided.score
        seen, familiar = (
            "the policy has no veto, so it does not ask whether such an image has been seen",
            True,
        )
        if policy.veto is not None and decided.novelty is not None and decided.familiar is not None:
            familiar, veto = bool(decided.familiar[0]), policy.veto
            seen = _seen(veto.score, float(decided.novelty[0]), veto.threshold, familiar) + (
                f", below which at most {percent(veto.rate)} of patients like the policy's own fall on "
                f"average ({percent(veto.bound)} with 95 % confidence)"
            )
    else:
        confidence, threshold = scores[OPERATING], scene.thresholds[OPERATING]
        origin, score = f"the operating threshold ({scene.notes[0]})", OPERATING
        familiar, seen = _familiar(scene, scores)
    asked = familiar is not None
    if familiar is False:
        return "unfamiliar", seen, asked, f"defer: {seen}"
    accepted = bool(ties.at_least(confidence, threshold))
    verb, side = ("accept", "at or above") if accepted else ("defer", "below")
    why = f"{verb}: {score} {confidence:.4g} is {side} {threshold:.4g}, {origin}"
    return "" if accepted else "unsure", seen, asked, why


def _familiar(scene: Scene, scores: Mapping[str, float]) -> tuple[bool | None, str]:
    """Whether an image passes a veto at 5 % by the scene's first novelty score, None where none can be asked.

    The sentence holds the comparison, or says why there is none.
    """
    names = [name for name in novelty.names(scene) if name in scores]
    if not names:
        why = novelty.why_none(scene) or "the network gives nothing of this image to ask by"
        return None, f"whether such an image has been seen cannot be asked here ({why})"
    veto, known = novelty.at_rate(scene, names[0], RATE), novelty.minima(scene, names[0])
    value = scores[veto.score]
    few = novelty.too_few(scene, veto.score, RATE)
    if few:
        return None, f"whether such an image has been seen cannot be told: {few}"
    passes = bool(ties.at_least(value, veto.threshold))
    below, many = int((known < value).sum()), f"{len(known)} known {novelty.noun(scene)}"
    return passes, _seen(veto.score, value, veto.threshold, passes) + (
        f", below which at most {percent(veto.rate)} of {many} fall; {below} of them are less like the "
        f"training images ({novelty.source(scene)})"
    )


def _seen(score: str, value: float, threshold: float, passes: bool) -> str:
    word, side = ("familiar", "at or above") if passes else ("unfamiliar", "below")
    return f"{word}: {score} {value:.4g} is {side} {threshold:.4g}"


def _near(scene: Scene, predictions: Predictions) -> tuple[pl.DataFrame | None, str]:
    assert predictions.embeddings is not None
    try:
        return neighbours.nearest_to(scene, predictions.embeddings[0], NEAREST), ""
    except InputError as error:
        return None, str(error)
