"""Threshold, share deferred and failure cost: what every confidence score buys, and what policies achieve."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from primum.core.arrays import Floats
from primum.judge.answers import View
from primum.judge.deferral.costs import Reader, spent
from primum.judge.deferral.curve import DeferralCurve, at, curve
from primum.judge.deferral.scored import Scored
from primum.judge.deferral.thresholds import by_capacity

POINTS = 200
SHARES = tuple(k / 100 for k in range(101))  # deferred on the fit rows


def deferral(
    view: View,
    judged: Scored,
    fit: Scored | None = None,
    reader: Reader | None = None,
    policies: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Failure cost as a share of that without deferral, with a free reader and with a stated one.

    Without a severity matrix every error costs 1, ``unit`` is ``errors`` and no stated reader is counted.

    Args:
        view: the judged rows. judged: their answers and scores, in the same order.
        fit: the same of the fit rows, which no label is read of; None without fit rows.
        reader: the stated one, or None. policies: ``deferring.describing.described`` of each.

    Returns:
        JSON-ready: ``decision``, ``calibrated``, ``direction``, ``unit``, ``reader_cost``, ``reader_errs``,
        ``cost_without_deferral``, ``scores`` and ``policies``. An entry of ``scores`` has ``score``, ``own``
        (every threshold of the judged rows) and ``fitted`` (the threshold that defers each share ``wanted``
        of the fit rows, on the judged rows; or None). Both hold lists ``threshold`` (None where it
        defers or accepts everything), ``deferred``, ``failure`` and ``failure_with_reader`` (or None).
    """
    priced = view.cost is not None and bool(view.cost.any())
    cost = view.cost if priced and view.cost is not None else 1 - np.eye(view.classes)
    stated = reader if priced else None
    accepting, free = spent(view.labels, judged.decisions, cost, Reader())
    paid = None if stated is None else spent(view.labels, judged.decisions, cost, stated)[1]
    entries = []
    for name, confidence in judged.confidence.items():
        own = curve(confidence, accepting, free)
        dear = None if paid is None else curve(confidence, accepting, paid)
        wanted = None
        if fit is not None and name in fit.confidence:
            thresholds = np.array(
                [by_capacity(fit.confidence[name], share) for share in SHARES[:-1]] + [np.inf]
            )
            wanted = {"wanted": list(SHARES)} | _read(own, dear, accepting, at(own, thresholds), thresholds)
        last = len(own.threshold) - 1
        points = np.unique(np.linspace(0, last, min(POINTS, last + 1)).round().astype(int))
        entries.append(
            {
                "score": name,
                "own": _read(own, dear, accepting, points, own.threshold[points]),
                "fitted": wanted,
            }
        )
    return {
        "decision": judged.rule,
        "calibrated": judged.calibrated,
        "direction": "accept at or above",
        "unit": "cost" if priced else "errors",
        "reader_cost": None if stated is None else float(stated.cost),
        "reader_errs": stated is not None and stated.error is not None,
        "cost_without_deferral": float(accepting.mean()),
        "scores": entries,
        "policies": [dict(policy) for policy in policies],
    }


def _read(
    free: DeferralCurve, dear: DeferralCurve | None, accepting: Floats, points: Any, thresholds: Floats
) -> dict[str, Any]:
    alone = float(accepting.mean())

    def share(costs: Floats) -> list[float] | None:
        return (costs[points] / alone).tolist() if alone > 0 else None

    return {
        "threshold": [float(t) if math.isfinite(t) else None for t in thresholds],
        "deferred": free.deferred[points].tolist(),
        "failure": share(free.cost),
        "failure_with_reader": None if dear is None else share(dear.cost),
    }
