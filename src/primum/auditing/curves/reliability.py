"""Reliability diagrams: of the answer, of every class, of every group, each with intervals and counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from primum.core.arrays import Bools, Floats, Integers
from primum.judge.answers import View
from primum.judge.metrics import calibration
from primum.judge.statistics.shares import share

MOST_CLASSES = 20


def reliability(views: Mapping[str, View], chosen: str, classes: Sequence[str]) -> list[dict[str, Any]]:
    """Entries with ``group``, ``class`` (None for the answer itself), ``calibrated`` and ``bins``.

    The answer of all cases in every state of the probabilities; then, as they came and as recalibrated by
    ``chosen``, every class against the rest, of more than 20 the most frequent 20, and the answer in every
    group. Intervals are exact, on n / design effect where patients are known.

    Args:
        views: ``"all"`` and ``"column=value"`` → rows.
        chosen: name of the recalibrator in use, ``"none"`` without one.
        classes: K names.
    """
    whole = views["all"]
    shown = [name for name in dict.fromkeys(("none", chosen)) if name in whole.probs]
    entries = [_answer("all", whole, name) for name in whole.probs]
    for k in sorted(np.argsort(-whole.counts, kind="stable")[:MOST_CLASSES].tolist()):
        for name in shown:
            bins = _bins(whole.probs[name][:, k], whole.labels == k, whole.clusters)
            entries.append({"group": "all", "class": classes[k], "calibrated": name, "bins": bins})
    return entries + [
        _answer(group, view, name) for group, view in views.items() if group != "all" for name in shown
    ]


def _answer(group: str, view: View, name: str) -> dict[str, Any]:
    confidence, right = calibration.top_label(view.labels, view.probs[name])
    bins = _bins(confidence, right, view.clusters)
    return {"group": group, "class": None, "calibrated": name, "bins": bins}


def _bins(said: Floats, came: Bools, clusters: Integers | None) -> list[dict[str, Any]]:
    """Filled bins of equal width: ``low``, ``high``, mean ``confidence``, ``accuracy`` with its ends, ``n``.

    Args:
        said: (N,) probability of an event. came: (N,) whether it came. clusters: (N,) patient, or None.
    """
    index = calibration.equal_width(said)
    cases, total = np.bincount(index, minlength=calibration.BINS), np.bincount(index, said, calibration.BINS)
    found = []
    for b in np.flatnonzero(cases).tolist():
        inside = index == b
        accuracy = share(came[inside], None if clusters is None else clusters[inside])
        found.append(
            {
                "low": b / calibration.BINS,
                "high": (b + 1) / calibration.BINS,
                "confidence": float(total[b] / cases[b]),
                "accuracy": accuracy.value,
                "accuracy_low": accuracy.low,
                "accuracy_high": accuracy.high,
                "n": int(cases[b]),
            }
        )
    return found
