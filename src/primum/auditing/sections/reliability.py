"""Reliability diagrams: of the answer, of every class, of every group, each with intervals and counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from primum.core.arrays import Bools, Floats, Integers
from primum.judge.answers import View
from primum.judge.metrics import calibration
from primum.judge.sections.reliability import Bin, Diagram
from primum.judge.statistics.shares import share

MOST_CLASSES = 20


def diagrams(views: Mapping[str, View], chosen: str, classes: Sequence[str]) -> list[Diagram]:
    """Diagrams with intervals that are exact, on n / design effect where patients are known.

    The answer of all cases in every state of the probabilities; then, as they came and as recalibrated by
    ``chosen``, every class against all others, of more than 20 the most frequent 20, and the answer in every
    group.

    Args:
        views: ``"all"`` and ``"column=value"`` → rows.
        chosen: name of the recalibrator in use, ``"none"`` without one.
        classes: K names.
    """
    everyone = views["all"]
    states = [name for name in dict.fromkeys(("none", chosen)) if name in everyone.probs]
    entries = [_of_answer("all", everyone, name) for name in everyone.probs]
    for k in sorted(np.argsort(-everyone.counts, kind="stable")[:MOST_CLASSES].tolist()):
        for name in states:
            bins = _bins(everyone.probs[name][:, k], everyone.labels == k, everyone.clusters)
            entries.append(Diagram(group="all", label=classes[k], calibrated=name, bins=bins))
    return entries + [
        _of_answer(group, view, name) for group, view in views.items() if group != "all" for name in states
    ]


def _of_answer(group: str, view: View, name: str) -> Diagram:
    confidence, right = calibration.top_label(view.labels, view.probs[name])
    return Diagram(group=group, calibrated=name, bins=_bins(confidence, right, view.clusters))


def _bins(probabilities: Floats, events: Bools, clusters: Integers | None) -> list[Bin]:
    """Filled bins of equal width of the probability (N,) of an event and whether it came (N,)."""
    index = calibration.equal_width(probabilities)
    cases = np.bincount(index, minlength=calibration.BINS)
    total = np.bincount(index, probabilities, calibration.BINS)
    bins = []
    for b in np.flatnonzero(cases).tolist():
        inside = index == b
        accuracy = share(events[inside], None if clusters is None else clusters[inside])
        bins.append(
            Bin(
                low=b / calibration.BINS,
                high=(b + 1) / calibration.BINS,
                confidence=float(total[b] / cases[b]),
                accuracy=accuracy.value,
                accuracy_low=accuracy.low,
                accuracy_high=accuracy.high,
                n=int(cases[b]),
            )
        )
    return bins
