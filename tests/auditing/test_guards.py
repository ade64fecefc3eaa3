"""Guards: each speaks when it should, is silent otherwise, and those beyond chance hold their level."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import binom, binomtest

import primum
from primum import tables
from primum.auditing import guards
from primum.auditing.options import options
from primum.judge.finding import Finding
from primum.judge.statistics.coincidence import spanning
from primum.predictions import Predictions
from primum.severity import SeverityMatrix
from primum.tables.selection import Selection, select

CLASSES = ("naevus", "keratosis", "melanoma", "carcinoma")


def predictions(n: int, seed: int = 0, of: str = "a", patients: int = 1, **changed: Any) -> Predictions:
    """n cases, ``patients`` of them in a row of one patient, who look alike and have one label."""
    rng = np.random.default_rng(seed)
    people = np.arange(n) // patients
    labels = rng.integers(0, 4, n)[people]
    logits = rng.normal(size=(n, 4))[people] + rng.normal(size=(n, 4)) * 0.3
    logits[np.arange(n), labels] += 1.5
    frame = pl.DataFrame({"patient": [f"{of}{i}" for i in people]})
    ids = pl.Series([f"{of}-{i}" for i in rng.permutation(n)])
    return replace(Predictions(ids, CLASSES, labels, logits, metadata=frame), **changed)


def selection(fit: Predictions | None, test: Predictions, **counts: Any) -> Selection:
    return Selection(test, fit, None if fit is None else "fit", {"unlabelled": 0, "other_rows": {}, **counts})


def codes(found: list[Finding]) -> list[str]:
    return [one.code for one in found]


def guarded(fit: Predictions | None, test: Predictions, severity: str | None = "phantom") -> list[Finding]:
    return guards.guard(selection(fit, test), options(CLASSES, "test", severity))


def test_nothing_amiss_nothing_said() -> None:
    assert guarded(predictions(400, 1, "a"), predictions(400, 2, "b")) == []
    assert guarded(None, predictions(400, 2, "b")) == []


def test_a_guard_is_a_warning_in_one_sentence() -> None:
    fit, test = predictions(20, 1, "a"), predictions(20, 1, "b", notes=("something was let pass",))
    found = guarded(fit, test)
    assert codes(found) == ["table_note", "few_fit_rows", "few_critical_fit_rows", "same_outputs"]
    for one in found:
        assert (one.verdict, one.n, one.group, one.low) == ("warning", 20, "all", None)
        assert ". " not in one.why
        assert not one.why.endswith(".")
        assert one.value is not None


def test_rows_without_a_label_are_counted() -> None:
    (found,) = guards.unlabelled(selection(None, predictions(50), unlabelled=7))
    assert (found.code, found.value) == ("unlabelled_rows", 7)
    assert guards.unlabelled(selection(None, predictions(50))) == []


def test_copies_left_out_of_training_are_told_from_the_source() -> None:
    (found,) = guards.dropped(predictions(50, source={"dropped": {"train": 12, "val": 0, "cal": 3}}))
    assert found.value == 15
    assert "12 train and 3 cal images" in found.why
    assert guards.dropped(predictions(50, source={"dropped": {"train": 0}})) == []
    assert guards.dropped(predictions(50, source={"dropped": "none"})) == []


def test_an_odd_severity_is_said(tmp_path: Any) -> None:
    free = tmp_path / "free.yaml"
    cost = "[[0, 0, 1, 1], [1, 0, 1, 1], [9, 9, 0, 1], [9, 9, 1, 0]]"
    free.write_text(f"classes: [{', '.join(CLASSES)}]\ncost: {cost}\ncritical: [[melanoma, naevus]]")
    found = guards.lint(predictions(50), options(CLASSES, "test", free))
    assert found
    assert set(codes(found)) == {"severity_lint"}


@pytest.mark.parametrize(("n", "said"), [(99, ["few_fit_rows"]), (100, [])])
def test_few_fit_rows(n: int, said: list[str]) -> None:
    assert codes(guards.few_fit_rows(predictions(n), predictions(50, of="b"))) == said


def test_few_patients_among_many_fit_rows() -> None:
    (found,) = guards.few_fit_rows(predictions(300, patients=50), predictions(50, of="b"))
    assert (found.code, found.value) == ("few_fit_rows", 300)
    assert "300 rows of 6 patients" in found.why
    assert guards.few_fit_rows(predictions(300, patients=15), predictions(50, of="b")) == []


@pytest.mark.parametrize(("k", "said"), [(0, "no fit row"), (1, "95%"), (12, "22%"), (29, "10%"), (30, "")])
def test_few_fit_rows_of_critical_classes(k: int, said: str) -> None:
    """1 − 0.05^(1/k) is the upper end of the exact one-sided 95 % interval of 0 events in k."""
    critical = options(CLASSES, "test", critical=["melanoma:naevus"]).critical
    labels = np.zeros(200, dtype=np.int64)
    labels[:k] = 2
    fit = predictions(200, labels=labels)
    found = guards.few_critical_fit_rows(fit, predictions(50, of="b"), critical)
    assert bool(found) == bool(said)
    if found:
        assert (found[0].code, found[0].value) == ("few_critical_fit_rows", k)
        assert said in found[0].why
    if 0 < k < 30:
        upper = binomtest(0, k, alternative="less").proportion_ci(0.95).high
        assert f"{upper:.0%}" in found[0].why
    assert guards.few_critical_fit_rows(fit, fit, None) == []


def test_patients_of_critical_classes_are_counted_where_known() -> None:
    """40 images of 4 patients, none wrong, leave 1 − 0.05^(1/4) = 53 % possible, not 7 %."""
    critical = options(CLASSES, "test", critical=["melanoma:naevus"]).critical
    labels = np.repeat([2, 0], [40, 160])
    fit = predictions(200, patients=10, labels=labels)
    (found,) = guards.few_critical_fit_rows(fit, predictions(50, of="b"), critical)
    assert found.value == 4
    assert "4 patients among the fit rows have a critical class" in found.why
    assert "53%" in found.why
    blind = replace(fit, metadata=pl.DataFrame())
    assert guards.few_critical_fit_rows(blind, predictions(50, of="b"), critical) == []


def test_fit_rows_that_the_network_was_stopped_on() -> None:
    fit, test = predictions(200), predictions(200, 1, "b")
    marked = fit.metadata.with_columns(split=pl.lit("val"))
    (found,) = guards.fitted_on_val(replace(fit, metadata=marked), test)
    assert (found.code, found.value) == ("fitted_on_val", 200)
    assert "200 of 200 fit rows are validation rows" in found.why
    assert guards.fitted_on_val(fit, test) == []
    cal = replace(fit, metadata=marked.with_columns(split=pl.lit("cal")))
    assert guards.fitted_on_val(cal, test) == []
    assert codes(guards.fitted_on_val(replace(cal, source={"selected_on": "cal"}), test)) == ["fitted_on_val"]


def test_a_class_without_fit_rows() -> None:
    test = predictions(200, of="b")
    fit = predictions(300)
    (found,) = guards.class_without_fit_rows(fit.take(fit.labels != 2), test)
    assert (found.code, found.value) == ("class_without_fit_rows", 1)
    assert "melanoma" in found.why
    assert guards.class_without_fit_rows(fit, test) == []


@pytest.mark.parametrize(("count", "said"), [(1, []), (4, []), (5, ["saturated_probabilities"])])
def test_saturated_probabilities(count: int, said: list[str]) -> None:
    logits = predictions(500).logits.copy()
    logits[:count] = [60, 0, 0, 0]  # 1 − p is below the spacing of doubles at 1
    logits[count] = [20, 0, 0, 0]  # p = 1 − 6e-9 is still told from 1
    found = guards.saturated(predictions(500, logits=logits))
    assert codes(found) == said
    assert [one.value for one in found] == [count] * len(said)


def test_patients_of_the_judged_rows_in_train_rows() -> None:
    split = np.array(["train"] * 60 + ["val"] * 20 + ["cal"] * 20 + ["test"] * 100)
    patient = np.arange(200)
    frame = pl.DataFrame(
        {
            "id": [str(i) for i in range(200)],
            "label": ["a", "b"] * 100,
            "prob_a": np.linspace(0.1, 0.9, 200),
            "prob_b": 1 - np.linspace(0.1, 0.9, 200),
            "patient": [f"p{i}" for i in patient],
            "split": split,
        }
    )
    apart = select(tables.read(frame))
    assert apart.counts["shared_patients"] == {"train": 0, "val": 0, "cal": 0}
    assert guards.patients_in_training(apart) == []
    patient[100:107] = [0, 0, 0, 1, 2, 60, 61]
    shared = select(tables.read(frame.with_columns(pl.Series("patient", [f"p{i}" for i in patient]))))
    assert shared.counts["shared_patients"] == {"train": 5, "val": 2, "cal": 0}
    (found,) = guards.patients_in_training(shared)
    assert (found.code, found.value) == ("patients_in_training", 5)
    assert "5 judged cases of patients in the train rows and 2" in found.why
    assert "shared_patients" not in select(tables.read(frame.drop("patient"))).counts
    assert "shared_patients" not in select(tables.read(frame.drop("split"))).counts


def test_another_prevalence() -> None:
    fit, test = predictions(400, 1), predictions(400, 2, "b")
    rare = test.take((test.labels != 0) | (np.arange(400) % 5 == 0))
    (found,) = guards.prevalence_shift(fit, rare)
    assert found.code == "prevalence_shift"
    assert 0 <= found.value < 0.01  # type: ignore[operator]
    assert "naevus" in found.why
    assert "patients" in found.why
    assert guards.prevalence_shift(fit, test) == []


def test_another_distribution_of_confidence() -> None:
    fit, test = predictions(400, 1), predictions(400, 2, "b")
    (found,) = guards.confidence_shift(fit, replace(test, logits=test.logits * 3))
    assert found.code == "confidence_shift"
    assert "median" in found.why
    assert guards.confidence_shift(fit, test) == []


def test_the_same_cases_under_other_ids() -> None:
    fit, test = predictions(400, 1, patients=2), predictions(400, 2, "b", patients=2)
    logits = test.logits.copy()
    logits[100:140] = fit.logits[40:80]
    (found,) = guards.same_outputs(fit, replace(test, logits=logits))
    assert (found.code, found.value) == ("same_outputs", 40)
    assert guards.same_outputs(fit, test) == []
    single = replace(test, logits=logits.astype(np.float32))  # as a Parquet file keeps it
    assert guards.same_outputs(fit, single)[0].value == 40
    unknown = replace(test, logits=logits, metadata=pl.DataFrame())
    assert guards.same_outputs(fit, unknown)[0].value == 40


@pytest.mark.parametrize("digits", [0, 1, 2])
def test_coarse_outputs_coincide_by_chance(digits: int) -> None:
    rng = np.random.default_rng(0)
    fit, test = (
        predictions(500, seed, of, logits=np.round(rng.normal(size=(500, 1)) * [0, 1, 0, 0], digits))
        for seed, of in ((1, "a"), (2, "b"))
    )
    assert np.isin(guards._codes(test), guards._codes(fit)).sum() > 100
    assert guards.same_outputs(fit, test) == []


def test_spanning_by_hand_and_by_dealing() -> None:
    assert spanning(np.array([1, 2, 3]), np.array([4, 5])) == 1
    # Seven members 1 1 2 2 3 4 5, three to the first sample: a pair spans with 2 · (3/7) · (4/6) = 4/7.
    first, second = np.array([1, 2, 3]), np.array([1, 2, 4, 5])
    assert spanning(first, second) == pytest.approx((4 / 7) ** 2)
    dealt = [set(deal) for deal in combinations(range(7), 3)]
    assert np.mean([(0 in deal) != (1 in deal) for deal in dealt]) == pytest.approx(4 / 7)
    # Of a value that three of seven have, all on one side: (1 + 4) of 35.
    triple = spanning(np.array([1, 1, 2]), np.array([1, 4, 5, 6]))
    assert triple == pytest.approx(1 - 5 / 35)
    assert spanning(np.arange(30), np.arange(30)) == pytest.approx(binom.sf(29, 30, 30 / 59))


def dealt(seed: int, digits: int) -> tuple[Predictions, Predictions]:
    """Patients of three alike cases, rounded, dealt to fit and test at random."""
    table = predictions(900, seed, patients=3)
    table = replace(table, logits=np.round(table.logits, digits))
    left = np.random.default_rng(seed + 10_000).random(300)[np.arange(900) // 3] < 0.4
    return table.take(left), table.take(~left)


def few(seed: int, fit: int, test: int) -> tuple[Predictions, Predictions]:
    """So many patients of one case each, of classes of which two are rare, dealt to fit and test."""
    table = predictions(fit + test, seed)
    rng = np.random.default_rng(seed + 10_000)
    table = replace(table, labels=rng.choice(4, fit + test, p=[0.7, 0.2, 0.07, 0.03]))
    return table.take(np.arange(fit)), table.take(np.arange(fit, fit + test))


FEW = ((guards.prevalence_shift, 4, 100), (guards.prevalence_shift, 10, 200), (guards.confidence_shift, 4, 4))


@pytest.mark.parametrize(("guard", "fit", "test"), FEW)
def test_guards_hold_their_level_with_few_patients(
    guard: Callable[[Predictions, Predictions], list[Finding]], fit: int, test: int
) -> None:
    """At 1 % more than 10 of 400 have a probability of 0.3 %; tests/slow looks closer."""
    assert sum(bool(guard(*few(seed, fit, test))) for seed in range(400)) <= 10


BEYOND_CHANCE = ((guards.prevalence_shift, 6), (guards.confidence_shift, 6), (guards.same_outputs, 0))


@pytest.mark.parametrize(("guard", "digits"), BEYOND_CHANCE)
def test_guards_beyond_chance_hold_their_level(
    guard: Callable[[Predictions, Predictions], list[Finding]], digits: int
) -> None:
    """At 1 % more than 5 of 100 have a probability of 0.05 %; tests/slow looks closer."""
    assert sum(bool(guard(*dealt(seed, digits))) for seed in range(100)) <= 5


def test_critical_cells_of_the_command_are_those_that_are_looked_at() -> None:
    matrix = SeverityMatrix(("0", "1"), np.array([[0.0, 1.0], [5.0, 0.0]]), np.zeros((2, 2), dtype=bool))
    table = {"probs": np.array([[0.7, 0.3], [0.2, 0.8]] * 10), "labels": np.array([0, 1] * 10)}
    said = [one.why for one in primum.audit(table, matrix).findings if one.code == "severity_lint"]
    assert any("no cell is critical" in why for why in said)
    audited = primum.audit(table, matrix, critical=["1:0"])
    assert audited.finding("cer", decision="argmax").value == 0
    assert not [one for one in audited.findings if one.code == "severity_lint"]
