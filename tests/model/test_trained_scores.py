"""Scores that are trained with a network, ConfidNet and Deep Gamblers, from the recipe to the table."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from scipy.special import logsumexp, softmax
from sklearn.metrics import roc_auc_score
from torch import nn

from primum import tables
from primum.data import sets
from primum.data.sets.phantom import LATENTS
from primum.model import backbone, features, passes, regression, trained_scores
from primum.model.confidnet import ConfidNet, true_class
from primum.model.explain.run import explain
from primum.model.predict import predict
from primum.model.recipe import Recipe
from primum.model.train import train
from tests.model.made import CLASSES, recipe

FROZEN = {"network__trunk": "frozen"}
GAMBLING = {"name": "deep_gamblers", "reward": 2.5, "pretraining": 1}
SHORT = {"epochs": 2, "learning_rate": 0.01}
BOTH = SHORT | {"finetune_epochs": 1, "finetune_learning_rate": 1e-4}


def logged(out, column, stage="part"):
    rows = []
    for part in sorted(out.glob(f"log/{stage}-[0-9]*/metrics.csv")):
        with part.open() as lines:
            rows += [float(row[column]) for row in csv.DictReader(lines) if row.get(column)]
    return rows


def weights(out):
    return {file.name: load_file(file) for file in sorted(out.glob("*.safetensors"))}


def same(first, second):
    assert first.keys() == second.keys()
    for name, tensors in first.items():
        assert tensors.keys() == second[name].keys()
        for key, value in tensors.items():
            np.testing.assert_allclose(second[name][key], value, atol=1e-6, err_msg=f"{name} {key}")


def test_the_true_class_and_five_layers():
    logits = torch.log(torch.tensor([[0.2, 0.5, 0.3], [0.9, 0.05, 0.05]]))
    np.testing.assert_allclose(true_class(logits, torch.tensor([2, 0])), [0.3, 0.9], rtol=1e-6)
    confidnet = ConfidNet(7)
    shapes = [tuple(part.weight.shape) for part in confidnet.modules() if isinstance(part, nn.Linear)]
    assert shapes == [(400, 7), (400, 400), (400, 400), (400, 400), (1, 400)]
    seen = torch.randn(5, 7)
    told = seen.numpy()
    for layer in [part for part in confidnet.layers if isinstance(part, nn.Linear)]:
        before = told @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
        told = np.maximum(before, 0)
    np.testing.assert_allclose(confidnet(seen).detach(), 1 / (1 + np.exp(-before[:, 0])), rtol=1e-5)


@pytest.mark.parametrize("mode", [{}, FROZEN], ids=["trained", "frozen"])
def test_deep_gamblers_from_the_recipe_to_the_table(table, serve, tmp_path, mode):
    serve(table)
    asked = recipe(loss=GAMBLING, training__epochs=3, **mode)
    out = train(asked, tmp_path / "run", progress=False)
    network, stored = backbone.load(out), tables.read(out / "predictions" / "test.parquet")
    assert network.card.reservation
    assert stored.logits.shape[1] == 3
    assert stored.source["loss"]["reward"] == 2.5
    assert stored.notes == ()

    both = load_file(out / "network.safetensors")
    classes = stored.embeddings @ both["head.weight"].T + both["head.bias"]
    reserved = stored.embeddings @ both["reservation.weight"].T + both["reservation.bias"]
    np.testing.assert_allclose(stored.logits, classes, atol=1e-5)
    p = softmax(np.column_stack([classes, reserved]).astype(float), axis=1)
    assert list(stored.scores) == ["dg"]
    np.testing.assert_allclose(stored.scores["dg"], 1 - p[:, -1], atol=1e-6)

    again = predict(out, table.split("test"), progress=False)
    np.testing.assert_allclose(again.scores["dg"], stored.scores["dg"], atol=1e-5)

    # the loss logged is the gambling one, of the epoch kept
    val = tables.read(out / "predictions" / "val.parquet")
    outputs = np.column_stack([val.logits, np.zeros(len(val))]).astype(float)
    outputs[:, -1] = logsumexp(val.logits, axis=1) - np.log(val.scores["dg"] / (1 - val.scores["dg"]))
    p = softmax(outputs, axis=1)
    loss = -np.log(p[np.arange(len(p)), val.labels] + p[:, -1] / 2.5).mean()
    assert loss == pytest.approx(min(logged(out, "val_loss")[1:]), rel=1e-4)


@pytest.mark.parametrize("monitor", ["val_loss", "val_balanced_accuracy"])
def test_no_epoch_of_pretraining_is_kept_or_counted_against_patience(table, serve, tmp_path, monitor):
    serve(table)
    loss = GAMBLING | {"pretraining": 6, "reward": 1.2}
    asked = recipe(
        loss=loss, training__epochs=9, training__patience=1, training__monitor=monitor,
        training__learning_rate=0.05, **FROZEN,
    )  # fmt: skip
    out = train(asked, tmp_path / "run", progress=False)
    found = logged(out, monitor)
    assert len(found) > 6
    val = tables.read(out / "predictions" / "val.parquet")
    if monitor == "val_balanced_accuracy":
        recalls = [val.correct[val.labels == k].mean() for k in range(3)]
        assert np.mean(recalls) == pytest.approx(max(found[6:]), rel=1e-6)
    begun = load_file(out / "network.safetensors")["reservation.bias"]
    torch.manual_seed(asked.seed)
    fresh = backbone.build(asked.network.name, CLASSES, image_size=32, reservation=True)
    assert not np.allclose(begun, fresh.reservation.bias.detach().numpy()), "the reservation was trained"


def test_a_reward_above_the_number_of_classes_is_said_wherever_the_answers_go(table, serve, tmp_path, capsys):
    serve(table)
    asked = recipe(loss={"name": "deep_gamblers", "reward": 10, "pretraining": 0}, **FROZEN)
    out = train(asked, tmp_path / "run")
    assert "reward 10 for 3 classes" in " ".join(capsys.readouterr().err.split())
    stored = tables.read(out / "predictions" / "val.parquet")
    assert [note for note in stored.notes if "reward 10 for 3 classes" in note]
    assert predict(out, table.split("val"), progress=False).notes == stored.notes


@pytest.mark.parametrize(
    ("mode", "asked"), [(FROZEN, SHORT), ({}, SHORT), ({}, BOTH)], ids=["frozen", "trained", "finetuned"]
)
def test_a_confidnet_stands_beside_the_same_network(table, serve, tmp_path, mode, asked):
    serve(table)
    plain = weights(train(recipe(**mode), tmp_path / "plain", progress=False))
    out = train(recipe(confidnet=asked, **mode), tmp_path / "run", progress=False)
    found = weights(out)
    same(plain, {"network.safetensors": found["network.safetensors"]})
    assert {path.name for path in out.iterdir()} == {
        "splits.parquet", "recipe.yaml", "network.safetensors", "confidnet.safetensors", "network.json",
        "log", "predictions",
    }  # fmt: skip

    network = backbone.load(out)
    own = "finetune_epochs" in asked
    assert network.card.confidnet == ("own" if own else "network")
    moved = [
        key
        for key, value in network.trunk.state_dict().items()
        if own and not torch.equal(network.confidnet.trunk.state_dict()[key], value)
    ]
    assert bool(moved) == own
    assert not [key for key in moved if "running" in key or "num_batches" in key], "BatchNorm stood still"

    for split in ("train", "val", "cal", "test"):
        stored = tables.read(out / "predictions" / f"{split}.parquet")
        assert list(stored.scores) == ["confidnet"]
        again = predict(out, table.split(split), progress=False)
        np.testing.assert_allclose(again.scores["confidnet"], stored.scores["confidnet"], atol=1e-5)
    assert stored.source["confidnet"]["epochs"] == 2

    # what it tells, written out; and the error logged is that of the epoch kept
    val = tables.read(out / "predictions" / "val.parquet")
    pixels = torch.tensor(table.pixels[(table.cases["split"] == "val").to_numpy()]).permute(0, 3, 1, 2)
    with torch.no_grad():
        trunk = network.confidnet.trunk if own else network.trunk
        told = network.confidnet.layers(trunk(network.prepare(pixels)))[:, 0].sigmoid().numpy()
    np.testing.assert_allclose(val.scores["confidnet"], told, atol=1e-5)
    error = ((told - val.probs[np.arange(len(val)), val.labels]) ** 2).mean()
    stage = "confidnet-finetuned" if own else "confidnet"
    assert error == pytest.approx(min(logged(out, "val_loss", stage)), rel=1e-3)
    assert len(logged(out, "val_loss", "confidnet")) == 2


@pytest.mark.parametrize("stage", ["confidnet", "confidnet-finetuned"])
def test_an_interrupted_stage_resumes_to_the_same_confidnet(table, serve, tmp_path, monkeypatch, stage):
    serve(table)
    asked = recipe(confidnet=BOTH | {"finetune_epochs": 2})
    straight = weights(train(asked, tmp_path / "straight", progress=False))
    step = regression.Regression.training_step

    def cut(self, batch, batch_idx):
        if (self.part.trunk is not None) == (stage != "confidnet") and self.current_epoch == 1 and batch_idx:
            raise KeyboardInterrupt
        return step(self, batch, batch_idx)

    monkeypatch.setattr(regression.Regression, "training_step", cut)
    out = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        train(asked, out, progress=False)
    assert not (out / "network.json").exists()
    assert (out / "checkpoints" / stage / "last.ckpt").exists()
    monkeypatch.setattr(regression.Regression, "training_step", step)
    train(asked, out, resume=True, progress=False)
    same(straight, weights(out))
    assert len(logged(out, "val_loss", stage)) == 2
    assert not (out / "checkpoints").exists()


def test_dropout_is_on_in_the_first_stage_and_off_in_the_second(table, serve, tmp_path, monkeypatch):
    serve(table)
    met, errors = {}, regression.Regression._errors

    def watch(self, inputs, labels):
        network, asking = self.asked[0], torch.is_grad_enabled()
        with torch.no_grad():
            twice = [network.dropout(torch.ones(2, 50)) for _ in range(2)]
        key = (self.part.trunk is not None, not asking)
        met.setdefault(key, set()).add(bool((twice[0] != 1).any()))
        assert not any(part.training for part in (*network.modules(), *self.part.modules())) or key[1]
        return errors(self, inputs, labels)

    monkeypatch.setattr(regression.Regression, "_errors", watch)
    train(recipe(confidnet=BOTH, network__dropout=0.5), tmp_path / "run", progress=False)
    first, watched, second, watched_again = (False, False), (False, True), (True, False), (True, True)
    assert met == {first: {True}, watched: {False}, second: {False}, watched_again: {False}}


def both(name="mobilenetv3_small_050", side=32, own=True, **rest):
    """An untrained network with reservation and ConfidNet, each answering otherwise from case to case."""
    torch.manual_seed(0)
    network = backbone.build(name, CLASSES, image_size=side, dropout=0.4, reservation=True, **rest).eval()
    trunk = backbone.build(name, CLASSES, image_size=side, **rest).eval().trunk if own else None
    network.confidnet = ConfidNet(network.head.in_features, trunk).eval()
    network.card = replace(network.card, confidnet="own" if own else "network")
    with torch.no_grad():
        for part in (network.head, network.reservation, *network.confidnet.layers[::2]):
            part.weight *= 4
    return network


@pytest.mark.parametrize("own", [False, True])
def test_passes_written_out(table, own):
    network, few = both(own=own), table.take(np.arange(7))
    found = predict(network, few, progress=False, passes=4, seed=3)
    plain = predict(network, few, progress=False)
    assert list(found.scores)[-4:] == ["dg_mcd_msr", "mcd_confidnet", "dg", "confidnet"]
    for name in ("dg", "confidnet"):
        np.testing.assert_allclose(found.scores[name], plain.scores[name], atol=1e-6)
    head, reservation = ([value.detach().numpy() for value in part.parameters()] for part in
                         (network.head, network.reservation))  # fmt: skip
    pixels = torch.tensor(few.pixels).permute(0, 3, 1, 2)
    with torch.no_grad():
        read = network.confidnet.trunk(network.prepare(pixels)).numpy() if own else plain.embeddings
    betting, told = [], []
    for nth in range(4):
        kept = np.random.default_rng([3, nth, 1]).random((1, read.shape[1]), dtype=np.float32) >= 0.4
        seen = plain.embeddings * kept / 0.6
        outputs = np.column_stack([seen @ head[0].T + head[1], seen @ reservation[0].T + reservation[1]])
        betting.append(softmax(outputs.astype(float), axis=1)[:, :3])
        with torch.no_grad():
            told.append(network.confidnet.layers(torch.tensor(read * kept / 0.6).float())[:, 0].sigmoid())
    np.testing.assert_allclose(found.scores["dg_mcd_msr"], np.mean(betting, axis=0).max(axis=1), atol=1e-5)
    np.testing.assert_allclose(found.scores["mcd_confidnet"], np.mean(told, axis=0), atol=1e-5)
    assert np.ptp(found.scores["mcd_confidnet"]) > 0
    assert np.abs(found.scores["mcd_confidnet"] - found.scores["confidnet"]).max() > 1e-4


@pytest.mark.parametrize("own", [False, True])
def test_with_dropout_in_the_trunk_and_changed_images(table, tmp_path, own):
    network = both("test_vit", own=own, trunk_dropout=0.2)
    backbone.save(network, tmp_path)
    network, few = backbone.load(tmp_path), table.take(np.arange(66))
    found = predict(network, few, progress=False, passes=3, tta=True)
    assert found.source["mc_dropout"]["where"] == "trunk and head"
    alone = predict(network, few.take(np.array([65])), progress=False, passes=3, tta=True)
    assert set(alone.scores) >= {"dg", "dg_mcd_msr", "confidnet", "mcd_confidnet", "mcd_msr", "tta_msr"}
    for name, score in alone.scores.items():
        np.testing.assert_allclose(score[0], found.scores[name][65], atol=1e-5, err_msg=name)
    if own:  # both trunks lose the same units
        network.confidnet.trunk.load_state_dict(network.trunk.state_dict())
        twin = predict(network, few, progress=False, passes=3).scores["mcd_confidnet"]
        network.confidnet.trunk = None
        read = predict(network, few, progress=False, passes=3).scores["mcd_confidnet"]
        np.testing.assert_allclose(twin, read, atol=1e-6)


def test_the_trunk_with_dropout_and_the_gambling_head_train_together(table, serve, tmp_path):
    serve(table)
    asked = recipe(
        network={"name": "test_vit", "image_size": 32, "trunk_dropout": 0.1},
        loss=GAMBLING, confidnet=BOTH | {"epochs": 1}, training__epochs=2,
    )  # fmt: skip
    out = train(asked, tmp_path / "run", progress=False)
    stored = tables.read(out / "predictions" / "test.parquet")
    again = predict(out, table.split("test"), progress=False)
    for name in ("dg", "confidnet"):
        np.testing.assert_allclose(again.scores[name], stored.scores[name], atol=1e-5)
    explained = explain(out, table.split("test"), tmp_path / "explained.parquet", progress=False)
    np.testing.assert_allclose(explained.scores["confidnet"], stored.scores["confidnet"], atol=1e-5)


def test_networks_from_before_still_load_and_a_missing_confidnet_is_named(tmp_path, refused):
    network = backbone.build("mobilenetv3_small_050", CLASSES, image_size=32)
    backbone.save(network, tmp_path)
    card = tmp_path / "network.json"
    content = json.loads(card.read_text())
    assert (content.pop("reservation"), content.pop("confidnet")) == (False, "")
    card.write_text(json.dumps(content))
    assert backbone.load(tmp_path).reservation is None
    card.write_text(json.dumps(content | {"confidnet": "network"}))
    refused(lambda: backbone.load(tmp_path), "confidnet.safetensors")
    card.write_text(json.dumps(content | {"confidnet": "networks"}))
    refused(lambda: backbone.load(tmp_path), "confidnet: Input should be '', 'network' or 'own'")


def test_a_stored_fine_tuned_trunk_comes_back(tmp_path, table):
    network = both()
    backbone.save(network, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "network.json", "network.safetensors", "confidnet.safetensors",
    }  # fmt: skip
    assert not [key for key in load_file(tmp_path / "network.safetensors") if key.startswith("confidnet")]
    first, second = (predict(one, table, progress=False).scores for one in (network, tmp_path))
    for name, score in first.items():
        np.testing.assert_allclose(second[name], score, atol=1e-6)


def test_many_rows_are_asked_in_parts(monkeypatch):
    network = both(own=False)
    found = np.random.default_rng(0).normal(size=(23, network.head.in_features)).astype(np.float32)
    whole = trained_scores.scores(network, found)
    monkeypatch.setattr(trained_scores, "AT_ONCE", 5)
    for name, score in trained_scores.scores(network, found).items():
        np.testing.assert_allclose(score, whole[name], atol=1e-6)
        assert score.shape == (23,)


def test_on_the_phantom_both_tell_failures_from_right_answers(tmp_path, monkeypatch):
    """The latents its images are drawn from stand in for their features, so that the posterior is exact."""
    whole = sets.load("phantom", None, 0)
    monkeypatch.setattr("primum.data.sets.load", lambda name, root=None, seed=0: whole)
    latents = whole.cases.select(LATENTS).to_numpy().astype(np.float32)
    wide = np.concatenate([latents, np.zeros((len(whole), 1019), dtype=np.float32)], axis=1)
    monkeypatch.setattr(features, "cached", lambda *given, **rest: wide)
    asked = Recipe.parse(
        {
            "data": {"name": "phantom"},
            "network": {"name": "mobilenetv3_small_050", "image_size": 32, "trunk": "frozen"},
            "loss": {"name": "deep_gamblers", "pretraining": 4},
            "training": {"epochs": 10, "batch_size": 128, "learning_rate": 0.05},
            "confidnet": {"epochs": 6, "learning_rate": 1e-3},
        }
    )
    out = train(asked, tmp_path / "run", progress=False)
    test = tables.read(out / "predictions" / "test.parquet")
    exact = test.metadata.select(f"posterior_{name}" for name in test.classes).to_numpy()
    best = roc_auc_score(test.correct, exact.max(axis=1))
    assert 0.6 < test.correct.mean() < 0.95
    assert best > 0.7
    for name in ("dg", "confidnet"):
        # chance is 0.5, with a standard deviation of about 0.03 for the cases there are
        assert roc_auc_score(test.correct, test.scores[name]) > 0.62, name
    told = test.scores["confidnet"] - test.probs[np.arange(len(test)), test.labels]
    assert (told**2).mean() < 0.9 * test.probs[np.arange(len(test)), test.labels].var(), "more than the mean"


def test_passes_and_features_agree_with_what_was_there_before():
    network = both(own=False)
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 3, 32, 32), dtype=np.uint8))
    with torch.inference_mode():
        found, where = features.embed_batch(network, images), passes.places(network)
        logits = list(passes.logits(network, images, found, where=where, count=3, seed=0))
        seen = list(passes.head_inputs(network, images, found, where=where, count=3, seed=0))
        for first, second in zip(logits, seen, strict=True):
            torch.testing.assert_close(first, network.head(second))
