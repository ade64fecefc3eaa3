"""What a threshold on a confidence score, and a veto before it, would save, and what they would leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from primum.core import check, ties
from primum.core.arrays import Array, Bools, Floats, Integers
from primum.explore.novelty import Veto
from primum.explore.scene import Scene
from primum.judge.answers import View
from primum.judge.deferral import curve as curves
from primum.judge.deferral.costs import Reader, spent
from primum.judge.deferral.measure import deferral
from primum.judge.deferral.scored import Decided
from primum.judge.metrics import selective
from primum.judge.metrics.harm import critical_classes
from primum.judge.metrics.table import codes
from primum.judge.statistics.interval import Estimate

POINTS = 400  # of a drawn curve
CODES = codes("explorer")
SWEPT = ("threshold", "deferred", "errors", "accepted_cer", "cer_after_deferral", "failure_cost")


@dataclass(frozen=True, eq=False)
class ThresholdResult:
    """What is accepted at or above a threshold, of the cases that pass a veto.

    Attributes:
        n: labelled cases with the scores. left_out: chosen cases without label or scores.
        unfamiliar: of ``n`` those stopped by the veto. unsure: of the others those below the threshold.
        accepted: those left. errors, critical_errors: among them; the latter, which nobody would notice,
            None without critical cells.
        confusion: (K, K) counts of accepted cases, rows true.
        figures: ``deferred_share``, ``accepted_cer``, ``cer_after_deferral``, ``critical_coverage``,
            ``failure_cost`` and, with a reader cost, ``failure_cost_with_reader`` → the estimate, or in words
            why there is none. Intervals are 95 %, over patients where known; with several domains of the same
            images over images.
    """

    n: int
    left_out: int
    unfamiliar: int
    unsure: int
    accepted: int
    errors: int
    critical_errors: int | None
    confusion: Integers
    figures: Mapping[str, Estimate | str]


def measure_threshold(
    scene: Scene,
    rows: Array | None,
    score: str,
    threshold: float,
    reader_cost: float = 0.0,
    veto: Veto | None = None,
) -> ThresholdResult:
    """What is accepted at or above a threshold, by the functions an audit of a policy uses.

    Args:
        scene: the cases. rows: (n,) rows of ``scene.cases`` or a mask (N,); None for all. Cases without a
            label or without this score do not count.
        score: one of ``scene.scores``. threshold: of it. reader_cost: of one deferral, in units of the
            severity. veto: asked before, or None; cases without its score do not count either.

    Raises:
        InputError: for an unknown score.

    >>> import numpy as np
    >>> from primum.explore.scene import Domain, build_scene
    >>> from primum.predictions import Predictions
    >>> logits = np.log([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
    >>> table = Predictions(["x", "y", "z"], ("cat", "dog"), [0, 1, 1], logits)
    >>> scene = build_scene("net", [Domain("test", table)])
    >>> result = measure_threshold(scene, None, "msr", threshold=0.75)
    >>> result.accepted, result.errors, result.confusion.tolist()
    (2, 1, [[1, 0], [1, 0]])
    """
    judged, confidence, familiar = _judged(scene, rows, score, veto)
    labels, decisions = scene.labels[judged], scene.predicted[judged]
    accepted = ties.at_least(confidence, threshold) & familiar
    k = len(scene.classes)
    confusion = np.bincount(labels[accepted] * k + decisions[accepted], minlength=k * k).reshape(k, k)
    chosen = len(scene) if rows is None else len(np.arange(len(scene))[rows])
    figures: dict[str, Estimate | str] = {}
    if len(judged):
        view = _view(scene, judged)
        decided = Decided(
            "argmax",
            "none",
            decisions=decisions,
            score=score,
            confidence=confidence,
            threshold=np.full(len(judged), threshold),
            familiar=familiar,
        )
        for figure in deferral(view, decided, Reader(reader_cost) if reader_cost else None):
            if figure.code in CODES:
                figures[figure.code] = figure.why_not or figure.estimate(view)
    else:
        figures = dict.fromkeys(CODES, "no chosen case has a label and this score")
    return ThresholdResult(
        n=len(judged),
        left_out=chosen - len(judged),
        unfamiliar=int((~familiar).sum()),
        unsure=int((familiar & ~accepted).sum()),
        accepted=int(accepted.sum()),
        errors=int(confusion.sum() - np.trace(confusion)),
        critical_errors=None if scene.critical is None else int(confusion[scene.critical].sum()),
        confusion=confusion,
        figures=figures,
    )


def sweep(
    scene: Scene,
    rows: Array | None,
    score: str,
    reader_cost: float = 0.0,
    points: int = POINTS,
    veto: Veto | None = None,
) -> pl.DataFrame:
    """The curve the slider moves on: at most ``points`` thresholds, from deferring none to deferring all.

    With a veto it begins where only the veto defers.

    Args:
        scene, rows, score, reader_cost, veto: as in :func:`measure_threshold`.

    Returns:
        ``threshold`` (infinite where all are deferred), ``deferred`` (share), ``errors`` (accepted ones / n),
        ``cer_after_deferral`` (accepted critical errors / critical cases) and ``accepted_cer`` (of accepted
        critical cases), both null where there is none to count among, ``failure_cost`` (null without a
        severity). Empty without labelled cases.
    """
    judged, confidence, familiar = _judged(scene, rows, score, veto)
    if not len(judged):
        return pl.DataFrame(schema=dict.fromkeys(SWEPT, pl.Float64))
    confidence = np.where(familiar, confidence, -np.inf)
    labels, decisions = scene.labels[judged], scene.predicted[judged]
    ranking = selective.rank(confidence)
    # cumulative sums are read where a tie ends: a threshold takes all cases of one confidence or none
    ends, order, n = np.r_[0, ranking.ends], ranking.order, len(judged)

    def summed(hits: Array) -> Floats:
        return np.asarray(np.r_[0.0, np.cumsum(hits[order], dtype=np.float64)][ends])

    columns = {
        "threshold": np.r_[np.inf, confidence[order[ranking.ends - 1]]],
        "deferred": 1 - ends / n,
        "errors": summed(labels != decisions) / n,
    }
    table = pl.DataFrame(columns).with_columns(pl.lit(None, pl.Float64).alias(name) for name in SWEPT[3:])
    if scene.critical is not None:
        among = summed(critical_classes(scene.critical)[labels])
        missed = summed(scene.critical[labels, decisions])
        rate = pl.Series(np.divide(missed, among, out=np.zeros(len(among)), where=among > 0))
        table = table.with_columns(accepted_cer=rate.set(pl.Series(among == 0), None))
        if among[-1]:
            table = table.with_columns(cer_after_deferral=pl.Series(missed / among[-1]))
    if scene.severity is not None:
        accepting, deferring = spent(labels, decisions, scene.severity.cost, Reader(reader_cost))
        table = table.with_columns(
            failure_cost=pl.Series(curves.curve(confidence, accepting, deferring).cost)
        )
    table = table.filter(pl.col("threshold") > -np.inf)  # below it stand the cases that the veto keeps back
    grid = np.unique(np.linspace(0, len(table) - 1, points).round().astype(np.int64))
    return table[grid].reverse()


def _judged(
    scene: Scene, rows: Array | None, score: str, veto: Veto | None
) -> tuple[Integers, Floats, Bools]:
    """Rows with a label and the scores, their confidence, and whether they pass the veto."""
    check.one_of(score, scene.scores, "score")
    values = scene.cases[f"score_{score}"].to_numpy()
    known = (scene.labels >= 0) & np.isfinite(values)
    familiar = np.ones(len(scene), dtype=np.bool_)
    if veto is not None:
        check.one_of(veto.score, scene.scores, "score")
        known &= np.isfinite(scene.cases[f"score_{veto.score}"].to_numpy())
        familiar = veto.passes(scene)
    judged = np.arange(len(scene)) if rows is None else np.arange(len(scene))[rows]
    judged = judged[known[judged]]
    return judged, np.asarray(values[judged], dtype=np.float64), familiar[judged]


def _view(scene: Scene, judged: Integers) -> View:
    patients = None if scene.units is None else scene.units[judged]
    return View(
        labels=scene.labels[judged],
        # figures of deferral read labels, answers and confidence alone; the probabilities give n and K
        probs={"none": np.empty((len(judged), len(scene.classes)))},
        answers={},
        clusters=patients,
        units=judged if patients is None else patients,
        cost=None if scene.severity is None else scene.severity.cost,
        critical=scene.critical,
        priors=None,
        replicates=0,
        seed=0,
    )
