"""One spelling of ids, patients, labels and groups, whatever program wrote the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import primum
from primum import tables
from primum.auditing.policy.application import apply
from primum.auditing.policy.fit import fit
from primum.core import names
from primum.core.check import InputError
from primum.predictions import Predictions

N = 60


def frame(**columns: Any) -> pl.DataFrame:
    rng = np.random.default_rng(3)
    p = np.round(rng.uniform(0.02, 0.98, N), 4)
    labels = (rng.random(N) < p).astype(int)
    base = {"id": [f"c{i}" for i in range(N)], "label": labels, "prob_0": 1 - p, "prob_1": p}
    return pl.DataFrame(base | columns)


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("17.0", "17"), ("17", "17"), (" 17.00 ", "17"), ("17.", "17"), ("-3.0", "-3"), ("007", "007"),
        ("007.0", "007.0"), ("17.5", "17.5"), ("1e3", "1e3"), ("a\u00a0b", "a b"), ("\ufeffa\u200b", "a"),
        ("Mu\u0308ller", "M\u00fcller"), ("NA", None), ("n/a", None), ("#N/A", None), ("<NA>", None),
        ("True", "true"), ("FALSE", "false"),
        ("None", None), ("NULL", None), ("nan", None), ("  ", None), ("none", "none"), ("na", "na"),
    ],
)  # fmt: skip
def test_one_name_has_one_spelling(written: str, spelled: str | None) -> None:
    assert names.settled(pl.Series([written, "x"])).to_list() == [spelled, "x"]
    if spelled is not None:
        assert names.settle(written) == spelled


def test_the_spelling_of_a_value_does_not_hang_on_the_others() -> None:
    assert names.settled(pl.Series([17.0, 17.5, None, float("nan")])).to_list() == ["17", "17.5", None, None]
    assert names.settled(pl.Series([17, 18])).to_list() == ["17", "18"]
    assert names.settled(pl.Series([True, False, None])).to_list() == ["true", "false", None]
    assert names.settled(pl.Series(["None", "NA"]), ("None",)).to_list() == ["None", None]


def saved(table: pl.DataFrame, path: Path, how: str) -> Any:
    if how == "csv":
        table.write_csv(path.with_suffix(".csv"))
        return path.with_suffix(".csv")
    if how == "parquet":
        table.write_parquet(path.with_suffix(".parquet"))
        return path.with_suffix(".parquet")
    if how == "pandas":
        return pd.DataFrame(table.to_dict(as_series=False))
    return {
        "ids": table["id"].to_numpy(), "labels": table["label"].to_numpy(), "classes": np.array(["0", "1"]),
        "probs": table.select("prob_0", "prob_1").to_numpy(), "patient": table["patient"].to_numpy(),
    }  # fmt: skip


FORMATS = ("csv", "parquet", "pandas", "arrays")


@pytest.mark.parametrize("first", FORMATS)
@pytest.mark.parametrize("second", FORMATS)
def test_a_patient_is_the_same_in_every_format(first: str, second: str, tmp_path: Path) -> None:
    numbers = np.arange(N) // 2
    floats = frame(patient=pl.Series([None if i == 5 else float(p) for i, p in enumerate(numbers)]))
    ints = frame(patient=numbers).with_columns(id="n" + pl.col("id"))
    cal, test = saved(floats, tmp_path / "cal", first), saved(ints, tmp_path / "test", second)
    with pytest.raises(InputError, match="no patient may stand in both the fit and the test rows, 30 do"):
        primum.audit(test, fit=cal)
    policy = fit(cal, capacity=0.2)
    with pytest.raises(InputError, match="a patient that it was fitted on, 30 are here"):
        apply(policy, test)


@pytest.mark.parametrize("how", FORMATS)
@pytest.mark.parametrize("marker", ["NA", "nan", "None", "NULL", "#N/A", "n/a", ""])
def test_unknown_patients_are_not_one_patient(marker: str, how: str, tmp_path: Path) -> None:
    known = [f"p{i}" if i < 30 else None for i in range(N)]
    marked = frame(patient=[one or marker for one in known], site=["A"] * 40 + [marker] * 20)
    found = tables.read(saved(marked, tmp_path / "table", how))
    assert found.patients is not None
    assert found.patients.n_unique() == N
    assert found.metadata["patient"].null_count() == 30
    if how != "arrays":
        audited = primum.audit(found, by=["site"])
        assert {one.group for one in audited.findings} >= {"site=A", "site=(missing)"}
        assert "site=NA" not in {one.group for one in audited.findings}


@pytest.mark.parametrize("how", FORMATS)
@pytest.mark.parametrize("labels", ["float", "text", "bool"])
def test_labels_written_as_floats_mean_their_class(labels: str, how: str, tmp_path: Path) -> None:
    plain = frame(patient=np.arange(N))
    kinds: dict[str, Any] = {"float": pl.Float64, "text": pl.Float64, "bool": pl.Boolean}
    table = plain.with_columns(pl.col("label").cast(kinds[labels]))
    if labels == "text":
        table = table.with_columns(pl.col("label").cast(pl.String))
    if how == "arrays" and labels == "bool":
        table = table.with_columns(pl.col("label").cast(pl.Int64))
    found = tables.read(saved(table, tmp_path / "table", how))
    assert found.labels.tolist() == plain["label"].to_list()


def test_a_fixed_decision_written_as_a_float_means_its_class(tmp_path: Path) -> None:
    frame(decision=[1.0, 0.0] * 30).write_csv(tmp_path / "t.csv")
    found = tables.read(tmp_path / "t.csv")
    assert found.decision is not None
    assert found.decision.tolist() == [1, 0] * 30


def test_a_class_may_be_called_none() -> None:
    probs = {"prob_None": [0.9, 0.2, 0.4], "prob_tumour": [0.1, 0.8, 0.6]}
    table = pl.DataFrame({"id": ["a", "b", "c"], "label": ["None", "tumour", "NA"], **probs})
    assert tables.read(table).labels.tolist() == [0, 1, -1]


def test_groups_of_one_value_are_one_group_in_two_files() -> None:
    floats, ints = frame(site=[1.0, 2.0] * 30), frame(site=[1, 2] * 30)
    groups = [{one.group for one in primum.audit(table, by=["site"]).findings} for table in (floats, ints)]
    assert groups[0] == groups[1] == {"all", "site=1", "site=2"}


@pytest.mark.parametrize("header", ["", "Unnamed: 0"])
def test_the_index_of_a_data_frame_is_the_id(header: str, tmp_path: Path) -> None:
    table = frame().drop("id").to_pandas()
    table.to_csv(tmp_path / "t.csv")
    if header:
        text = (tmp_path / "t.csv").read_text()
        (tmp_path / "t.csv").write_text(header + text)
    found = tables.read(tmp_path / "t.csv")
    assert found.ids.to_list() == [str(i) for i in range(N)]
    assert "the first column has no name and was read as id" in found.notes


def test_an_unnamed_column_is_no_id_where_something_else_can_be(refused: Callable[..., None]) -> None:
    table = frame().rename({"id": "image"}).select("image", "label", "prob_0", "prob_1")
    unnamed = table.insert_column(0, pl.Series("", range(N)))
    refused(lambda: tables.read(unnamed), "a column id", "--columns id=image")


def test_everything_missing_is_named_with_the_option_that_would_do(
    refused: Callable[..., None],
) -> None:
    table = pl.DataFrame(
        {"Image Name": ["a", "b", "c"], "probability": [0.1, 0.7, 0.5], "y_true": [0, 1, 0], "age": [1, 2, 3]}
    )
    option = '--columns "id=Image Name,prob_1=probability,label=y_true"'
    refused(lambda: tables.read(table), "a column id", "prob_<class>", option)
    found = tables.read(table, {"id": "Image Name", "prob_1": "probability", "label": "y_true"})
    assert found.classes == ("0", "1")
    per_class = pl.DataFrame({"id": ["a"], "p_benign": [0.1], "p_malignant": [0.9]})
    refused(lambda: tables.read(per_class), "--columns prob_benign=p_benign,prob_malignant=p_malignant")


def test_columns_nearly_named_are_taken_or_noted() -> None:
    split = ["Train"] * 40 + ["TEST"] * 20
    found = tables.read(frame(Split=split, PatientID=np.arange(N) // 2))
    assert found.metadata["split"].to_list() == ["train"] * 40 + ["test"] * 20
    assert found.patients is not None
    assert found.patients.n_unique() == 30
    assert {"column Split was read as split", "column PatientID was read as patient"} <= set(found.notes)
    audited = primum.audit(frame(Split=split))
    assert audited.settings["n"] == 20
    noted = tables.read(frame(Split=["a", "b"] * 30, subject_id=np.arange(N)))
    assert "split" not in noted.metadata.columns
    assert any("Split is not read as split, as it holds other values" in note for note in noted.notes)
    assert any("--columns patient=subject_id" in note for note in noted.notes)
    both = tables.read(frame(patient=np.arange(N), PatientID=np.arange(N)))
    assert not both.notes


def test_plurals_of_an_archive_are_taken(tmp_path: Path) -> None:
    table = frame()
    np.savez(
        tmp_path / "t.npz", ids=table["id"].to_numpy().astype(str), labels=table["label"].to_numpy(),
        probs=table.select("prob_0", "prob_1").to_numpy(), splits=np.array(["train"] * 40 + ["test"] * 20),
        patients=np.arange(N) // 3,
    )  # fmt: skip
    found = tables.read(tmp_path / "t.npz")
    assert found.metadata["split"].to_list() == ["train"] * 40 + ["test"] * 20
    assert found.patients is not None
    assert found.patients.n_unique() == 20


@pytest.mark.parametrize("prefix", ["label_", ""])
def test_one_hot_labels_are_one_label(prefix: str, refused: Callable[..., None]) -> None:
    labels = np.array([0, 2, 1, 2])
    probs = {
        f"prob_{name}": [0.5, 0.2, 0.2, 0.1] if k else [0.0, 0.6, 0.6, 0.8] for k, name in enumerate("abc")
    }
    marks = {f"{prefix}{name}": (labels == k).astype(float) for k, name in enumerate("abc")}
    table = pl.DataFrame({"id": list("wxyz"), **probs, **marks})
    assert tables.read(table).labels.tolist() == labels.tolist()
    assert not set(tables.read(table).metadata.columns)
    several = table.with_columns(pl.lit(1.0).alias(f"{prefix}a"))
    refused(lambda: tables.read(several), "exactly one 1", "row 2 and 2 others")
    arrays = {"probs": np.array([*probs.values()]).T, "labels": np.eye(3)[labels]}
    assert tables.read(arrays).labels.tolist() == labels.tolist()


@pytest.mark.parametrize(("rows", "accepted"), [
    ([[0.33, 0.33, 0.33], [0.5, 0.25, 0.25]], True),  # off by 0.01 and the last digit of a float
    ([[0.14, 0.14, 0.14, 0.14, 0.14, 0.14, 0.13], [0.15, 0.15, 0.15, 0.15, 0.15, 0.14, 0.14]], True),
    ([[0.33, 0.33, 0.31], [0.5, 0.25, 0.25]], False),  # rounding explains 0.015 of 0.03
    ([[0.3334, 0.3333, 0.3133], [0.5, 0.25, 0.25]], False),
])  # fmt: skip
def test_probabilities_are_taken_as_they_are_printed(rows: list[list[float]], accepted: bool) -> None:
    table = {"probs": np.array(rows), "labels": np.array([0, 1])}
    if accepted:
        np.testing.assert_allclose(tables.read(table).probs.sum(axis=1), 1, atol=1e-12)
    else:
        with pytest.raises(InputError, match="must sum to 1"):
            tables.read(table)


def test_a_column_that_is_no_class_is_named(refused: Callable[..., None]) -> None:
    greatest = frame().with_columns(pl.max_horizontal("prob_0", "prob_1").alias("prob_max"))
    refused(lambda: tables.read(greatest), "must sum to 1", "without the column of max")
    logits = frame().select(
        "id",
        "label",
        logit_0=pl.col("prob_0").log(),
        logit_1=pl.col("prob_1").log(),
        logit_margin=pl.lit(3.0),
    )
    (found,) = [one for one in primum.audit(logits).findings if one.code == "answered_class_without_label"]
    assert "class margin is always the answer and never the label" in found.why
    assert "logit_margin" in found.why
    usual = primum.audit(frame()).findings
    assert not [one for one in usual if one.code == "answered_class_without_label"]


def test_one_probability_is_enough_where_the_classes_are_known(
    tmp_path: Path, refused: Callable[..., None]
) -> None:
    alone = frame().drop("prob_0")
    policy = fit(alone, capacity=0.2)
    fresh = alone.drop("label").with_columns(id="n" + pl.col("id"))
    assert (
        apply(policy, fresh).decided.accepted.sum()
        == apply(policy, frame().with_columns(id="m" + pl.col("id"))).decided.accepted.sum()
    )
    refused(lambda: tables.read(fresh), "a column label must tell the other class", "--classes OTHER,1")
    assert tables.read(fresh, classes=("0", "1")).classes == ("0", "1")
    refused(lambda: tables.read(fresh, classes=("a", "b")), "1 among them")
    refused(lambda: tables.read(frame(), classes=("a", "b")), "class names must match")
    named = {"probs": np.array([[0.2, 0.8], [0.6, 0.4]])}
    assert tables.read(named, classes=("a", "b")).classes == ("a", "b")


def test_the_command_line_takes_the_classes(command: Callable[..., Any], tmp_path: Path) -> None:
    frame().drop("prob_0", "label").write_csv(tmp_path / "a.csv")
    frame().drop("prob_0", "label").with_columns(prob_1=pl.col("prob_1") / 2).write_csv(tmp_path / "b.csv")
    code, _, error = command(
        "ensemble", tmp_path / "a.csv", tmp_path / "b.csv", "--out", tmp_path / "m.parquet"
    )
    assert code == 2
    assert "--classes" in error
    code, _, error = command(
        "ensemble",
        tmp_path / "a.csv",
        tmp_path / "b.csv",
        "--classes",
        "0,1",
        "--out",
        tmp_path / "m.parquet",
    )
    assert (code, error) == (0, "")
    assert isinstance(tables.read(tmp_path / "m.parquet"), Predictions)


def test_a_table_made_in_memory_is_spelled_too() -> None:
    table = Predictions(
        np.array([1.0, 2.0]), ("0", "1"), np.array([0, 1]), np.zeros((2, 2)),
        metadata=pl.DataFrame({"patient": [17.0, 18.0]}),
    )  # fmt: skip
    assert table.ids.to_list() == ["1", "2"]
    assert table.patients is not None
    assert table.patients.to_list() == ["17", "18"]
    audited = primum.audit(frame(), critical=["1.0:0.0"], prior={"1.0": 0.3})
    assert audited.settings["critical"] == [["1", "0"]]
    assert audited.settings["prior"]["1"] == 0.3
