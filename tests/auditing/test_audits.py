"""The audit as a whole: nothing missing, nothing NaN, the same whatever the order of the rows."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import balanced_accuracy_score

import primum
from primum.core.check import InputError
from primum.judge import decision
from primum.judge.confidence.scores import RANKED
from primum.judge.metrics import functions
from primum.judge.metrics.table import METRICS
from primum.judge.recalibration.recalibrate import BY_CLASS
from primum.severity import read as read_severity

OF_ROWS = ("answers", "probabilities", "confidence", "operating_point")  # what needs nothing beside the table
CODES = {metric.code for metric in METRICS.values() if metric.of in OF_ROWS}


@pytest.fixture(scope="module")
def audited(table: pl.DataFrame) -> primum.Audit:
    return primum.audit(table, severity="phantom", by=["site"], bootstrap=200)


def test_every_code_is_there_for_every_group_and_rule(audited: primum.Audit) -> None:
    groups = {finding.group for finding in audited.findings}
    assert groups == {"all", "site=A", "site=B"}
    for group in groups:
        assert {f.code for f in audited.findings if f.group == group and f.verdict != "warning"} == CODES
    for rule in ("argmax", "bayes"):
        for code in ("cer", "specificity", "expected_cost", "accuracy"):
            assert audited.finding(code, decision=rule).value is not None
    states = {f.calibrated for f in audited.findings if f.code == "ece"}
    assert states == {"none", "temperature", *BY_CLASS}
    valued = {f.score for f in audited.findings if f.code == "augrc" and f.value is not None}
    assert valued == {"msr", "margin", "pe", "gini", "msr_temperature", "combined"}


def test_a_score_that_does_not_apply_is_a_finding_with_the_reason(audited: primum.Audit) -> None:
    assert {f.score for f in audited.findings if f.code == "aurc"} == set(RANKED)
    for score, said in (
        ("energy", "true logits are needed"),
        ("mahalanobis", "no embeddings"),
        ("mcd_mi", "score_mcd_mi"),
        ("confidnet", "score_confidnet"),
    ):
        found = audited.finding("aurc", score=score)
        assert found.verdict == "not_applicable"
        assert said in found.why


def test_every_number_is_finite_inside_its_interval_with_n(audited: primum.Audit) -> None:
    for finding in audited.findings:
        if finding.verdict in ("not_applicable", "warning"):
            assert finding.why
            continue
        assert finding.low is not None
        assert finding.value is not None
        assert finding.high is not None
        assert all(math.isfinite(x) for x in (finding.low, finding.value, finding.high))
        assert finding.low <= finding.value <= finding.high
        assert finding.low < finding.high
        assert finding.n > 0


def test_numbers_are_those_of_the_functions(table: pl.DataFrame, audited: primum.Audit) -> None:
    test = table.filter(pl.col("split") == "test")
    matrix = read_severity("phantom")
    labels = np.array([matrix.classes.index(name) for name in test["label"]])
    probs = test.select([f"prob_{name}" for name in matrix.classes]).to_numpy()
    decisions = decision.argmax(probs)
    assert audited.finding("accuracy", decision="argmax").value == pytest.approx((labels == decisions).mean())
    cer = functions.critical_error_rate(labels, decisions, matrix.critical)
    assert audited.finding("cer", decision="argmax").value == pytest.approx(cer)
    balanced = balanced_accuracy_score(labels, decisions)
    assert audited.finding("balanced_accuracy", decision="argmax").value == pytest.approx(balanced)
    spent = matrix.cost[labels, decisions].mean()
    assert audited.finding("expected_cost", decision="argmax").value == pytest.approx(spent)
    bayes = audited.finding("expected_cost", decision="bayes").value
    assert bayes is not None
    assert bayes < spent


def test_row_order_and_column_order_change_nothing(table: pl.DataFrame, audited: primum.Audit) -> None:
    shuffled = table.sample(fraction=1, shuffle=True, seed=5)
    shuffled = shuffled.select(sorted(shuffled.columns, reverse=True))
    again = primum.audit(shuffled, severity="phantom", by=["site"], bootstrap=200)
    first = {(f.code, f.group, f.decision, f.score, f.calibrated): f for f in audited.findings}
    for finding in again.findings:
        if finding.code in ("ece", "ece_equal_mass", "classwise_ece"):
            continue  # labels are redrawn row by row; the value itself is compared below
        if finding.verdict == "not_applicable":
            continue
        other = first[(finding.code, finding.group, finding.decision, finding.score, finding.calibrated)]
        for name in ("value", "low", "high"):
            assert getattr(finding, name) == pytest.approx(getattr(other, name), rel=1e-4, abs=1e-6), finding
    assert again.cases["id"].to_list() == audited.cases["id"].to_list()


def test_matched_specificity_is_read_on_the_judged_rows_and_fitted_on_the_fit_rows(
    table: pl.DataFrame, audited: primum.Audit
) -> None:
    matrix = read_severity("phantom")
    test = table.filter(pl.col("split") == "test")
    labels = np.array([matrix.classes.index(name) for name in test["label"]])
    probs = test.select([f"prob_{name}" for name in matrix.classes]).to_numpy()
    found = audited.finding("cer_at_specificity_80", decision=None, calibrated="none")
    assert found.value == pytest.approx(functions.cer_at_specificity(labels, probs, matrix.critical, 0.8))
    fitted = audited.settings["specificity_thresholds"]
    assert list(fitted) == ["0.7", "0.8", "0.9"]
    assert fitted["0.7"] <= fitted["0.8"] <= fitted["0.9"]
    deployed = audited.finding("cer_at_specificity_80", decision="operating")
    assert deployed.calibrated == audited.settings["recalibrator"]
    assert f"{fitted['0.8']:.4g}" in deployed.why
    alone = primum.audit(test, severity="phantom", bootstrap=100)
    assert alone.settings["specificity_thresholds"] is None
    assert "no rows to fit" in alone.finding("specificity_reached_80").why


def test_json_round_trip_and_no_nan(audited: primum.Audit, tmp_path: Path) -> None:
    audited.to_json(tmp_path / "audit.json")
    content = json.loads((tmp_path / "audit.json").read_text(), parse_constant=lambda name: pytest.fail(name))
    assert content["schema"] == "primum.audit/1"
    assert set(content) == {"schema", "settings", "findings", "curves", "cases"}
    assert set(content["findings"][0]) == {
        "code", "name", "value", "low", "high", "n", "group", "decision", "score", "calibrated", "better",
        "verdict", "why", "policy",
    }  # fmt: skip
    assert primum.Audit.from_json(tmp_path / "audit.json").to_dict() == content


def test_save_writes_the_three_files(audited: primum.Audit, tmp_path: Path) -> None:
    out = audited.save(tmp_path / "out")
    assert sorted(path.name for path in out.iterdir()) == ["audit.json", "cases.parquet", "report.html"]
    assert pl.read_parquet(out / "cases.parquet").height == audited.settings["n"]


def test_split_decides_what_is_judged_and_fitted(table: pl.DataFrame, audited: primum.Audit) -> None:
    assert audited.settings["n"] == (table["split"] == "test").sum()
    assert audited.settings["fit"] == "cal rows of the same file"
    alone = primum.audit(table.filter(pl.col("split") == "test"), severity="phantom", bootstrap=100)
    assert alone.settings["fit"] is None
    assert alone.finding("cer", decision="bayes").calibrated == "none"
    assert any("nothing was recalibrated" in sentence for sentence in alone.settings["not_supplied"])


def test_fit_rows_do_not_depend_on_how_they_are_given(table: pl.DataFrame, audited: primum.Audit) -> None:
    parts = [table.filter(pl.col("split") == split) for split in ("test", "cal")]
    apart = primum.audit(parts[0], fit=parts[1], severity="phantom", bootstrap=200)
    assert (
        apart.finding("nll", calibrated="vector").value == audited.finding("nll", calibrated="vector").value
    )


def test_unlabelled_rows_are_counted_and_left_out(table: pl.DataFrame) -> None:
    holes = table.with_columns(
        pl.when(pl.int_range(pl.len()) % 10 == 0).then(None).otherwise("label").alias("label")
    )
    found = primum.audit(holes, bootstrap=100)
    left = holes.filter((pl.col("split") == "test") & pl.col("label").is_null()).height
    assert found.settings["unlabelled"] == left
    assert found.finding("accuracy", decision="argmax").n == found.settings["n"]
    assert found.finding("unlabelled_rows").verdict == "warning"


def test_another_prevalence_than_that_of_the_fit_rows_is_a_warning(table: pl.DataFrame) -> None:
    assert "prevalence_shift" not in {f.code for f in primum.audit(table, bootstrap=100).findings}
    rare = pl.int_range(pl.len()) % 10 == 0
    fewer = table.filter((pl.col("split") == "cal") | (pl.col("label") != "naevus") | rare)
    (found,) = [f for f in primum.audit(fewer, bootstrap=100).findings if f.code == "prevalence_shift"]
    assert found.verdict == "warning"
    assert "differ beyond chance" in found.why


def test_without_severity_harm_is_not_applicable_and_says_why(table: pl.DataFrame) -> None:
    found = primum.audit(table, bootstrap=100)
    for code in ("cer", "critical_errors", "expected_cost", "cost_aurc", "silent_critical_rate"):
        assert found.finding(code, decision="argmax").verdict == "not_applicable"
        assert found.finding(code, decision="argmax").why
    assert found.finding("cer", decision="bayes").verdict == "not_applicable"


def test_critical_cells_alone_give_a_critical_error_rate(table: pl.DataFrame) -> None:
    found = primum.audit(table, critical=["melanoma:naevus", ("melanoma", "keratosis")], bootstrap=100)
    assert found.finding("cer", decision="argmax").value is not None
    assert found.finding("expected_cost", decision="argmax").verdict == "not_applicable"
    only = (table["split"] == "test") & (table["label"] == "melanoma")
    assert found.finding("cer", decision="argmax").n == only.sum()


def test_a_given_decision_is_judged_beside_the_others(table: pl.DataFrame) -> None:
    fixed = table.with_columns(pl.lit("melanoma").alias("decision"))
    found = primum.audit(fixed, severity="phantom", bootstrap=100)
    assert found.finding("cer", decision="given").value is not None
    assert found.finding("specificity", decision="given").value == 0
    assert found.finding("specificity", decision="given").high > 0  # type: ignore[operator]


def test_a_group_of_one_class_or_few_cases_says_what_it_lacks(table: pl.DataFrame) -> None:
    lone = pl.when(pl.col("label") == "naevus").then(pl.lit("one")).otherwise(pl.lit("rest"))
    found = primum.audit(
        table.with_columns(lone.alias("kind")), severity="phantom", by=["kind"], bootstrap=100
    )
    for code, where in (("auroc", {"calibrated": "none"}), ("cer", {}), ("balanced_accuracy", {})):
        finding = found.finding(code, "kind=one", **where)
        assert finding.verdict == "not_applicable", code
        assert finding.why
    few = table.with_columns(
        pl.when(pl.int_range(pl.len()) >= pl.len() - 4)
        .then(pl.lit("tiny"))
        .otherwise(pl.lit("big"))
        .alias("kind")
    )
    found = primum.audit(few, severity="phantom", by=["kind"], bootstrap=100)
    assert "at least 10" in found.finding("ece", "kind=tiny").why
    assert found.finding("accuracy", "kind=tiny").value is not None


def test_patients_widen_the_intervals(make: Callable[..., Any]) -> None:
    one = make(400, skill=2.0)
    copies = pl.concat([one.with_columns((pl.col("id") + f"-{i}").alias("id")) for i in range(4)])
    known = primum.audit(copies, severity="phantom", bootstrap=300)
    blind = primum.audit(copies.drop("patient"), severity="phantom", bootstrap=300)
    for code, where in (
        ("accuracy", {"decision": "argmax"}),
        ("expected_cost", {"decision": "argmax"}),
        ("auroc", {"calibrated": "none"}),
        ("aurc", {"decision": "argmax", "score": "msr"}),
    ):
        wide, narrow = known.finding(code, **where), blind.finding(code, **where)
        assert wide.value == pytest.approx(narrow.value)
        assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low), code  # type: ignore[operator]


def test_deployment_priors_move_costs_and_the_bayes_decision(table: pl.DataFrame) -> None:
    rare = {"naevus": 0.6, "keratosis": 0.38, "melanoma": 0.01}
    plain = primum.audit(table, severity="phantom", bootstrap=100)
    moved = primum.audit(table, severity="phantom", prior=rare, bootstrap=100)
    assert moved.settings["prior"]["carcinoma"] == pytest.approx(0.01)
    assert (
        moved.finding("specificity", decision="bayes").value
        > plain.finding("specificity", decision="bayes").value
    )  # type: ignore[operator]
    assert (
        moved.finding("expected_cost", decision="argmax").value
        != plain.finding("expected_cost", decision="argmax").value
    )
    assert (
        moved.finding("accuracy", decision="argmax").value
        == plain.finding("accuracy", decision="argmax").value
    )


def test_two_classes_have_predictive_values_and_net_benefit() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 500)
    p = np.clip(rng.normal(0.35 + 0.3 * labels, 0.2), 0, 1)
    arrays = {"classes": ["NORMAL", "PNEUMONIA"], "labels": labels, "probs": np.c_[1 - p, p]}
    found = primum.audit(arrays, severity="chest_xray", bootstrap=200)
    called = p > 0.5
    assert found.finding("ppv", decision="argmax").value == pytest.approx(labels[called].mean())
    assert found.finding("npv", decision="argmax").value == pytest.approx(1 - labels[~called].mean())
    expected = (called & (labels == 1)).mean() - (called & (labels == 0)).mean() * 2 / 10
    assert found.finding("net_benefit", decision="argmax").value == pytest.approx(expected)
    rare = primum.audit(arrays, severity="chest_xray", prior={"PNEUMONIA": 0.02}, bootstrap=200)
    assert rare.finding("ppv", decision="argmax").value < found.finding("ppv", decision="argmax").value  # type: ignore[operator]


def test_limits_give_verdicts(table: pl.DataFrame) -> None:
    found = primum.audit(
        table, severity="phantom", limits={"cer": {"max": 0.9}, "accuracy": {"min": 0.99}}, bootstrap=100
    )
    assert found.finding("cer", decision="argmax").verdict == "passed"
    assert found.finding("accuracy", decision="argmax").verdict == "failed"
    assert found.finding("specificity", decision="argmax").verdict == "not_judged"


def test_outside_scores_are_ranked_too(table: pl.DataFrame) -> None:
    scored = table.with_columns(pl.Series("score_vendor", np.random.default_rng(0).random(table.height)))
    found = primum.audit(scored, severity="phantom", bootstrap=100)
    assert found.finding("failure_auroc", decision="argmax", score="vendor").value == pytest.approx(
        0.5, abs=0.1
    )


def test_perfect_answers_still_have_an_interval() -> None:
    labels = np.arange(60) % 4
    classes = list(read_severity("phantom").classes)
    found = primum.audit(
        {"classes": classes, "labels": labels, "probs": np.eye(4)[labels]}, severity="phantom"
    )
    for code in ("cer", "expected_cost", "balanced_accuracy", "macro_f1", "aurc", "cost_aurc", "accuracy"):
        finding = found.finding(code, decision="argmax")
        assert finding.low < finding.high, code  # type: ignore[operator]
    assert found.finding("failure_auroc", decision="argmax").verdict == "not_applicable"


def test_many_classes() -> None:
    rng = np.random.default_rng(0)
    labels = np.r_[np.arange(1139), rng.integers(0, 1139, 1200)]
    logits = rng.normal(size=(len(labels), 1139)).astype(np.float32)
    logits[np.arange(len(labels)), labels] += 3
    found = primum.audit({"labels": labels, "logits": logits}, bootstrap=100)
    right = (logits.argmax(axis=1) == labels).mean()
    assert found.finding("accuracy", decision="argmax").value == pytest.approx(right)


def test_worst_cases_come_first(audited: primum.Audit) -> None:
    cases = audited.cases
    fatal = cases.filter("critical")
    assert cases["critical"].head(fatal.height).all()
    assert fatal["confidence"].is_sorted(descending=True)
    assert fatal.height == audited.finding("critical_errors", decision="argmax").value


@pytest.mark.parametrize("kind", ["polars", "pandas", "parquet", "csv", "predictions"])
def test_any_form_of_the_table_gives_the_same_numbers(
    kind: str, table: pl.DataFrame, audited: primum.Audit, tmp_path: Path
) -> None:
    from primum import tables

    given: Any = table
    if kind == "pandas":
        given = table.to_pandas()
    elif kind == "predictions":
        given = tables.read(table)
    elif kind in ("parquet", "csv"):
        given = tmp_path / f"table.{kind}"
        getattr(table, f"write_{kind}")(given)
    found = primum.audit(given, severity="phantom", bootstrap=200)
    for code in ("cer", "expected_cost", "specificity"):
        assert found.finding(code, decision="bayes").value == audited.finding(code, decision="bayes").value


def test_a_table_of_one_class_is_refused(table: pl.DataFrame) -> None:
    with pytest.raises(InputError, match="at least two classes"):
        primum.audit(table.filter((pl.col("label") == "naevus") & (pl.col("split") == "test")))


def test_a_notebook_shows_it(audited: primum.Audit) -> None:
    shown = audited._repr_html_()
    assert "Critical" in shown
