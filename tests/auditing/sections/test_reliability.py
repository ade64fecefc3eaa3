"""Reliability data: every case counted once, in every diagram, with exact intervals."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve

from primum.auditing.sections.reliability import MOST_CLASSES
from primum.judge.answers import View
from primum.judge.statistics import shares
from tests.auditing.sections.written import reliability


def view(n: int = 400, k: int = 3, patients: bool = False) -> View:
    rng = np.random.default_rng(k)
    logits = rng.normal(size=(n, k)) * 1.5
    labels = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    probs = {
        name: softmax(logits * by, axis=1) for name, by in (("none", 2.0), ("vector", 1.0), ("other", 0.5))
    }
    alike = np.argsort(np.argsort(labels, kind="stable"), kind="stable") // 4  # of one class, mostly
    clusters = alike if patients else None
    return View(labels, probs, {}, clusters, np.arange(n), None, None, None, 10, 0)


def test_which_diagrams_there_are() -> None:
    whole = view()
    views = {"all": whole, "site=a": whole.take(np.arange(100)), "site=b": whole.take(np.arange(100, 400))}
    found = reliability(views, "vector", ("x", "y", "z"))
    assert json.loads(json.dumps(found)) == found
    keys = [(one["group"], one["class"], one["calibrated"]) for one in found]
    assert keys == [
        *(("all", None, name) for name in ("none", "vector", "other")),
        *(("all", c, name) for c in ("x", "y", "z") for name in ("none", "vector")),
        *((g, None, name) for g in ("site=a", "site=b") for name in ("none", "vector")),
    ]
    sizes = {"all": 400, "site=a": 100, "site=b": 300}
    for one in found:
        assert sum(bin["n"] for bin in one["bins"]) == sizes[one["group"]]
        assert all(bin["low"] < bin["confidence"] <= bin["high"] for bin in one["bins"])


def test_without_recalibration_every_diagram_is_there_once() -> None:
    found = reliability({"all": view()}, "none", ("x", "y", "z"))
    assert len(found) == 3 + 3


def test_a_class_equals_scikit_learn_and_its_intervals_are_exact() -> None:
    whole = view()
    entry = next(one for one in reliability({"all": whole}, "none", ("x", "y", "z")) if one["class"] == "y")
    came, said = calibration_curve(whole.labels == 1, whole.probs["none"][:, 1], n_bins=15)
    np.testing.assert_allclose([bin["accuracy"] for bin in entry["bins"]], came)
    np.testing.assert_allclose([bin["confidence"] for bin in entry["bins"]], said)
    for bin in entry["bins"]:
        exact = binomtest(round(bin["accuracy"] * bin["n"]), bin["n"]).proportion_ci(0.95)
        assert (bin["accuracy_low"], bin["accuracy_high"]) == pytest.approx((exact.low, exact.high))


def test_patients_widen_the_intervals_by_their_design_effect() -> None:
    whole = view(patients=True)
    entry = next(one for one in reliability({"all": whole}, "none", ("x", "y", "z")) if one["class"] == "x")
    first, inside = entry["bins"][0], whole.probs["none"][:, 0] <= 1 / 15
    hits, clusters = (whole.labels == 0)[inside], np.asarray(whole.clusters)[inside]
    effect = shares.design_effect(hits, clusters)
    assert effect > 1
    expected, alike = shares.share(hits, clusters), shares.proportion(hits.sum(), inside.sum())
    assert expected.high > alike.high
    assert (first["accuracy_low"], first["accuracy_high"]) == (expected.low, expected.high)


def test_of_many_classes_the_most_frequent_are_shown_in_their_order() -> None:
    whole = view(300, 40)
    names = [f"c{k:02d}" for k in range(40)]
    shown = [one["class"] for one in reliability({"all": whole}, "none", names) if one["class"]]
    assert len(shown) == MOST_CLASSES
    assert shown == sorted(shown)
    least = min(whole.counts[names.index(name)] for name in shown)
    assert least >= max(n for name, n in zip(names, whole.counts, strict=True) if name not in shown)
