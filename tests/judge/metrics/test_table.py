"""The table of metrics: one record for each, one rank for each place."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest

from primum.judge.answers import Answers, Operating, View
from primum.judge.metrics.measure_view import measure
from primum.judge.metrics.table import METRICS, Need, Place, Subject, codes, codes_of


@pytest.mark.parametrize("place", get_args(Place))
def test_every_place_prints_something_and_no_two_metrics_share_a_rank(place: Place) -> None:
    ranks = [metric.places[place] for metric in METRICS.values() if place in metric.places]
    assert ranks
    assert len(set(ranks)) == len(ranks)
    assert [METRICS[code].places[place] for code in codes(place)] == sorted(ranks)


def test_every_subject_has_metrics_and_every_metric_one() -> None:
    assert sorted(code for subject in get_args(Subject) for code in codes_of(subject)) == sorted(METRICS)
    assert all(codes_of(subject) for subject in get_args(Subject))


def test_the_short_name_and_the_head_fall_back_on_the_name() -> None:
    assert METRICS["accuracy"].short == METRICS["accuracy"].head == "Accuracy"
    assert METRICS["auroc"].head == "AUROC"
    assert METRICS["cer"].head == "CER"


@pytest.mark.parametrize(
    ("need", "change"),
    [
        ("ten_cases", {"rows": 9}),
        ("two_classes", {"one_class": True}),
        ("critical_cells", {"critical": None}),
        ("severity", {"cost": None}),
        ("fit_rows", {"operating": None}),
        ("right_and_wrong", {"all_right": True}),
    ],
)
def test_what_a_metric_needs_is_what_it_is_not_computed_without(need: Need, change: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    n = change.get("rows", 120)
    labels = np.arange(n) % 2 if "one_class" not in change else np.ones(n, dtype=np.int64)
    score = np.where(rng.random(n) < 0.8, labels, 1 - labels) * 0.6 + 0.4 * rng.random(n)
    if "all_right" in change:
        score = labels * 0.6 + 0.2
    probs = np.column_stack([1 - score, score])
    cells = np.array([[False, False], [True, False]])
    msr = probs.max(axis=1)
    answers = Answers("argmax", probs.argmax(axis=1), "none", {"msr": msr}, {"msr": 0.6})
    fitted = Operating("none", dict.fromkeys((0.7, 0.8, 0.9), 0.5))
    view = View(
        labels, {"none": probs}, {"argmax": answers}, None, np.arange(n),
        change.get("cost", np.array([[0.0, 1.0], [10.0, 0.0]])), change.get("critical", cells), None, 50, 0,
        change.get("operating", fitted),
    )  # fmt: skip
    # deployed, the rate at a fitted threshold is a share, which any number of cases will do for
    but = ("bayes", "operating") if need == "ten_cases" else ("bayes",)
    computed = {
        metric.code for metric in measure(view) if not metric.why_not and metric.basis.decision not in but
    }
    lacking = {code for code, metric in METRICS.items() if need in metric.needs}
    assert not computed & lacking
    everything = {code for code, metric in METRICS.items() if metric.of not in ("members", "policy")}
    explained = everything - {"instability_auroc_gain"}
    if need in ("severity", "critical_cells", "fit_rows", "right_and_wrong"):
        assert explained - lacking <= computed
