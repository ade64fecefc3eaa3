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


def at(
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
    mine, confidence = _judged(scene, rows, score)
    labels, decisions = scene.labels[mine], scene.predicted[mine]
    accepted = ties.at_least(confidence, threshold)
    k = len(scene.classes)
    confusion = np.bincount(labels[accepted] * k + decisions[accepted], minlength=k * k).reshape(k, k)
    asked = len(scene) if rows is None else len(np.arange(len(scene))[rows])
    found: dict[str, Any] = {
        "n": len(mine),
        "left_out": asked - len(mine),
        "accepted": int(accepted.sum()),
        "errors": int(confusion.sum() - np.trace(confusion)),
        "critical_errors": None if scene.critical is None else int(confusion[scene.critical].sum()),
        "confusion": confusion,
    }
    if not len(mine):
        return found | {code: {"why_not": "no chosen case has a label and this score"} for code in CODES}
    view = _view(scene, mine)
    decided = Decided("argmax", "none", decisions, score, confidence, np.full(len(mine), threshold))
    for one in deferral(view, decided, Reader(reader_cost) if reader_cost else None):
        if one.code not in CODES:
            continue
        if one.why_not:
            found[one.code] = {"why_not": one.why_not}
            continue
        estimate = one.estimate(view)
        found[one.code] = {
            "value": estimate.value, "low": estimate.low, "high": estimate.high, "n": estimate.n
        }  # fmt: skip
    return found


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
    mine, confidence = _judged(scene, rows, score)
    if not len(mine):
        kinds = ("threshold", "deferred", "errors", "accepted_cer", "failure_cost")
        return pl.DataFrame(schema=dict.fromkeys(kinds, pl.Float64))
    labels, decisions = scene.labels[mine], scene.predicted[mine]
    ranking = selective.rank(confidence)
    ends, order, n = np.r_[0, ranking.ends], ranking.order, len(mine)

    def summed(hits: Array) -> Floats:
        return np.asarray(np.r_[0.0, np.cumsum(hits[order], dtype=np.float64)][ends])

    columns = {
        "threshold": np.r_[np.inf, confidence[order[ranking.ends - 1]]],
        "deferred": 1 - ends / n,
        "errors": summed(labels != decisions) / n,
    }
    shown = pl.DataFrame(columns).with_columns(
        accepted_cer=pl.lit(None, pl.Float64), failure_cost=pl.lit(None, pl.Float64)
    )
    if scene.critical is not None:
        among = summed(critical_classes(scene.critical)[labels])
        missed = summed(scene.critical[labels, decisions])
        rate = pl.Series(np.divide(missed, among, out=np.zeros(len(among)), where=among > 0))
        shown = shown.with_columns(accepted_cer=rate.set(pl.Series(among == 0), None))
    if scene.severity is not None:
        accepting, deferring = spent(labels, decisions, scene.severity.cost, Reader(reader_cost))
        shown = shown.with_columns(
            failure_cost=pl.Series(curves.curve(confidence, accepting, deferring).cost)
        )
    kept = np.unique(np.linspace(0, len(shown) - 1, points).round().astype(np.int64))
    return shown[kept].reverse()


def _judged(scene: Scene, rows: Array | None, score: str) -> tuple[Integers, Floats]:
    """Rows with a label and the score, and their confidence."""
    check.one_of(score, scene.scores, "score")
    values = scene.cases[f"score_{score}"].to_numpy()
    mine = np.arange(len(scene)) if rows is None else np.arange(len(scene))[rows]
    mine = mine[(scene.labels[mine] >= 0) & np.isfinite(values[mine])]
    return mine, np.asarray(values[mine], dtype=np.float64)


def _view(scene: Scene, mine: Integers) -> View:
    units = scene.units
    whose = None if units is None else units[mine]
    cost = None if scene.severity is None else scene.severity.cost
    none = np.empty((len(mine), len(scene.classes)))
    return View(
        scene.labels[mine], {"none": none}, {}, whose, mine if whose is None else whose, cost, scene.critical,
        None, 0, 0,
    )  # fmt: skip
