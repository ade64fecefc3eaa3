"""Trainings with every loss, on a made table."""

import csv
import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.numpy import load_file

from primum import severity, tables
from primum.core.check import InputError
from primum.model import fit as fitting
from primum.model import train as training
from primum.model.losses import ClassWeightedLoss, RiskCalibratedLoss
from primum.model.losses.learning import held_out, learning, risks
from primum.model.recipe import Recipe
from primum.model.train import train
from tests.model.made import CLASSES, recipe

FROZEN = {"network__trunk": "frozen"}
CONFUSION = {"name": "risk_calibrated", "form": "confusion", "strength": 4}


def asked(loss, severity_file, **changes):
    return recipe(loss=loss | {"severity": str(severity_file)}, **(FROZEN | changes))


def val_losses(out):
    rows = []
    for part in sorted(out.glob("log/part-*/metrics.csv")):
        with part.open() as lines:
            rows += [float(row["val_loss"]) for row in csv.DictReader(lines) if row.get("val_loss")]
    return rows


def with_risk(table, values=None):
    values = pl.Series("urgency", 0.5 + np.arange(len(table)) % 5 if values is None else values)
    return replace(table, cases=table.cases.with_columns(values))


@pytest.mark.parametrize(
    "loss",
    [
        {"name": "class_weighted"},
        {"name": "focal", "gamma": 1.5},
        {"name": "label_smoothing"},
        {"name": "risk_calibrated", "base": "class_weighted", "risk": "urgency"},
        {"name": "risk_calibrated", "form": "weighted", "base": "focal"},
        CONFUSION | {"base": "label_smoothing", "half": "fine"},
        {"name": "hierarchical"},
        {"name": "logit_adjusted"},
    ],
    ids=lambda loss: f"{loss['name']}-{loss.get('form', '')}",
)
def test_a_training_with_each_loss_says_how_to_undo_it(table, serve, severity_file, tmp_path, loss):
    serve(with_risk(table))
    wanted = asked(loss, severity_file, training__epochs=1)
    out = train(wanted, tmp_path / "run", progress=False)
    val = tables.read(out / "predictions" / "val.parquet")
    said = json.loads(json.dumps(val.source))["loss"]
    filled = wanted.loss.model_dump(exclude_none=True, exclude={"severity"})
    assert filled.items() <= said.items()
    trained_on = loss["name"] in ("risk_calibrated", "hierarchical", "logit_adjusted")
    assert (said["severity"] is not None) == trained_on
    assert (said["weights"] is not None) == ("class_weighted" in loss.values())
    assert (val.source["trained_on"]["held_out"] > 0) == (loss.get("form") == "confusion")

    if loss.get("form") != "confusion":  # the loss logged is the loss of the answers stored
        matrix = severity.read(severity_file).ordered(CLASSES, "made")
        counts = np.bincount(table.split("train").label_index, minlength=3)
        risk = [torch.tensor(val.metadata["urgency"].to_list())] if "risk" in loss else []
        found = wanted.loss.build(counts, matrix)(
            torch.tensor(np.array(val.logits)), torch.tensor(np.array(val.labels)), *risk
        )
        assert found.item() == pytest.approx(val_losses(out)[0], rel=1e-4)


def test_the_images_held_out_are_not_trained_on(table, serve, severity_file, tmp_path, monkeypatch):
    serve(table)
    met, loader = [], training.loader

    def remember(rows, *rest):
        met.append(rows.rows)
        return loader(rows, *rest)

    monkeypatch.setattr(training, "loader", remember)
    train(asked(CONFUSION, severity_file, training__epochs=1), tmp_path / "run", progress=False)
    trained, val, held = (set(rows.tolist()) for rows in met)
    split = table.cases["split"].to_numpy()
    assert trained | held == set(np.flatnonzero(split == "train").tolist())
    assert val == set(np.flatnonzero(split == "val").tolist())
    assert not trained & held
    patients = table.cases["patient"].to_numpy()
    assert not set(patients[list(trained)]) & set(patients[list(held)])
    assert len(held) == pytest.approx(0.1 * len(trained | held), abs=4)  # of 24 patients, two in some parts


@pytest.mark.parametrize("mode", [{"network__trunk": "trained"}, FROZEN], ids=["trained", "frozen"])
def test_what_was_confused_is_observed_each_epoch_and_survives_a_resume(
    table, serve, severity_file, tmp_path, monkeypatch, mode
):
    serve(table)
    wanted = asked(CONFUSION, severity_file, training__epochs=3, **mode)
    seen, observe = [], fitting.Fit.on_validation_epoch_end

    def watch(self):
        held = [logits for logits, *_ in self.observed]
        observe(self)
        assert held
        seen.append(self.loss.confusion.average.clone())

    monkeypatch.setattr(fitting.Fit, "on_validation_epoch_end", watch)
    straight = train(wanted, tmp_path / "straight", progress=False)
    assert len(seen) == 3
    assert not torch.equal(seen[0], seen[1])

    step = fitting.Fit.training_step

    def cut(self, batch, batch_idx):
        if self.current_epoch == 1 and batch_idx == 1:
            raise KeyboardInterrupt
        return step(self, batch, batch_idx)

    monkeypatch.setattr(fitting.Fit, "training_step", cut)
    with pytest.raises(KeyboardInterrupt):
        train(wanted, tmp_path / "run", progress=False)
    monkeypatch.setattr(fitting.Fit, "training_step", step)
    out = train(wanted, tmp_path / "run", resume=True, progress=False)
    assert all(torch.equal(a, b) for a, b in zip(seen[:3], seen[3:], strict=True))
    assert val_losses(out) == val_losses(straight)
    first, second = (load_file(path / "network.safetensors") for path in (straight, out))
    for key, value in first.items():
        np.testing.assert_array_equal(second[key], value, err_msg=key)


def test_a_slice_is_a_tenth_of_the_patients_decided_by_the_seed(table):
    rows = np.flatnonzero((table.cases["split"] == "train").to_numpy())
    kept, held = held_out(table, rows, 0)
    assert sorted([*kept, *held]) == rows.tolist()
    np.testing.assert_array_equal(held_out(table, rows, 0)[1], held)
    assert held_out(table, rows, 1)[1].tolist() != held.tolist()
    nameless = replace(table, cases=table.cases.with_columns(patient=pl.lit(None, pl.String)))
    assert len(held_out(nameless, rows, 0)[1]) == pytest.approx(len(rows) / 10, abs=2)
    with pytest.raises(InputError, match="at least 20 of them, 5 arrived"):
        held_out(table, rows[:10], 0)


def test_counts_are_those_of_the_images_trained_on(table, severity_file):
    matrix = severity.read(severity_file).ordered(CLASSES, "made")
    rows = {name: np.flatnonzero((table.cases["split"] == name).to_numpy()) for name in ("train", "val")}
    found = learning(asked(CONFUSION | {"base": "class_weighted"}, severity_file), table, rows, matrix)
    counts = np.bincount(table.label_index[found.train], minlength=3)
    assert found.weights == ClassWeightedLoss(counts).weights.tolist()
    assert isinstance(found.loss, RiskCalibratedLoss)
    assert len(found.train) < len(rows["train"])


def test_risks_are_read_from_numbers_and_their_text(table):
    rows = np.arange(10)
    np.testing.assert_array_equal(
        risks(with_risk(table), "urgency", rows)[:12], [0.5, 1.5, 2.5, 3.5, 4.5] * 2 + [1, 1]
    )
    text = with_risk(table, [str(i + 1) for i in range(len(table))])
    np.testing.assert_array_equal(risks(text, "urgency", rows)[:10], np.arange(10) + 1)


@pytest.mark.parametrize("bad", [None, 0.0, -1.0, float("nan"), float("inf")])
def test_a_risk_that_is_missing_or_not_positive_is_refused(table, serve, severity_file, tmp_path, bad):
    values = [1.0] * len(table)
    values[3] = values[4] = bad
    serve(with_risk(table, values))
    loss = {"name": "risk_calibrated", "risk": "urgency"}
    with pytest.raises(InputError, match=r"2 of .* do not, first .* in row 4; write 1"):
        train(asked(loss, severity_file), tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("column", "says"),
    [("urgent", "did you mean 'urgency'"), ("site", "positive number"), ("odd", "positive")],
)
def test_a_column_that_holds_no_risk_is_refused(table, column, says):
    odd = replace(table, cases=with_risk(table).cases.with_columns(odd=pl.lit(True)))
    with pytest.raises(InputError, match=says):
        risks(odd, column, np.arange(10))


@pytest.mark.parametrize("loss", [CONFUSION, {"name": "hierarchical"}], ids=["confusion", "hierarchical"])
def test_a_severity_without_critical_cells_is_refused_before_training(table, serve, tmp_path, loss):
    serve(table)
    path = tmp_path / "plain.csv"
    path.write_text(",naevus,melanoma,carcinoma\nnaevus,0,1,1\nmelanoma,9,0,1\ncarcinoma,9,1,0\n")
    with pytest.raises(InputError, match=r"plain\.csv: .*critical"):
        train(asked(loss, path), tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()


def test_a_class_without_training_images_has_no_weight(table, serve, tmp_path):
    lone = (table.cases["label"] != "melanoma") | (table.cases["split"] != "train")
    serve(table.take(lone.to_numpy()))
    with pytest.raises(InputError, match="at least one training case"):
        train(recipe(loss={"name": "class_weighted"}, **FROZEN), tmp_path / "run", progress=False)


def test_a_loss_built_without_the_severity_it_needs_is_refused():
    section = Recipe.parse(
        {"data": {"name": "phantom"}, "network": {"name": "resnet18"},
         "loss": {"name": "hierarchical", "severity": "phantom"}}
    ).loss  # fmt: skip
    with pytest.raises(InputError, match="hierarchical needs a severity"):
        section.build(np.ones(3, dtype=np.int64), None)
