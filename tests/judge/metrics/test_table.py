"""The table of metrics: one record for each, one rank for each place."""

from __future__ import annotations

from typing import get_args

import pytest

from primum.judge.metrics.table import METRICS, Place, Subject, codes, codes_of


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
