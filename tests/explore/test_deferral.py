"""What a threshold leaves, counted by hand, against a policy, and point for point along the curve."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta

from primum.explore.deferral import measure_threshold, sweep
from primum.explore.novelty import Veto
from primum.explore.scene import Domain, build_scene
from primum.judge.metrics.harm import critical_classes
from tests.explore.conftest import MATRIX


def by_hand(found, rows, score, threshold, reader):
    labels, said = found.labels[rows], found.predicted[rows]
    confidence = found.cases[f"score_{score}"].to_numpy()[rows]
    accepted = confidence >= threshold
    counts = np.zeros((3, 3), int)
    for true, answer, used in zip(labels, said, accepted, strict=True):
        counts[true, answer] += used
    cost = [
        MATRIX.cost[true, answer] if used else reader
        for true, answer, used in zip(labels, said, accepted, strict=True)
    ]
    critical = counts[1:].sum()
    return (
        counts,
        (counts[1, 0] + counts[2, 0]) / critical if critical else None,
        float(np.mean(cost)),
        accepted,
    )


@pytest.mark.parametrize("score", ["msr", "pe", "mahalanobis"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.8])
def test_every_number_by_hand(whole, score, share) -> None:
    rows = np.arange(60)
    threshold = float(np.quantile(whole.cases[f"score_{score}"].to_numpy()[rows], share))
    counts, cer, cost, accepted = by_hand(whole, rows, score, threshold, 0.5)
    found = measure_threshold(whole, rows, score, threshold, 0.5)
    np.testing.assert_array_equal(found.confusion, counts)
    assert found.n == 60
    assert found.accepted == accepted.sum()
    assert found.errors == counts.sum() - np.trace(counts)
    assert found.critical_errors == counts[1, 0] + counts[2, 0]
    assert found.figures["deferred_share"].value == pytest.approx(1 - accepted.mean())
    assert found.figures["accepted_cer"].value == pytest.approx(cer)
    assert found.figures["accepted_cer"].n == counts[1:].sum()
    assert found.figures["failure_cost_with_reader"].value == pytest.approx(cost)
    assert (
        found.figures["failure_cost_with_reader"].low
        <= cost
        <= found.figures["failure_cost_with_reader"].high
    )


def test_the_interval_is_clopper_pearson_for_independent_cases(made) -> None:
    import polars as pl

    alone = build_scene("made", [Domain("test", made(metadata=pl.DataFrame()))], severity=MATRIX)
    found = measure_threshold(alone, None, "msr", 0.5)
    n, k = found.figures["accepted_cer"].n, found.critical_errors
    assert 0 < k < n
    assert found.figures["accepted_cer"].low == pytest.approx(beta.ppf(0.025, k, n - k + 1))
    assert found.figures["accepted_cer"].high == pytest.approx(beta.ppf(0.975, k + 1, n - k))


def test_a_policy_of_the_same_threshold_says_the_same(whole, made) -> None:
    from primum.auditing.policy.application import apply
    from primum.auditing.policy.fit import fit

    policy = fit(whole.fit, MATRIX, "msr", capacity=0.3)
    test = whole.domains[0].predictions
    applied = {one.code: one for one in apply(policy, test).findings(MATRIX)}
    found = measure_threshold(whole, np.arange(60), "msr", policy.threshold)
    for code in ("deferred_share", "accepted_cer", "cer_after_deferral", "critical_coverage", "failure_cost"):
        assert found.figures[code].value == pytest.approx(applied[code].value)
        assert found.figures[code].low == pytest.approx(applied[code].low)
        assert found.figures[code].high == pytest.approx(applied[code].high)


def test_the_curve_passes_through_every_threshold(whole) -> None:
    rows = whole.cases["domain"].to_numpy() == "gaussian_noise 3"
    curve = sweep(whole, rows, "msr", 0.5)
    assert (np.diff(curve["deferred"]) >= 0).all()
    assert curve["deferred"][0] == 0
    assert curve["deferred"][-1] == 1
    assert np.isinf(curve["threshold"][-1])
    for point in curve.iter_rows(named=True):
        found = measure_threshold(whole, rows, "msr", point["threshold"], 0.5)
        assert found.figures["deferred_share"].value == pytest.approx(point["deferred"])
        assert found.errors / found.n == pytest.approx(point["errors"])
        assert found.figures["failure_cost_with_reader"].value == pytest.approx(point["failure_cost"])
        if point["accepted_cer"] is None:
            assert "vacuous" in found.figures["accepted_cer"]
        elif isinstance(found.figures["accepted_cer"], str):
            assert "one patient" in found.figures["accepted_cer"]
        else:
            assert found.figures["accepted_cer"].value == pytest.approx(point["accepted_cer"])


def test_a_long_curve_is_thinned_and_keeps_its_ends(made) -> None:
    long = build_scene("long", [Domain("test", made(3000, width=2))], severity=MATRIX)
    curve = sweep(long, None, "msr", points=50)
    assert len(curve) == 50
    assert (curve["deferred"][0], curve["deferred"][-1]) == (0, 1)


def test_patients_widen_the_interval(made) -> None:
    table = made(400, seed=3, skill=1.0)
    twice = build_scene("pairs", [Domain("a", table), Domain("b", table)], severity=MATRIX)
    once = build_scene("once", [Domain("a", table)], severity=MATRIX)
    doubled, single = (
        measure_threshold(one, None, "msr", 0.5).figures["accepted_cer"] for one in (twice, once)
    )
    assert doubled.value == pytest.approx(single.value)
    assert doubled.high - doubled.low == pytest.approx(single.high - single.low, rel=0.15)


def test_cases_without_label_or_score_do_not_count(made) -> None:
    table = made(labels=np.where(np.arange(60) < 12, -1, made().labels), scores={"own": np.arange(60.0)})
    found = build_scene("some", [Domain("a", table), Domain("b", made())], severity=MATRIX)
    told = measure_threshold(found, None, "own", 20.0)
    assert told.left_out == 72
    assert told.n == 48
    none = measure_threshold(found, np.arange(12), "own", 20.0)
    assert none.n == 0
    assert "no chosen case" in none.figures["accepted_cer"]
    assert sweep(found, np.arange(12), "own").is_empty()


def test_without_severity_costs_say_why_not(made) -> None:
    found = measure_threshold(build_scene("bare", [Domain("a", made())]), None, "msr", 0.5)
    assert "severity" in found.figures["failure_cost"]
    assert "critical" in found.figures["accepted_cer"]
    assert found.critical_errors is None
    assert critical_classes(MATRIX.critical).tolist() == [False, True, True]


def test_an_unknown_score_is_refused(whole, refused) -> None:
    refused(lambda: measure_threshold(whole, None, "mrs", 0.5), "score 'mrs'")


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_two_questions_by_hand(whole, share) -> None:
    rows = np.arange(60)
    novelty = whole.cases["score_knn"].to_numpy()[rows]
    veto = Veto("knn", float(np.quantile(novelty, 0.25)), 0.25)
    msr = whole.cases["score_msr"].to_numpy()[rows]
    threshold = float(np.quantile(msr, share))
    found = measure_threshold(whole, rows, "msr", threshold, veto=veto)
    familiar, sure = novelty >= veto.threshold, msr >= threshold
    used = familiar & sure
    assert (found.n, found.unfamiliar) == (60, int((~familiar).sum()))
    assert found.unsure == (familiar & ~sure).sum()
    assert found.accepted == used.sum() == 60 - found.unfamiliar - found.unsure
    labels, said = whole.labels[rows], whole.predicted[rows]
    assert found.errors == (used & (labels != said)).sum()
    missed = (used & (labels > 0) & (said == 0)).sum()
    assert found.critical_errors == missed
    assert found.figures["cer_after_deferral"].value == pytest.approx(missed / (labels > 0).sum())
    assert found.figures["deferred_share"].value == pytest.approx(1 - used.mean())


def test_a_policy_with_the_same_veto_says_the_same(whole) -> None:
    from primum.auditing.policy.application import apply
    from primum.auditing.policy.fit import fit

    policy = fit(whole.fit, MATRIX, capacity=0.3, train=whole.train, veto="knn", veto_rate=0.2)
    applied = {one.code: one for one in apply(policy, whole.domains[0].predictions).findings(MATRIX)}
    veto = Veto("knn", policy.veto.threshold, 0.2)
    found = measure_threshold(whole, np.arange(60), "msr", policy.threshold, veto=veto)
    for code in ("deferred_share", "accepted_cer", "cer_after_deferral", "failure_cost"):
        assert found.figures[code].value == pytest.approx(applied[code].value)
        assert found.figures[code].high == pytest.approx(applied[code].high)


def test_the_curve_with_a_veto_begins_where_it_stops_cases(whole) -> None:
    rows = np.arange(60)
    veto = Veto("knn", float(np.quantile(whole.cases["score_knn"].to_numpy()[rows], 0.25)), 0.25)
    curve = sweep(whole, rows, "msr", 0.5, veto=veto)
    alone = measure_threshold(whole, rows, "msr", -np.inf, 0.5, veto)
    assert curve["deferred"][0] == pytest.approx(alone.unfamiliar / 60)
    assert curve["deferred"][-1] == 1
    for point in curve.iter_rows(named=True):
        found = measure_threshold(whole, rows, "msr", point["threshold"], 0.5, veto)
        assert found.figures["deferred_share"].value == pytest.approx(point["deferred"])
        assert found.errors / found.n == pytest.approx(point["errors"])
        assert found.figures["failure_cost_with_reader"].value == pytest.approx(point["failure_cost"])
        assert found.figures["cer_after_deferral"].value == pytest.approx(point["cer_after_deferral"])
    assert len(curve) == len(set(whole.cases["score_msr"].to_numpy()[rows][veto.passes(whole)[rows]])) + 1


def test_a_veto_that_lets_all_pass_changes_nothing(whole) -> None:
    nothing = Veto("knn", -np.inf, 0.0)
    plain, asked = (measure_threshold(whole, None, "msr", 0.6, veto=veto) for veto in (None, nothing))
    assert (plain.accepted, plain.errors, plain.unsure) == (asked.accepted, asked.errors, asked.unsure)
    assert sweep(whole, None, "msr").equals(sweep(whole, None, "msr", veto=nothing))
    assert asked.unfamiliar == 0


def test_a_veto_that_lets_nobody_pass_leaves_nothing(whole) -> None:
    closed = Veto("knn", 1e9, 0.5)
    found = measure_threshold(whole, np.arange(60), "msr", 0.0, veto=closed)
    assert (found.unfamiliar, found.unsure, found.accepted) == (60, 0, 0)
    assert sweep(whole, np.arange(60), "msr", veto=closed)["deferred"].to_list() == [1.0]


def test_an_unknown_veto_score_is_refused(whole, refused) -> None:
    refused(lambda: measure_threshold(whole, None, "msr", 0.5, veto=Veto("nn", 0.0, 0.1)), "score 'nn'")
