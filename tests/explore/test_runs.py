"""Runs, audits, folders and tables become scenes; what is not there is said."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import primum
from primum import tables
from primum.explore.runs import read
from tests.explore.conftest import CLASSES, MATRIX, predictions

RECIPE = """name: made
data: {name: folder, root: ROOT}
network: {name: resnet10t}
loss: {name: cross_entropy, severity: SEVERITY}
"""


def write(table, file: Path, **columns) -> Path:
    from dataclasses import replace

    file.parent.mkdir(parents=True, exist_ok=True)
    tables.write(replace(table, metadata=table.metadata.with_columns(**columns)), file)
    return file


@pytest.fixture
def severity(tmp_path) -> Path:
    path = tmp_path / "made.yaml"
    path.write_text(
        f"classes: [{', '.join(CLASSES)}]\ncost: {MATRIX.cost.tolist()}\n"
        "critical: [[melanoma, naevus], [carcinoma, naevus]]\n"
    )
    return path


@pytest.fixture
def run(tmp_path, severity) -> Path:
    """The folder of a run as training leaves it, with a corruption and another hospital beside."""
    folder = tmp_path / "runs" / "first"
    split = pl.lit("test")
    write(predictions(), folder / "predictions" / "test.parquet", split=split, path=pl.lit("a/1.png"))
    for name in ("train", "val", "cal"):
        write(predictions(50, 3, who=name), folder / "predictions" / f"{name}.parquet", split=pl.lit(name))
    noisy = folder / "predictions" / "gaussian_noise-3.parquet"
    write(predictions(skill=1), noisy, split=split, shift=pl.lit("gaussian_noise"), shift_level=pl.lit(3))
    write(predictions(30, 9, who="nih"), folder / "predictions" / "another_hospital.parquet", split=split)
    (folder / "network.json").write_text("{}")
    (tmp_path / "images" / "a").mkdir(parents=True)
    (tmp_path / "images" / "a" / "1.png").write_text("")
    recipe = RECIPE.replace("ROOT", str(tmp_path / "images")).replace("SEVERITY", str(severity))
    (folder / "recipe.yaml").write_text(recipe)
    return folder


def test_a_run(run, tmp_path) -> None:
    (found,) = read([run])
    assert [one.name for one in found.domains] == ["test", "another_hospital", "gaussian_noise 3"]
    assert [len(one.predictions) for one in found.domains] == [60, 30, 60]
    assert found.fit is not None
    assert found.fit.ids[0] == "cal-0"
    assert found.train is not None
    assert found.train.ids[0] == "train-0"
    assert found.severity is not None
    np.testing.assert_array_equal(found.severity.cost, MATRIX.cost)
    assert found.images_root == tmp_path / "images"
    assert (found.name, found.run) == ("first", run)
    assert "knn" in found.scores


def test_half_a_table_that_a_killed_writer_left_is_passed_over(run) -> None:
    for name in (".test-abcdefgh.parquet", ".primum-draft-4194303-abcdefgh-test.parquet"):
        (run / "predictions" / name).write_bytes(b"PAR1 half")
    (found,) = read([run])
    assert [one.name for one in found.domains] == ["test", "another_hospital", "gaussian_noise 3"]


def test_without_cal_rows_the_val_rows_are_fitted_on(run) -> None:
    (run / "predictions" / "cal.parquet").unlink()
    (found,) = read([run])
    assert found.fit is not None
    assert found.fit.ids[0] == "val-0"
    assert "50 of them validation rows" in found.notes[0]


def test_a_table_called_val_holds_validation_rows(tmp_path) -> None:
    write(predictions(), tmp_path / "test.parquet")
    write(predictions(50, 3, who="val"), tmp_path / "val.parquet")
    (found,) = read([tmp_path])
    assert "50 of them validation rows" in found.notes[0]
    write(predictions(50, 3, who="cal"), tmp_path / "cal.parquet")
    (found,) = read([tmp_path])
    assert "50 fit rows" in found.notes[0]
    assert "validation" not in found.notes[0]


def test_a_severity_that_has_gone_is_said(run, severity) -> None:
    severity.unlink()
    (found,) = read([run])
    assert found.severity is None
    assert "is not there any more" in found.notes[-1]


def test_a_run_a_bench_asked_is_shown_with_its_answers(run) -> None:
    scores = run / "scores"
    for name, kind, level in (("test", "iid", None), ("fit", "fit", None), ("jpeg-2", "corruption", 2)):
        shift = pl.lit("jpeg" if level else name)
        write(
            predictions(40, who=kind), scores / f"{name}.parquet", split=pl.lit("test"), shift=shift,
            shift_kind=pl.lit(kind), shift_level=pl.lit(level, pl.Int64),
        )  # fmt: skip
    (found,) = read([run])
    assert [(one.name, one.level) for one in found.domains] == [("test", None), ("jpeg 2", 2)]
    assert found.fit is not None
    assert found.fit.ids[0] == "fit-0"
    assert found.train is not None


def test_one_table_of_a_run_has_the_rest_beside_it(run) -> None:
    (found,) = read([run / "predictions" / "gaussian_noise-3.parquet"])
    assert [one.name for one in found.domains] == ["gaussian_noise 3"]
    assert found.run == run
    assert found.fit is not None
    assert found.train is not None


def test_a_folder_of_anybodys_tables(tmp_path, table) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    table.filter(pl.col("split") == "test").drop("split").write_csv(folder / "hospital.csv")
    table.filter(pl.col("split") == "cal").drop("split").write_csv(folder / "cal.csv")
    (found,) = read([folder])
    assert [one.name for one in found.domains] == ["hospital"]
    assert found.fit is not None
    assert found.run is None
    assert len(found) == (table["split"] == "test").sum()


def test_a_table_with_splits(tmp_path, table) -> None:
    file = tmp_path / "all.csv"
    table.write_csv(file)
    (found,) = read([file], severity=None)
    assert len(found) == (table["split"] == "test").sum()
    assert found.fit is not None
    assert len(found.fit) == (table["split"] == "cal").sum()


@pytest.fixture
def audited(tmp_path, table, severity) -> Path:
    table.write_csv(tmp_path / "all.csv")
    critical = ["melanoma:naevus"]
    return primum.audit(tmp_path / "all.csv", critical=critical, bootstrap=100).save(tmp_path / "audit")


def test_an_audit_finds_its_table_beside_it(audited, table) -> None:
    (found,) = read([audited])
    cases = pl.read_parquet(audited / "cases.parquet")
    assert sorted(found.cases["id"]) == sorted(cases["id"])
    assert found.severity is None
    assert found.critical is not None
    assert found.critical.sum() == 1
    both = found.cases.join(cases, on="id", suffix="_audit")
    assert ((both["silent"] & both["critical"]) == both["silent_audit"]).all()
    assert found.name == "audit"


def test_of_the_fit_table_of_an_audit_only_fit_rows_count(tmp_path, table, severity) -> None:
    fit = table.filter(split="cal")
    rest = table.filter(split="test")
    more = rest[:40].with_columns(
        pl.format("{}-more", "id").alias("id"), pl.format("{}-more", "patient").alias("patient")
    )
    pl.concat([fit, more.with_columns(split=pl.lit("train"))]).write_csv(tmp_path / "fit.csv")
    rest.drop("split").write_csv(tmp_path / "test.csv")
    primum.audit(tmp_path / "test.csv", fit=tmp_path / "fit.csv", bootstrap=100).save(tmp_path / "audit")
    (found,) = read([tmp_path / "audit"])
    assert found.fit is not None
    assert len(found.fit) == fit.height


def test_an_audit_whose_table_has_gone_or_changed(audited, tmp_path, table, refused) -> None:
    file = tmp_path / "all.csv"
    table.with_columns(pl.col("prob_naevus").alias("prob_melanoma"), prob_naevus="prob_melanoma").write_csv(
        file
    )
    refused(lambda: read([audited]), "all.csv", "another table lies there")
    file.unlink()
    refused(lambda: read([audited]), "all.csv", "there is none")
    (audited / "audit.json").write_text("{}")
    refused(lambda: read([audited]), "an audit of schema")


def test_two_runs_are_named_by_what_differs(run, tmp_path) -> None:
    shutil.copytree(run, tmp_path / "runs" / "second")
    first, second = read([run, tmp_path / "runs" / "second"])
    assert (first.name, second.name) == ("first", "second")
    files = [tmp_path / "runs" / one / "predictions" / "test.parquet" for one in ("first", "second")]
    assert [one.name for one in read(files)] == ["first", "second"]
    assert first.cases["key"].equals(second.cases["key"])


def test_what_was_named_replaces_what_was_found(run, tmp_path) -> None:
    other = write(predictions(70, 5, who="known"), tmp_path / "known.parquet")
    (tmp_path / "elsewhere").mkdir()
    (found,) = read([run], images=tmp_path / "elsewhere", train=other)
    assert found.images_root == tmp_path / "elsewhere"
    assert found.train is not None
    assert len(found.train) == 70


def test_stored_maps_belong_to_their_domain(run) -> None:
    folder = run / "explanations" / "test-grad_cam.maps"
    folder.mkdir(parents=True)
    np.save(folder / "maps.npy", np.zeros((1, 4, 4), np.float16))
    (found,) = read([run])
    assert found.maps == {"test": folder}


def test_bad_input_is_refused(run, tmp_path, refused) -> None:
    (tmp_path / "empty").mkdir()
    refused(lambda: read([]), "none was named")
    refused(lambda: read([tmp_path / "nothing"]), "there is nothing")
    refused(lambda: read([tmp_path / "empty"]), "tables of predictions", "there are none")
    refused(lambda: read([run, run]), "twice")
    refused(lambda: read([run], images=tmp_path / "nothing"), "--images")
    refused(lambda: read([run], severity="isic2081"), "isic2081")
    refused(lambda: read([run], severity="isic2018"), "must match")
    for name in ("test", "gaussian_noise-3", "another_hospital"):
        (run / "predictions" / f"{name}.parquet").unlink()
    refused(lambda: read([run]), "a table of test rows", "there is none")


def test_images_may_be_the_folder_that_holds_the_data_set(run, tmp_path) -> None:
    (tmp_path / "moved" / "folder" / "a").mkdir(parents=True)
    (tmp_path / "moved" / "folder" / "a" / "1.png").write_text("")
    (found,) = read([run], images=tmp_path / "moved")
    assert found.images_root == tmp_path / "moved" / "folder"
    (found,) = read([run], images=tmp_path / "moved" / "folder")
    assert found.images_root == tmp_path / "moved" / "folder"
