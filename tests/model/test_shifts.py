"""Corruptions on the fly, and runs that hold something out."""

import dataclasses
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from primum import tables
from primum.data import corruptions, sets
from primum.data.leaving_out import leave_out
from primum.model import backbone, features
from primum.model.images import Images, Transform
from primum.model.predict import predict
from primum.model.recipe import Recipe
from primum.model.train import train
from tests.model.made import recipe
from tests.model.test_predict import primum_predict

HALF = (0.5, 0.5, 0.5)
TRANSFORM = Transform(32, HALF, HALF)


@pytest.fixture
def network(table):
    torch.manual_seed(0)
    return backbone.build("mobilenetv3_small_050", table.classes, image_size=32)


def test_images_are_corrupted_by_their_id_in_any_batch(table, folder_table):
    rows = np.array([5, 3, 70])
    plain = torch.from_numpy(table.pixels[rows]).permute(0, 3, 1, 2).float() / 255
    expected = corruptions.corrupt(plain, "elastic", 3, ["c005", "c003", "c070"], 4).mul(255).round().byte()
    for source in (table, folder_table):
        images = Images(source, TRANSFORM, ("elastic", 3), 4)
        assert torch.equal(images.batch(rows), expected)
        alone = torch.cat(list(images.batches(rows[::-1].copy(), 1)))
        assert (alone.flip(0).int() - expected.int()).abs().max() <= 1


def test_an_unknown_corruption_is_refused_before_anything_is_read(refused, table):
    refused(lambda: Images(table, TRANSFORM, ("elastics", 3)), "did you mean 'elastic'?")
    refused(lambda: Images(table, TRANSFORM, ("elastic", 9)), "9 arrived")


def test_predictions_under_a_corruption_say_so(table, network, tmp_path):
    plain = predict(network, table, progress=False)
    assert "shift" not in plain.metadata.columns
    found = predict(network, table, corruption=("brightness_down", 5), progress=False)
    assert set(found.metadata["shift"]) == {"brightness_down"}
    assert set(found.metadata["shift_level"]) == {5}
    np.testing.assert_array_equal(found.ids, plain.ids)
    assert not np.allclose(found.logits, plain.logits)
    tables.write(found, tmp_path / "p.parquet")
    back = pl.read_parquet(tmp_path / "p.parquet")
    assert back["shift_level"].dtype.is_integer()
    passes = predict(network, table, corruption=("brightness_down", 5), passes=2, progress=False)
    assert set(passes.metadata["shift"]) == {"brightness_down"}


def test_on_the_fly_equals_the_written_folder(table, network, tmp_path):
    from primum.data.corruptions import folder

    test = table.take(np.flatnonzero(np.arange(80) < 9))
    test = dataclasses.replace(test, cases=test.cases.with_columns(split=pl.lit("test")))
    path = folder.write(test, "motion_blur", 3, tmp_path / "o", seed=7)
    stored = predict(network, sets.load("manifest", path), progress=False)
    flown = predict(network, test, corruption=("motion_blur", 3), seed=7, progress=False)
    np.testing.assert_allclose(stored.logits, flown.logits, atol=1e-3)
    assert stored.metadata["shift"].to_list() == flown.metadata["shift"].to_list()


def test_stored_features_of_a_corruption_are_its_own(table, network, tmp_path):
    kinds = [None, ("contrast", 1), ("contrast", 2), ("elastic", 2)]
    found = [features.cached(network, Images(table, TRANSFORM, kind), tmp_path) for kind in kinds]
    assert len(list(tmp_path.glob("*.npy"))) == 4
    features.cached(network, Images(table, TRANSFORM, ("elastic", 2), seed=1), tmp_path)
    assert len(list(tmp_path.glob("*.npy"))) == 5
    assert not np.allclose(found[1], found[2])
    assert len({found_.tobytes() for found_ in found}) == 4


@pytest.fixture
def varied(table):
    """The made images with a source for every patient, and one patient seen at two."""
    source = np.array(["north", "south", "west"])[np.arange(80) // 2 % 3]
    source[3] = "west"  # of the patient of rows 2 and 3
    return dataclasses.replace(table, cases=table.cases.with_columns(pl.Series("source", source)))


@pytest.fixture
def finished(varied, serve, tmp_path, monkeypatch):
    """A run that held the source west out."""
    serve(varied)
    monkeypatch.chdir(tmp_path)
    asked = recipe(data__leave_out={"source": "west"}, training__epochs=1, network__trunk="frozen")
    return train(asked, tmp_path / "run", progress=False)


def test_a_run_trains_and_predicts_nothing_in_two_places(finished, varied):
    said = {
        split: tables.read(finished / "predictions" / f"{split}.parquet")
        for split in ("train", "val", "cal", "test", "shift")
    }
    before = dict(zip(varied.cases["id"], varied.cases["split"], strict=True))
    held = varied.cases.filter(pl.col("source") == "west")
    assert set(said["shift"].ids) == set(held["id"])
    assert set(said["shift"].metadata["source"]) == {"west"}
    assert set(said["shift"].metadata["shift"]) == {"source=west"}
    assert set(said["shift"].metadata["split"]) == {"test"}  # so that an audit judges them
    seen = [set(one.ids) for one in said.values()]
    assert sum(map(len, seen)) == len(set().union(*seen)) == 79  # without row 2, of a held-out patient
    people = [set(one.metadata["patient"]) for one in said.values()]
    assert sum(map(len, people)) == len(set().union(*people))
    for split in ("train", "val", "cal", "test"):
        assert "west" not in said[split].metadata["source"]
        assert {before[one] for one in said[split].ids} == {split}  # neither swapped nor mixed
        assert set(said[split].metadata["split"]) == {split}
    told = said["test"].source["trained_on"]
    assert told["left_out"] == {"source": "west"}


def test_predict_holds_the_same_images_out_again(finished, varied, monkeypatch, capsys, tmp_path):
    for split in ("test", "shift"):
        code, _, _ = primum_predict(monkeypatch, capsys, "--split", split)
        assert code == 0
        again, stored = tables.read("p.parquet"), tables.read(finished / "predictions" / f"{split}.parquet")
        assert list(again.ids) == list(stored.ids)
        np.testing.assert_allclose(again.logits, stored.logits, atol=1e-4)
        Path("p.parquet").unlink()


def test_the_verb_corrupts(finished, monkeypatch, capsys):
    code, _, _ = primum_predict(monkeypatch, capsys, "--corrupt", "jpeg:4")
    assert code == 0
    frame = pl.read_parquet("p.parquet")
    assert set(frame["shift"]) == {"jpeg"}
    assert set(frame["shift_level"]) == {4}
    Path("p.parquet").unlink()
    code, _, _ = primum_predict(monkeypatch, capsys, "--corrupt", "jpeg:4", "--split", "shift")
    assert set(pl.read_parquet("p.parquet")["shift"]) == {"source=west + jpeg"}
    Path("p.parquet").unlink()
    for said, expected in (("jpg:4", "did you mean 'jpeg'?"), ("jpeg:0", "0 arrived"), ("jpeg", "jpeg:3")):
        code, _, error = primum_predict(monkeypatch, capsys, "--corrupt", said)
        assert code == 2
        assert expected in error
        assert len(error.strip().splitlines()) == 1
        assert not Path("p.parquet").exists()


def test_leaks_of_what_was_held_out_leave_training(varied):
    from primum.data.copies import Copies
    from primum.data.leaking import leaking

    held = leave_out(varied, "source", "west")
    group = np.full(len(held), -1)
    west = int(np.flatnonzero((held.cases["split"] == "shift").to_numpy())[0])
    trained = int(np.flatnonzero((held.cases["split"] == "train").to_numpy())[0])
    group[[west, trained]] = 0
    rows, listed = leaking(held, Copies(np.arange(len(held)), group))
    assert rows.tolist() == [trained]
    assert listed["split"].to_list() == ["train"]


def test_an_unknown_value_stops_a_training_before_it_starts(refused, varied, serve, tmp_path):
    serve(varied)
    asked = recipe(data__leave_out={"source": "wets"})
    refused(lambda: train(asked, tmp_path / "run", progress=False), "did you mean 'west'?")
    assert not (tmp_path / "run").exists()


def test_leave_out_in_a_recipe(refused):
    both = recipe(data__leave_out={"dx": ["akiec", "bkl"]})
    assert Recipe.parse(both.model_dump()) == both
    assert recipe(data__leave_out={"marker": True}).data.leave_out == {"marker": "true"}
    assert recipe(data__leave_out={"age": 60}).data.leave_out == {"age": "60"}
    assert recipe().fingerprint() == recipe(data__leave_out=None).fingerprint()
    assert len({recipe().fingerprint(), both.fingerprint()}) == 2
    for wrong in ("site", {}, {"a": "b", "c": "d"}, {"a": None}, {"a": []}, {"a": {"b": 1}}, ["a"]):
        refused(lambda wrong=wrong: recipe(data__leave_out=wrong), "'data.leave_out'", "arrived")
