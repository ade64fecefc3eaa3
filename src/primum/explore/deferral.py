"""What a threshold on a confidence score would save, and what it would leave."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from primum.core import check, ties
from primum.core.arrays import Array, Floats, Integers
from primum.explore.scene import Scene
from primum.judge.answers import View
from primum.judge.deferral import curve as curves
from primum.judge.deferral.costs import Reader, spent
from primum.judge.deferral.measure import deferral
from primum.judge.deferral.scored import Decided
from primum.judge.metrics import selective
from primum.judge.metrics.harm import critical_classes
from primum.judge.metrics.table import codes

POINTS = 400  # of a drawn curve
CODES = codes("explorer")


def measure_threshold(
    scene: Scene,
    rows: Array | None,
    score: str,
    threshold: float,
    reader_cost: float = 0.0,
) -> dict[str, Any]:
    """What is accepted at or above a threshold, by the functions an audit of a policy uses.

    Args:
        scene: the cases. rows: (n,) rows of ``scene.cases`` or a mask (N,); None for all. Cases without a
            label or without this score do not count.
        score: one of ``scene.scores``. threshold: of it. reader_cost: of one deferral, in units of the
            severity.

    Returns:
        ``n``, ``left_out`` (cases without label or score), ``accepted``, ``errors`` and ``critical_errors``
        (accepted), ``confusion`` ((K, K) counts of accepted cases, rows true), and ``deferred_share``,
        ``accepted_cer``, ``cer_after_deferral``, ``critical_coverage``, ``failure_cost`` and, with a reader
        cost, ``failure_cost_with_reader``, each a dictionary of ``value``, ``low``, ``high`` and ``n``, or of
        ``why_not``. Intervals are 95 %, over patients where known; with several domains of the same images
        over images.

    Raises:
        InputError: for an unknown score.
    """
    judged, confidence = _judged(scene, rows, score)
    labels, decisions = scene.labels[judged], scene.predicted[judged]
    accepted = ties.at_least(confidence, threshold)
    k = len(scene.classes)
    confusion = np.bincount(labels[accepted] * k + decisions[accepted], minlength=k * k).reshape(k, k)
    chosen = len(scene) if rows is None else len(np.arange(len(scene))[rows])
    result: dict[str, Any] = {
        "n": len(judged),
        "left_out": chosen - len(judged),
        "accepted": int(accepted.sum()),
        "errors": int(confusion.sum() - np.trace(confusion)),
        "critical_errors": None if scene.critical is None else int(confusion[scene.critical].sum()),
        "confusion": confusion,
    }
    if not len(judged):
        return result | {code: {"why_not": "no chosen case has a label and this score"} for code in CODES}
    view = _view(scene, judged)
    decided = Decided("argmax", "none", decisions, score, confidence, np.full(len(judged), threshold))
    for figure in deferral(view, decided, Reader(reader_cost) if reader_cost else None):
        if figure.code not in CODES:
            continue
        if figure.why_not:
            result[figure.code] = {"why_not": figure.why_not}
            continue
        estimate = figure.estimate(view)
        result[figure.code] = {
            "value": estimate.value, "low": estimate.low, "high": estimate.high, "n": estimate.n
        }  # fmt: skip
    return result


def sweep(
    scene: Scene, rows: Array | None, score: str, reader_cost: float = 0.0, points: int = POINTS
) -> pl.DataFrame:
    """The curve the slider moves on: at most ``points`` thresholds, from deferring none to deferring all.

    Args:
        scene, rows, score, reader_cost: as in :func:`at`.

    Returns:
        ``threshold`` (infinite where all are deferred), ``deferred`` (share), ``errors`` (accepted ones / n),
        ``accepted_cer`` (null where no critical case is accepted, or none is known to be critical),
        ``failure_cost`` (null without a severity). Empty without labelled cases.
    """
    judged, confidence = _judged(scene, rows, score)
    if not len(judged):
        kinds = ("threshold", "deferred", "errors", "accepted_cer", "failure_cost")
        return pl.DataFrame(schema=dict.fromkeys(kinds, pl.Float64))
    labels, decisions = scene.labels[judged], scene.predicted[judged]
    ranking = selective.rank(confidence)
    ends, order, n = np.r_[0, ranking.ends], ranking.order, len(judged)

    def summed(hits: Array) -> Floats:
        return np.asarray(np.r_[0.0, np.cumsum(hits[order], dtype=np.float64)][ends])

    columns = {
        "threshold": np.r_[np.inf, confidence[order[ranking.ends - 1]]],
        "deferred": 1 - ends / n,
        "errors": summed(labels != decisions) / n,
    }
    table = pl.DataFrame(columns).with_columns(
        accepted_cer=pl.lit(None, pl.Float64), failure_cost=pl.lit(None, pl.Float64)
    )
    if scene.critical is not None:
        among = summed(critical_classes(scene.critical)[labels])
        missed = summed(scene.critical[labels, decisions])
        rate = pl.Series(np.divide(missed, among, out=np.zeros(len(among)), where=among > 0))
        table = table.with_columns(accepted_cer=rate.set(pl.Series(among == 0), None))
    if scene.severity is not None:
        accepting, deferring = spent(labels, decisions, scene.severity.cost, Reader(reader_cost))
        table = table.with_columns(
            failure_cost=pl.Series(curves.curve(confidence, accepting, deferring).cost)
        )
    grid = np.unique(np.linspace(0, len(table) - 1, points).round().astype(np.int64))
    return table[grid].reverse()


def _judged(scene: Scene, rows: Array | None, score: str) -> tuple[Integers, Floats]:
    """Rows with a label and the score, and their confidence."""
    check.one_of(score, scene.scores, "score")
    values = scene.cases[f"score_{score}"].to_numpy()
    judged = np.arange(len(scene)) if rows is None else np.arange(len(scene))[rows]
    judged = judged[(scene.labels[judged] >= 0) & np.isfinite(values[judged])]
    return judged, np.asarray(values[judged], dtype=np.float64)


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
