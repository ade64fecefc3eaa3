"""The same predictions, however they arrive."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from primum import tables
from primum.core.check import InputError
from primum.predictions import Predictions

CLASSES = ("a", "b", "c")
PROBS = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [1.0, 0.0, 0.0]])
LABELS = np.array([0, 1, 2, 1])
FRAME = pl.DataFrame(
    {
        "id": ["007", "008", "009", "010"],
        "label": ["a", "b", "c", "b"],
        **{f"prob_{name}": PROBS[:, k] for k, name in enumerate(CLASSES)},
        "patient": ["01", "01", "02", "03"],
        "age": [61, 61, 40, 55],
    }
)


def same(found: Predictions, metadata: bool = True) -> None:
    assert found.classes == CLASSES
    assert found.labels.tolist() == LABELS.tolist()
    np.testing.assert_allclose(found.probs, PROBS, atol=1e-12)
    if metadata:
        assert found.ids.to_list() == FRAME["id"].to_list()
        assert found.metadata["patient"].to_list() == FRAME["patient"].to_list()
        assert found.metadata["age"].cast(pl.Int64).to_list() == FRAME["age"].to_list()


def write_npz(path: Path) -> None:
    np.savez(
        path, ids=FRAME["id"].to_numpy().astype(str), labels=LABELS, classes=np.array(CLASSES), probs=PROBS,
        patient=FRAME["patient"].to_numpy().astype(str), age=FRAME["age"].to_numpy(),
    )  # fmt: skip


WRITERS = {
    "table.parquet": FRAME.write_parquet,
    "table.csv": FRAME.write_csv,
    "semicolons.csv": lambda path: FRAME.write_csv(path, separator=";"),
    "decimal-commas.csv": lambda path: FRAME.write_csv(path, separator=";", decimal_comma=True),
    "tabs.tsv": lambda path: FRAME.write_csv(path, separator="\t"),
    "bom.csv": lambda path: path.write_bytes(b"\xef\xbb\xbf" + FRAME.write_csv().encode()),
    "quoted.csv": lambda path: FRAME.write_csv(path, quote_style="always"),
    "windows.csv": lambda path: path.write_bytes(FRAME.write_csv().replace("\n", "\r\n").encode()),
    "spaces.csv": lambda path: path.write_text(FRAME.write_csv().replace(",", ", ")),
    "arrays.npz": write_npz,
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_file_format_says_the_same(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / name)
    found = tables.read(tmp_path / name)
    same(found)
    assert found.name == name


@pytest.mark.parametrize("source", [FRAME, FRAME.to_pandas()], ids=["polars", "pandas"])
def test_frames(source: Any) -> None:
    same(tables.read(source))


def test_predictions_pass_through_unchanged() -> None:
    read = tables.read(FRAME)
    assert tables.read(read) is read


def test_logits_are_read_as_logits() -> None:
    logits = FRAME.select("id", "label", *(pl.col(f"prob_{c}").alias(f"logit_{c}") * 3 for c in CLASSES))
    found = tables.read(logits)
    assert found.kind == "logits"
    np.testing.assert_allclose(found.logits, PROBS * 3)


def test_logits_win_over_probabilities_with_a_note() -> None:
    both = FRAME.with_columns(**{f"logit_{c}": pl.lit(float(k)) for k, c in enumerate(CLASSES)})
    found = tables.read(both)
    assert found.kind == "logits"
    assert found.predicted.tolist() == [2] * 4
    assert any("logits were used" in note for note in found.notes)
    assert not [column for column in found.metadata.columns if column.startswith("prob_")]


@pytest.mark.parametrize("labels", [LABELS, np.array(["a", "b", "c", "b"])], ids=["indices", "names"])
def test_arrays(labels: Any) -> None:
    same(tables.read({"probs": PROBS, "labels": labels, "classes": CLASSES}), metadata=False)


@pytest.mark.parametrize("kind", ["float32", "float64", "bfloat16"])
def test_tensors_that_need_a_gradient(kind: str) -> None:
    torch = pytest.importorskip("torch")
    logits = torch.tensor(PROBS * 4, dtype=getattr(torch, kind), requires_grad=True)
    found = tables.read({"logits": logits, "labels": torch.tensor(LABELS)})
    assert found.classes == ("0", "1", "2")
    assert found.labels.tolist() == LABELS.tolist()
    np.testing.assert_allclose(found.logits, PROBS * 4, rtol=1e-2)


def test_unknown_labels_of_every_kind() -> None:
    frame = FRAME.with_columns(label=pl.Series(["a", "", None, "b"]))
    assert tables.read(frame).labels.tolist() == [0, -1, -1, 1]
    objects = np.array(["a", None, "c", np.nan], dtype=object)
    assert tables.read({"probs": PROBS, "labels": objects, "classes": CLASSES}).labels.tolist() == [
        0,
        -1,
        2,
        -1,
    ]
    assert tables.read({"probs": PROBS, "labels": [0.0, np.nan, 2.0, 1.0]}).labels.tolist() == [0, -1, 2, 1]
    assert tables.read({"probs": PROBS}).labels.tolist() == [-1] * 4


def test_empty_labels_in_a_csv(tmp_path: Path) -> None:
    FRAME.with_columns(label=pl.Series(["a", None, None, "b"])).write_csv(tmp_path / "t.csv")
    assert tables.read(tmp_path / "t.csv").labels.tolist() == [0, -1, -1, 1]


def test_class_names_that_are_numbers(tmp_path: Path) -> None:
    renamed = FRAME.rename({f"prob_{name}": f"prob_{k}" for k, name in enumerate(CLASSES)})
    renamed.with_columns(label=pl.Series(LABELS)).write_csv(tmp_path / "t.csv")
    found = tables.read(tmp_path / "t.csv")
    assert found.classes == ("0", "1", "2")
    assert found.labels.tolist() == LABELS.tolist()
    floats = tables.read(renamed.with_columns(label=pl.Series(LABELS.astype(float))))
    assert floats.labels.tolist() == LABELS.tolist()


def test_whole_numbers_are_never_taken_for_indices_where_they_may_be_names() -> None:
    with pytest.raises(InputError, match="may be class names or indices"):
        tables.read({"probs": PROBS, "labels": [1, 2, 1, 2], "classes": ["1", "2", "3"]})
    found = tables.read({"probs": PROBS, "labels": ["1", "2", "1", "2"], "classes": ["1", "2", "3"]})
    assert found.labels.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("kind", [pl.Categorical, pl.Enum(list(CLASSES))])
def test_labels_stored_as_a_dictionary(kind: Any, tmp_path: Path) -> None:
    frame = FRAME.with_columns(pl.col("label").cast(kind))
    same(tables.read(frame))
    frame.write_parquet(tmp_path / "t.parquet")
    same(tables.read(tmp_path / "t.parquet"))
    categories = FRAME.to_pandas()
    categories["label"] = categories["label"].astype("category")
    same(tables.read(categories))


def test_ids_stay_what_they_are_in_every_type() -> None:
    long = 1234567890123456789
    integers = FRAME.with_columns(id=pl.Series([long, long + 1, 3, 4]))
    assert tables.read(integers).ids.to_list() == [str(long), str(long + 1), "3", "4"]
    floats = FRAME.with_columns(id=pl.Series([1.0, 2.0, 3.0, 4.0]))
    assert tables.read(floats).ids.to_list() == ["1", "2", "3", "4"]


def test_ids_too_long_for_a_float_are_refused() -> None:
    with pytest.raises(InputError, match="last digits are lost"):
        tables.read(FRAME.with_columns(id=pl.Series([1e18, 2e18, 3e18, 4e18])))


def test_patients_are_the_same_text_whether_whole_numbers_arrive_as_floats_or_padded() -> None:
    floats = FRAME.with_columns(patient=pl.Series([1.0, 1.0, 2.0, 3.0]))
    padded = FRAME.with_columns(patient=pl.Series(["1 ", " 1", "2", "3"]))
    assert tables.read(floats).metadata["patient"].to_list() == ["1", "1", "2", "3"]
    assert tables.read(padded).metadata["patient"].to_list() == ["1", "1", "2", "3"]


def test_a_missing_patient_is_a_patient_of_its_own() -> None:
    found = tables.read(FRAME.with_columns(patient=pl.Series(["p", "p", None, ""])))
    assert found.patients is not None
    assert found.patients.n_unique() == 3
    assert found.patients.to_list()[:2] == ["p", "p"]
    assert any("2 rows without a patient" in note for note in found.notes)
    nobody = tables.read(FRAME.with_columns(patient=pl.lit(None, pl.String)))
    assert nobody.patients is None
    assert nobody.notes == ()


def test_metadata_that_no_report_can_show_are_left_out_with_a_note() -> None:
    odd = FRAME.with_columns(
        lists=pl.Series([[1]] * 4), raw=pl.lit(b"x"), size=pl.Series([1.5, np.nan, np.inf, 3])
    )
    found = tables.read(odd)
    assert found.metadata.columns == ["patient", "age", "size"]
    assert found.metadata["size"].to_list() == [1.5, None, None, 3]
    assert found.notes == ("columns that hold lists or bytes were left out: lists, raw",)


def test_columns_of_a_vendor() -> None:
    theirs = FRAME.rename({"id": "StudyUID", "label": "gt", "prob_a": "P(a)"})
    mapping = {"id": "StudyUID", "label": "gt", "prob_a": "P(a)"}
    found = tables.read(
        theirs.select("gt", "StudyUID", "P(a)", "prob_b", "prob_c", "patient", "age"), mapping
    )
    assert sorted(found.classes) == ["a", "b", "c"]
    assert found.ids.to_list() == FRAME["id"].to_list()
    np.testing.assert_allclose(found.probs[:, found.classes.index("a")], PROBS[:, 0])
    assert found.metadata.columns == ["patient", "age"]


def test_a_mapping_replaces_a_column_of_our_name_and_may_use_one_column_twice() -> None:
    frame = FRAME.with_columns(id=pl.lit("same"), uid=pl.Series(["w", "x", "y", "z"]))
    found = tables.read(frame, {"id": "uid", "decision": "label", "label": "label"})
    assert found.ids.to_list() == ["w", "x", "y", "z"]
    assert found.decision is not None
    assert found.decision.tolist() == found.labels.tolist() == LABELS.tolist()


def test_a_mapping_holds_for_arrays_too() -> None:
    found = tables.read(
        {"p": PROBS, "gt": LABELS, "names": CLASSES}, {"probs": "p", "labels": "gt", "classes": "names"}
    )
    same(found, metadata=False)
    with pytest.raises(InputError, match=r"'labls', mapped to labels.*did you mean 'labels'"):
        tables.read({"probs": PROBS, "labels": LABELS}, {"labels": "labls"})


@pytest.mark.parametrize("labels", [["sick", "well", "sick"], ["well", "sick", None]])
def test_one_probability_is_enough_for_two_classes(labels: list[str | None]) -> None:
    frame = pl.DataFrame({"id": ["1", "2", "3"], "label": labels, "prob_sick": [0.9, 0.2, 1.0]})
    found = tables.read(frame)
    assert found.classes == ("well", "sick")
    np.testing.assert_allclose(found.probs, [[0.1, 0.9], [0.8, 0.2], [0.0, 1.0]])


def test_a_probability_of_exactly_0_is_ordinary() -> None:
    found = tables.read(FRAME)
    assert found.probs[3].tolist() == [1.0, 0.0, 0.0]
    assert found.notes == ()


def test_sums_a_little_off_are_renormalised_and_only_much_off_is_said() -> None:
    near = tables.read(
        {"probs": PROBS * 1.0005 - 1e-9 * (PROBS == 1) - 0.0005 * (PROBS == 1), "labels": LABELS}
    )
    assert near.notes == ()
    off = PROBS.copy()
    off[0, 0] += 0.008
    found = tables.read({"probs": off, "labels": LABELS})
    np.testing.assert_allclose(found.probs.sum(axis=1), 1)
    assert "the probabilities of 1 cases" in found.notes[0]
    off[0, 0] += 0.004
    with pytest.raises(InputError, match="must sum to 1"):
        tables.read({"probs": off, "labels": LABELS})


def test_rounding_of_single_precision_is_not_outside() -> None:
    probs = np.array([[1 + 1e-7, -1e-7], [0.5, 0.5]])
    assert tables.read({"probs": probs}).probs[0].tolist() == [1.0, 0.0]


def test_null_splits_stay_null_and_blanks_count_as_null() -> None:
    found = tables.read(FRAME.with_columns(split=pl.Series(["test", None, " cal ", " "])))
    assert found.metadata["split"].to_list() == ["test", None, "cal", None]


def test_folder_names_never_become_columns(tmp_path: Path) -> None:
    folder = tmp_path / "split=cal"
    folder.mkdir()
    FRAME.write_parquet(folder / "t.parquet")
    assert "split" not in tables.read(folder / "t.parquet").metadata.columns


def everything() -> Predictions:
    rng = np.random.default_rng(0)
    return Predictions(
        FRAME["id"], CLASSES, np.array([0, 1, -1, 1]), rng.normal(size=(4, 3)).astype(np.float32),
        passes=rng.normal(size=(5, 4, 3)).astype(np.float32),
        embeddings=rng.normal(size=(4, 7)).astype(np.float16),
        scores={"confidnet": np.array([0.1, 0.2, 0.3, 0.4])}, decision=np.array([2, 1, 0, 1]),
        metadata=FRAME.select("patient", "age"), source={"network": "resnet18", "loss": {"strength": 10.0}},
        notes=("something was noticed",),
    )  # fmt: skip


def test_our_own_parquet_keeps_everything(tmp_path: Path) -> None:
    written = everything()
    tables.write(written, tmp_path / "deep" / "t.parquet")
    found = tables.read(tmp_path / "deep" / "t.parquet")
    for name in ("labels", "logits", "passes", "embeddings", "decision"):
        np.testing.assert_array_equal(getattr(found, name), getattr(written, name))
    np.testing.assert_array_equal(found.scores["confidnet"], written.scores["confidnet"])
    assert found.logits.dtype == np.float32
    assert (found.classes, found.kind) == (written.classes, written.kind)
    assert (found.source, found.notes) == (written.source, written.notes)
    assert found.ids.to_list() == written.ids.to_list()
    assert found.metadata.equals(written.metadata)
    schema = pq.read_schema(tmp_path / "deep" / "t.parquet")
    assert str(schema.field("logits").type) == "fixed_size_list<element: float>[3]"


def test_probabilities_of_0_survive_the_round_trip(tmp_path: Path) -> None:
    tables.write(tables.read(FRAME), tmp_path / "t.parquet")
    found = tables.read(tmp_path / "t.parquet")
    assert found.kind == "log_probabilities"
    same(found)


def test_a_table_of_nothing_but_the_needed_round_trips(tmp_path: Path) -> None:
    tables.write(tables.read({"logits": PROBS}), tmp_path / "t.parquet")
    found = tables.read(tmp_path / "t.parquet")
    assert found.labels.tolist() == [-1] * 4
    assert found.metadata.width == 0
    assert (found.passes, found.embeddings, found.decision) == (None, None, None)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (FRAME.with_columns(passes=pl.Series([[1.0] * 4] * 4)), "4 numbers do not divide into 3 classes"),
        (FRAME.with_columns(embedding=pl.Series([[1.0], [1.0, 2.0], [1.0], [1.0]])), "same length"),
        (FRAME.with_columns(embedding=pl.lit(1.0)), "must hold a list of numbers"),
        (FRAME.with_columns(embedding=pl.Series([["x"]] * 4)), "must hold a list of numbers"),
        (FRAME.with_columns(embedding=pl.Series([[1.0], [float("nan")], [1.0], [1.0]])), "first in row 2"),
        (FRAME.select("id", logits=pl.Series([[1.0, 2.0]] * 4)), "needs the class names"),
        (FRAME.with_columns(decision=pl.Series(["a", None, "b", "c"])), "in every row, some are empty"),
        (FRAME.with_columns(score_x=pl.Series([1.0, float("inf"), 0.0, 0.0])), "score_x must be finite"),
        (FRAME.with_columns(id=pl.Series([[1], [2], [3], [4]])), "one text or number per row"),
        (pd.DataFrame({"id": [1, "x"], "prob_a": [0.5, 0.5]}), "column id mixes types"),
        ({"probs": PROBS, "logits": PROBS}, "exactly one of the arrays"),
        ({"labels": LABELS}, "exactly one of the arrays"),
        ({"probs": PROBS[0]}, r"must have shape \(N, K\), 3 arrived"),
        ({"probs": np.zeros((0, 3))}, r"must have shape \(N, K\), 0 × 3 arrived"),
        ({"probs": PROBS.astype(str)}, "probs must be numbers"),
        ({"probs": PROBS, "classes": ["a", "b"]}, "3 classes need 3 class names, 2 arrived"),
        ({"probs": PROBS, "labels": LABELS[:2]}, r"labels needs one value per case \(4\)"),
        ({"probs": PROBS, "labels": np.eye(4, 3)}, "exactly one 1 and else 0 is expected"),
        ({"probs": PROBS, "age": np.zeros((4, 2))}, "array age needs one value per case"),
        (5, "int arrived"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said(broken: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        tables.read(broken)


def test_stages_come_back_with_their_widths(tmp_path: Path, refused: Callable[..., None]) -> None:
    rng = np.random.default_rng(0)
    seen = tuple(rng.normal(size=(4, width)).astype(np.float32) for width in (4, 6))
    table = Predictions(list("abcd"), ("x", "y"), [0, 1, 0, 1], rng.normal(size=(4, 2)), stages=seen)
    tables.write(table, tmp_path / "t.parquet")
    back = tables.read(tmp_path / "t.parquet").stages
    assert back is not None
    assert [stage.tolist() for stage in back] == [stage.tolist() for stage in seen]
    arrays = {"logits": table.logits, "labels": table.labels, "stages": np.hstack(seen)}
    several = tables.read({**arrays, "stage_widths": np.array([4, 6])}).stages
    assert several is not None
    assert [stage.shape for stage in several] == [(4, 4), (4, 6)]
    alone = tables.read(arrays).stages
    assert alone is not None
    assert [stage.shape for stage in alone] == [(4, 10)]
    for widths in ([4, 5], [10, 0], [4.5, 5.5]):
        refused(
            lambda widths=widths: tables.read({**arrays, "stage_widths": np.array(widths)}),
            "add up to the 10",
        )


@pytest.mark.parametrize("widths", [[4, 5], [4, 6, 1], [], [10.0], [-4, 14], "ten", {"4": 6}])
def test_damaged_widths_of_stages_are_refused(
    widths: object, tmp_path: Path, refused: Callable[..., None]
) -> None:
    rng = np.random.default_rng(0)
    seen = tuple(rng.normal(size=(4, width)).astype(np.float32) for width in (4, 6))
    table = Predictions(list("abcd"), ("x", "y"), [0, 1, 0, 1], rng.normal(size=(4, 2)), stages=seen)
    tables.write(table, tmp_path / "t.parquet")
    written = pq.read_table(tmp_path / "t.parquet")
    settings = json.loads(written.schema.metadata[b"primum"])
    assert settings["stages"] == [4, 6]
    damaged = written.replace_schema_metadata({"primum": json.dumps(settings | {"stages": widths})})
    pq.write_table(damaged, tmp_path / "t.parquet")
    refused(lambda: tables.read(tmp_path / "t.parquet"), "add up to the 10")
    del settings["stages"]
    pq.write_table(written.replace_schema_metadata({"primum": json.dumps(settings)}), tmp_path / "t.parquet")
    alone = tables.read(tmp_path / "t.parquet").stages
    assert alone is not None
    np.testing.assert_array_equal(alone[0], np.hstack(seen))


def test_stages_of_a_disease_are_a_column_like_any_other(tmp_path: Path) -> None:
    staged = FRAME.with_columns(stages=pl.Series(["I", "II", "II", "IV"]))
    staged.write_csv(tmp_path / "t.csv")
    found = tables.read(tmp_path / "t.csv")
    assert found.stages is None
    assert found.metadata["stages"].to_list() == ["I", "II", "II", "IV"]
    arrays = {"probs": PROBS, "labels": LABELS, "classes": CLASSES, "stages": np.array([1, 2, 2, 4])}
    assert tables.read(arrays).metadata["stages"].to_list() == [1, 2, 2, 4]
