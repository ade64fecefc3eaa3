"""Every calibration error of a view comes with its interval, or with the reason why there is none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from primum.judge.answers import Answers, Operating, View
from primum.judge.metrics import debiased, kernel
from primum.judge.metrics.measure_calibration import CODES, measure_probabilities
from primum.judge.metrics.measured import Measured


def view(n: int = 240, patients: bool = False, sharpness: float = 2.0) -> View:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(n, 3))
    labels = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    probs = {"none": softmax(logits * sharpness, axis=1), "temperature": softmax(logits, axis=1)}
    probs["vector"] = probs["temperature"] * 0.9 + 0.1 / 3
    clusters = np.arange(n) // 3 if patients else None
    units = np.arange(n) if clusters is None else clusters
    answers = Answers("argmax", probs["none"].argmax(axis=1), "none", {}, {})
    return View(
        labels, probs, {"argmax": answers}, clusters, units, None, None, None, 100, 0,
        Operating("temperature", {}),
    )  # fmt: skip


def measured(given: View, name: str = "none") -> dict[str, Measured]:
    return {one.code: one for one in measure_probabilities(given, name)}


@pytest.mark.parametrize("patients", [False, True])
def test_every_code_has_an_interval_around_its_value(patients: bool) -> None:
    given = view(patients=patients)
    found = measured(given)
    assert tuple(found) == CODES
    for one in found.values():
        estimate = one.estimate(given)
        assert estimate.low <= estimate.value <= estimate.high
        assert estimate.low < estimate.high
    labels, probs, clusters = given.labels, given.probs["none"], given.clusters
    assert found["skce"].value == pytest.approx(
        kernel.kernel_error(labels, probs, clusters, draws=0).value, abs=1e-9
    )
    assert (
        found["debiased_calibration_error"].value
        == debiased.debiased_with_influence(labels, probs, clusters)[0]
    )
    assert found["root_brier"].value == pytest.approx(found["brier"].value ** 0.5)


def test_the_interval_of_the_root_is_the_root_of_the_interval() -> None:
    given = view()
    found = measured(given)
    square, root = found["brier"].estimate(given), found["root_brier"].estimate(given)
    assert (root.low, root.high) == pytest.approx((square.low**0.5, square.high**0.5))


def test_the_p_value_is_said_of_the_probabilities_in_use() -> None:
    given = view(patients=True)
    said = measured(given)["skce"].why
    assert said.startswith("p = 0.015 that a perfectly calibrated model shows as much (200 redraws")
    assert "together within a patient" in said
    assert "pairs of one patient were left out" in said
    assert measured(given, "temperature")["skce"].why.startswith("p = ")
    assert "p = " not in measured(given, "vector")["skce"].why


def test_blocks_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = kernel.kernel_error

    def blocked(*given: object, **more: object) -> kernel.KernelError:
        return plain(*given, **more, most_paired=60)

    monkeypatch.setattr(kernel, "kernel_error", blocked)
    assert "random blocks of 15, 1,680 pairs in all, every case among them" in measured(view())["skce"].why


def test_reasons_not_to_measure() -> None:
    assert {one.why_not for one in measured(view(9)).values()} == {
        "at least 10 cases are needed, there are 9"
    }
    given = view(12, patients=True)
    alone = View(
        given.labels, given.probs, given.answers, np.zeros(12, dtype=np.int64), given.units, None, None, None,
        100, 0,
    )  # fmt: skip
    found = measured(alone)
    assert "three patients" in found["skce"].why_not
    assert "two patients" in found["debiased_calibration_error"].why_not
    assert not found["root_brier"].why_not


def test_right_and_sure_has_an_interval_that_is_not_a_point() -> None:
    labels = np.arange(60) % 3
    given = view(60)
    sure = View(
        labels, {"none": np.eye(3)[labels]}, given.answers, None, given.units, None, None, None, 100, 0
    )
    for one in measured(sure).values():
        estimate = one.estimate(sure)
        assert estimate.value == 0
        assert estimate.high > 0, one.code
