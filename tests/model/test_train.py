import csv
import json
import signal

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.numpy import load_file

from primum import audit, severity, tables
from primum.core import locks
from primum.core.check import InputError
from primum.data.images import CorruptImageError
from primum.model import backbone, stages
from primum.model import fit as fitting
from primum.model.predict import predict
from primum.model.recipe import Recipe
from primum.model.train import train
from tests.model.made import CLASSES, hostile, recipe

SPLITS = ("train", "val", "cal", "test")
FROZEN = {"network__trunk": "frozen"}


def logged(out):
    """Epoch → values of the validation rows of every part of the log, in order."""
    rows = []
    for part in sorted(out.glob("log/part-*/metrics.csv")):
        with part.open() as lines:
            rows += [row for row in csv.DictReader(lines) if row.get("val_loss")]
    return rows


@pytest.mark.parametrize("mode", [{}, FROZEN], ids=["trained", "frozen"])
def test_a_run_leaves_everything_and_answers_again(table, serve, severity_file, tmp_path, mode):
    serve(table)
    loss = {"name": "risk_calibrated", "severity": str(severity_file), "strength": 4}
    asked = recipe(loss=loss, **mode)
    out = train(asked, tmp_path / "run", progress=False)

    assert {path.name for path in out.iterdir()} == {
        "splits.parquet", "recipe.yaml", "network.safetensors", "network.json", "log", "predictions",
    }  # fmt: skip
    assert Recipe.read(out / "recipe.yaml") == asked
    assert list(out.glob("log/part-1/events.out.tfevents*"))
    assert len(logged(out)) == 2
    assert (tmp_path / ".features").exists() == bool(mode)

    network = backbone.load(out)
    for split in SPLITS:
        stored = tables.read(out / "predictions" / f"{split}.parquet")
        part = table.split(split)
        assert stored.ids.to_list() == part.cases["id"].to_list()
        assert stored.classes == CLASSES
        np.testing.assert_array_equal(stored.labels, part.label_index)
        assert stored.metadata["patient"].to_list() == part.cases["patient"].to_list()
        assert set(stored.metadata["split"]) == {split}
        again = predict(out, part, progress=False)
        np.testing.assert_allclose(again.logits, stored.logits, atol=1e-5)
        np.testing.assert_allclose(again.embeddings, stored.embeddings, atol=1e-5)
        assert [stage.shape[1] for stage in stored.stages] == list(stages.widths(network.stages))
        np.testing.assert_allclose(np.hstack(again.stages), np.hstack(stored.stages), atol=1e-5)
        with torch.no_grad():
            head = network.head(torch.tensor(np.array(stored.embeddings), dtype=torch.float32)).numpy()
        np.testing.assert_allclose(head, stored.logits, atol=1e-5)

    source = tables.read(out / "predictions" / "test.parquet").source
    assert json.loads(json.dumps(source)) == dict(source)
    matrix = severity.read(severity_file).ordered(CLASSES, "made")
    assert source["loss"]["name"] == "risk_calibrated"
    assert source["loss"]["form"] == "expected"
    assert source["loss"]["strength"] == 4
    assert source["loss"]["severity"]["classes"] == list(CLASSES)
    assert source["loss"]["severity"]["cost"] == matrix.cost.tolist()
    assert source["trunk"] == asked.network.trunk
    assert source["data"] == "made"
    assert source["data_fingerprint"] == table.split("test").fingerprint()
    assert source["epochs"] == 2
    assert str(tmp_path) not in json.dumps(source) + (out / "network.json").read_text()


def test_training_learns_and_keeps_the_best_epoch(table, serve, tmp_path):
    serve(table)
    asked = recipe(network__name="resnet10t", training__epochs=30, training__learning_rate=0.01, **FROZEN)
    out = train(asked, tmp_path / "run", progress=False)
    val = tables.read(out / "predictions" / "val.parquet")
    assert val.correct.mean() > 0.8
    losses = [float(row["val_loss"]) for row in logged(out)]
    assert -val.log_probs[np.arange(len(val)), val.labels].mean() == pytest.approx(min(losses), rel=1e-4)


def test_the_monitor_is_stopped_by_patience_and_largest_where_larger_is_better(table, serve, tmp_path):
    serve(table)
    asked = recipe(
        training__epochs=40, training__monitor="val_balanced_accuracy", training__patience=2, **FROZEN
    )
    out = train(asked, tmp_path / "run", progress=False)
    found = [float(row["val_balanced_accuracy"]) for row in logged(out)]
    assert len(found) < 40
    assert max(found) == found[-3]
    val = tables.read(out / "predictions" / "val.parquet")
    recalls = [val.correct[val.labels == k].mean() for k in range(3)]
    assert np.mean(recalls) == pytest.approx(max(found), rel=1e-6)


def test_val_cost_is_the_mean_raw_cost_of_the_answers(table, serve, severity_file, tmp_path):
    serve(table)
    loss = {"name": "cross_entropy", "severity": str(severity_file)}
    out = train(recipe(loss=loss, training__monitor="val_cost", **FROZEN), tmp_path / "run", progress=False)
    val = tables.read(out / "predictions" / "val.parquet")
    cost = severity.read(severity_file).ordered(CLASSES, "made").cost[val.labels, val.predicted].mean()
    assert cost == pytest.approx(min(float(row["val_cost"]) for row in logged(out)), rel=1e-6)
    assert val.source["loss"]["severity"] is None  # it was watched, not trained on


@pytest.mark.parametrize("mode", [{}, FROZEN], ids=["trained", "frozen"])
def test_the_same_seed_gives_the_same_network_and_leaves_torch_as_it_was(table, serve, tmp_path, mode):
    serve(table)
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    first = load_file(train(recipe(**mode), tmp_path / "1", progress=False) / "network.safetensors")
    assert torch.equal(torch.rand(3), expected)
    second = load_file(train(recipe(**mode), tmp_path / "2", progress=False) / "network.safetensors")
    other = load_file(train(recipe(seed=1, **mode), tmp_path / "3", progress=False) / "network.safetensors")
    for key, value in first.items():
        np.testing.assert_allclose(second[key], value, atol=1e-6, err_msg=key)
    assert not np.allclose(other["head.weight"], first["head.weight"])


def interrupt(monkeypatch, epoch):
    """Ctrl-C in the middle of an epoch."""
    step = fitting.Fit.training_step

    def cut(self, batch, batch_idx):
        if self.current_epoch == epoch and batch_idx == 1:
            raise KeyboardInterrupt
        return step(self, batch, batch_idx)

    monkeypatch.setattr(fitting.Fit, "training_step", cut)
    return lambda: monkeypatch.setattr(fitting.Fit, "training_step", step)


@pytest.mark.parametrize("mode", [{}, FROZEN], ids=["trained", "frozen"])
def test_an_interrupted_run_is_whole_and_resumes_to_the_same_network(
    table, serve, tmp_path, monkeypatch, mode
):
    serve(table)
    asked = recipe(training__epochs=3, **mode)
    straight = load_file(train(asked, tmp_path / "straight", progress=False) / "network.safetensors")

    release, handler = interrupt(monkeypatch, 1), signal.getsignal(signal.SIGINT)
    out = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        train(asked, out, progress=False)
    assert signal.getsignal(signal.SIGINT) is handler
    assert {path.name for path in out.iterdir()} == {"splits.parquet", "recipe.yaml", "log", "checkpoints"}
    assert {path.name for path in (out / "checkpoints").iterdir()} == {"best.ckpt", "last.ckpt"}
    for checkpoint in (out / "checkpoints").iterdir():
        assert torch.load(checkpoint, weights_only=True)["epoch"] == 0

    release()
    with pytest.raises(InputError, match=r"unfinished run.*resume="):
        train(asked, out, progress=False)
    with pytest.raises(InputError, match="another recipe"):
        train(recipe(training__epochs=4, **mode), out, resume=True, progress=False)
    assert not (out / "network.json").exists()

    train(asked, out, resume=True, progress=False)
    assert [int(row["epoch"]) for row in logged(out)] == [0, 1, 2]
    assert tables.read(out / "predictions" / "test.parquet").source["epochs"] == 3
    resumed = load_file(out / "network.safetensors")
    for key, value in straight.items():
        np.testing.assert_allclose(resumed[key], value, atol=1e-6, err_msg=key)


def test_a_checkpoint_that_holds_code_is_refused_and_the_code_is_not_run(
    table, serve, tmp_path, monkeypatch, refused
):
    serve(table)
    asked, out = recipe(training__epochs=2, **FROZEN), tmp_path / "run"
    release = interrupt(monkeypatch, 1)
    with pytest.raises(KeyboardInterrupt):
        train(asked, out, progress=False)
    release()
    hostile(out / "checkpoints", "last.ckpt")
    refused(
        lambda: train(asked, out, resume=True, progress=False), "last.ckpt", "could run code", "train anew"
    )
    assert not (out / "checkpoints" / "was-run").exists()


def test_a_run_cut_after_training_only_writes_what_is_missing(table, serve, tmp_path, monkeypatch):
    serve(table)
    asked = recipe(training__epochs=20, training__patience=1, training__learning_rate=0.3, **FROZEN)
    write_table = pq.write_table

    def cut(table, path, **rest):
        if table["split"][0].as_py() == "cal":
            path.write_bytes(b"half")
            raise KeyboardInterrupt
        write_table(table, path, **rest)

    monkeypatch.setattr(pq, "write_table", cut)
    out = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        train(asked, out, progress=False)
    assert {path.name for path in (out / "predictions").iterdir()} == {"train.parquet", "val.parquet"}
    assert not (out / "network.json").exists()
    epochs = len(logged(out))
    assert epochs < 20

    monkeypatch.setattr(pq, "write_table", write_table)
    train(asked, out, resume=True, progress=False)
    assert len(logged(out)) == epochs
    assert tables.read(out / "predictions" / "test.parquet").source["epochs"] == epochs


def test_a_training_that_diverges_says_so(table, serve, tmp_path):
    serve(table)
    with pytest.raises(InputError, match="lower learning_rate"):
        train(recipe(training__learning_rate=1e37, **FROZEN), tmp_path / "run", progress=False)


def test_a_finished_run_is_not_overwritten(table, serve, tmp_path):
    serve(table)
    out = train(recipe(**FROZEN), tmp_path / "run", progress=False)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    with pytest.raises(InputError, match="finished run is here and is not overwritten"):
        train(recipe(**FROZEN), out, progress=False)
    assert train(recipe(**FROZEN), out, resume=True, progress=False) == out
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_another_folder_is_left_alone_and_nothing_to_resume_is_said(table, serve, tmp_path):
    serve(table)
    (tmp_path / "thesis.txt").write_text("five years")
    with pytest.raises(InputError, match="something else is here"):
        train(recipe(**FROZEN), tmp_path, progress=False)
    with pytest.raises(InputError, match="no run to resume"):
        train(recipe(**FROZEN), tmp_path / "none", resume=True, progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_what_a_killed_writer_left_blocks_no_training(table, serve, tmp_path):
    serve(table)
    for name in (".primum-draft-4194303-abcdefgh-recipe.yaml", "splits.parquet", ".recipe-abcdefgh.yaml"):
        (tmp_path / name).write_text("half")
    train(recipe(**FROZEN), tmp_path, progress=False)
    assert (tmp_path / "network.json").is_file()


def test_two_trainings_of_one_folder_are_kept_apart(table, serve, tmp_path, monkeypatch):
    serve(table)
    monkeypatch.setattr("primum.model.train.PATIENCE", 0.0)
    with locks.alone(tmp_path), pytest.raises(InputError, match="another primum is writing here"):
        train(recipe(**FROZEN), tmp_path, progress=False)


@pytest.mark.parametrize("mode", [{}, FROZEN], ids=["trained", "frozen"])
def test_a_corrupt_image_stops_before_training_or_is_left_out(folder_table, serve, tmp_path, mode):
    serve(folder_table)
    (folder_table.root / "c012.png").write_bytes(b"not a picture")  # a val image
    asked, out = recipe(training__epochs=1, **mode), tmp_path / "run"
    with pytest.raises(CorruptImageError, match=r"c012\.png"):
        train(asked, out, progress=False)
    assert not out.exists()
    train(asked, out, skip_corrupt=True, progress=False)
    assert pl.read_csv(out / "skipped.csv")["id"].to_list() == ["c012"]
    val = tables.read(out / "predictions" / "val.parquet")
    assert "c012" not in val.ids.to_list()
    assert len(val) == len(folder_table.split("val")) - 1


def test_training_needs_train_and_val(table, serve, tmp_path):
    serve(table.take(np.flatnonzero((table.cases["split"] != "val").to_numpy())))
    with pytest.raises(InputError, match="split 'val'"):
        train(recipe(**FROZEN), tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()


def test_severity_of_other_classes_is_refused_before_training(table, serve, tmp_path):
    serve(table)
    loss = {"name": "risk_calibrated", "severity": "isic2018"}
    with pytest.raises(InputError, match="class names must match"):
        train(recipe(loss=loss, **FROZEN), tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()


def test_bfloat16_is_close_and_named_in_the_card(table, serve, tmp_path):
    serve(table)
    out = train(
        recipe(training__precision="bf16-mixed", training__epochs=1), tmp_path / "run", progress=False
    )
    network = backbone.load(out)
    assert network.card.precision == "bf16-mixed"
    low = predict(network, table.split("test"), progress=False)
    stored = tables.read(out / "predictions" / "test.parquet")
    np.testing.assert_allclose(low.logits, stored.logits, atol=0.05)
    assert low.logits.dtype == np.float32


@pytest.mark.parametrize("mode", [{}, FROZEN], ids=["trained", "frozen"])
def test_copies_of_judged_images_are_left_out_and_listed(table, serve, tmp_path, mode):
    split = table.cases["split"].to_numpy()
    fit, val, cal, test = (np.flatnonzero(split == name) for name in SPLITS)
    for copy, of in ((fit[0], test[0]), (cal[1], test[0]), (fit[3], val[0]), (val[2], cal[2])):
        table.pixels[copy] = table.pixels[of]
    serve(table)
    asked = recipe(training__epochs=1, data__drop_leaks=True, **mode)
    out = train(asked, tmp_path / "run", progress=False)
    ids = table.cases["id"]
    listed = pl.read_csv(out / "dropped.csv")
    assert listed["id"].to_list() == [ids[int(row)] for row in sorted((fit[0], fit[3], cal[1]))]
    found = {name: tables.read(out / "predictions" / f"{name}.parquet") for name in SPLITS}
    assert {name: len(part) for name, part in found.items()} == {
        "train": len(fit) - 2, "val": len(val), "cal": len(cal) - 1, "test": len(test),
    }  # fmt: skip
    assert not set(listed["id"]) & {name for part in found.values() for name in part.ids}
    assert found["test"].source["dropped"] == {"train": 2, "val": 0, "cal": 1}
    warned = audit(out / "predictions" / "test.parquet", bootstrap=100).finding("dropped_copies")
    assert "2 train and 1 cal images were left out" in warned.why
    plain = train(recipe(training__epochs=1, **mode), tmp_path / "plain", progress=False)
    assert "dropped" not in tables.read(plain / "predictions" / "test.parquet").source
    assert not (plain / "dropped.csv").exists()
    assert len(list((tmp_path / ".features").glob("*.npy"))) == (1 if mode else 0)  # both read one file
