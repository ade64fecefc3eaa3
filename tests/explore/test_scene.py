"""What a scene says of each case, by hand and against an audit of the same table."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import primum
from primum import tables
from primum.explore.scene import SEPARATOR, Domain, build_scene
from primum.predictions import Predictions
from tests.explore.conftest import CLASSES, MATRIX, predictions


def five() -> Predictions:
    """Confidences .9 .8 .7 .6 .5: the second and the fourth are wrong, the last has no label."""
    sure = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    said = np.array([0, 0, 1, 1, 2])
    probs = np.repeat(((1 - sure) / 2)[:, None], 3, axis=1)
    probs[np.arange(5), said] = sure
    metadata = pl.DataFrame({"correct": ["x"] * 5, "patient": list("aabbc")})
    return Predictions.from_probs(list("abcde"), CLASSES, [0, 1, 1, 0, -1], probs, metadata=metadata)


def test_five_cases_by_hand() -> None:
    found = build_scene("five", [Domain("test", five())], severity=MATRIX)
    cases = found.cases
    assert found.thresholds["msr"] == pytest.approx(0.6)  # four of five
    assert cases["correct"].to_list() == [True, False, True, False, None]
    assert cases["critical"].to_list() == [False, True, False, False, None]  # melanoma called naevus
    assert cases["silent"].to_list() == [False, True, False, True, None]
    assert cases["label"].to_list() == ["naevus", "melanoma", "melanoma", "naevus", None]
    assert cases["predicted"].to_list() == ["naevus", "naevus", "melanoma", "melanoma", "carcinoma"]
    assert cases["table_correct"].to_list() == ["x"] * 5
    np.testing.assert_allclose(cases["prob_carcinoma"], [0.05, 0.1, 0.15, 0.2, 0.5])
    assert cases["key"].to_list() == [f"test{SEPARATOR}{name}" for name in "abcde"]
    assert found.row(f"test{SEPARATOR}d") == 3
    assert "rows of test themselves" in found.notes[0]
    assert "patient" in found.metadata_columns
    assert "label" not in found.metadata_columns


def test_the_fit_rows_decide_what_is_silent() -> None:
    top = np.array([0.65, 0.7, 0.75, 0.8, 0.85])
    probs = np.column_stack([top, (1 - top) / 2, (1 - top) / 2])
    sure = Predictions.from_probs([f"f{i}" for i in range(5)], CLASSES, [0] * 5, probs)
    found = build_scene("five", [Domain("test", five())], fit=sure, severity=MATRIX)
    assert found.thresholds["msr"] == pytest.approx(0.7)
    assert found.cases["silent"].to_list() == [False, True, False, False, None]
    assert "5 fit rows" in found.notes[0]


def test_thresholds_without_fit_rows_come_from_the_domain_that_is_not_shifted() -> None:
    weak = predictions(skill=0.5)
    found = build_scene("made", [Domain("dark 5", weak, "dark", 5), Domain("test", five())])
    assert found.thresholds["msr"] == pytest.approx(0.6)
    assert "rows of test themselves" in found.notes[0]


def test_an_audit_of_the_same_rows_says_the_same(make) -> None:
    frame = make(400)
    test, read = frame["split"] == "test", frame.drop("split")
    rows, fit = tables.read(read.filter(test)), tables.read(read.filter(~test))
    classes = rows.classes
    cost = np.where(np.eye(4, dtype=bool), 0.0, 2.0)
    critical = np.zeros((4, 4), bool)
    critical[2:, :2] = True
    matrix = primum.SeverityMatrix(classes, cost, critical)
    audit = primum.audit(frame, severity=matrix, bootstrap=100)
    found = build_scene("made", [Domain("test", rows)], fit=fit, severity=matrix)
    assert found.thresholds == pytest.approx(
        {name: audit.settings["thresholds"]["argmax"][name] for name in found.thresholds}
    )
    assert set(found.scores) <= set(audit.settings["thresholds"]["argmax"])
    ours = found.cases.join(audit.cases, on="id", suffix="_audit")
    assert len(ours) == len(found)
    assert (ours["critical"] == ours["critical_audit"]).all()
    assert ((ours["silent"] & ours["critical"]) == ours["silent_audit"]).all()
    np.testing.assert_array_equal(ours["score_pe"], ours["score_pe_audit"])


def test_domains_share_classes_and_keep_their_own_rows(whole) -> None:
    assert len(whole) == 180
    assert whole.cases["key"].n_unique() == 180
    assert whole.cases["domain"].unique(maintain_order=True).to_list() == [
        "test", "gaussian_noise 3", "gaussian_noise 1",
    ]  # fmt: skip
    domain, row = whole.of(125)
    assert (domain.name, row) == ("gaussian_noise 1", 5)
    assert whole.cases["shift_level"][125] == 1
    assert whole.cases["id"][125] == domain.predictions.ids[row]
    np.testing.assert_array_equal(
        np.array([*CLASSES])[whole.predicted], whole.cases["predicted"].to_numpy().astype(str)
    )


def test_another_order_of_classes_is_put_right(made) -> None:
    table = made()
    turned = Predictions(
        table.ids, CLASSES[::-1], 2 - table.labels, table.logits[:, ::-1], metadata=table.metadata
    )
    found = build_scene("made", [Domain("a", table), Domain("b", turned)], severity=MATRIX)
    for column in ("label", "predicted", "critical", "prob_melanoma", "score_pe"):
        first, second = found.cases[column][:60], found.cases[column][60:]
        if column.startswith(("prob", "score")):
            np.testing.assert_allclose(first, second)
        else:
            assert (first == second).all()


def test_a_score_of_one_domain_is_empty_in_the_others(made) -> None:
    with_score = made(scores={"own": np.linspace(0, 1, 60)})
    found = build_scene("made", [Domain("a", with_score), Domain("b", made())])
    assert "own" in found.scores
    assert found.cases["score_own"].null_count() == 60


def test_units_are_patients_else_images(made) -> None:
    table = made()
    two = build_scene("made", [Domain("a", table), Domain("b", table)])
    assert two.units is not None
    assert len(np.unique(two.units)) == 30
    np.testing.assert_array_equal(two.units[:60], two.units[60:])
    alone = made(metadata=pl.DataFrame())
    assert build_scene("made", [Domain("a", alone)]).units is None
    twice = build_scene("made", [Domain("a", alone), Domain("b", alone)])
    assert len(np.unique(twice.units)) == 60


def test_bad_input_is_refused(refused, made) -> None:
    refused(lambda: build_scene("made", []), "at least one table")
    refused(
        lambda: build_scene("made", [Domain("a", made()), Domain("a", made())]), "must differ in name", "a"
    )
    other = Predictions(["x", "y"], ("cat", "dog"), [0, 1], np.eye(2))
    refused(lambda: build_scene("made", [Domain("a", made()), Domain("b", other)]), "must match")
    refused(lambda: build_scene("made", [Domain("a", made())]).row("nobody"), "no case has this key")


def test_a_hundred_thousand_points_are_one_table(made) -> None:
    n = 100_000
    table = made(n, width=2, metadata=pl.DataFrame({"age": np.arange(n)}))
    found = build_scene("many", [Domain("test", table)])
    assert found.cases.filter(pl.col("correct") & (pl.col("age") < 50)).height <= 50
    assert len(found) == n
