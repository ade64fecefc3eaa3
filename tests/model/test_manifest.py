"""From a manifest to predictions: several channels, and as many classes as one likes."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from PIL import Image

from primum import tables
from primum.data.sets import load
from primum.model.predict import predict
from primum.model.train import train
from tests.model.made import recipe


@pytest.mark.parametrize(("classes", "channels", "trunk"), [(2, 5, "trained"), (60, 1, "frozen")])
def test_a_network_is_trained_and_asked(tmp_path, classes, channels, trunk):
    rng, listed = np.random.default_rng(0), []
    for row in range(max(60, 8 * classes)):
        label = row % classes
        names = [f"{row:03d}-{channel}.png" for channel in range(channels)]
        for name in names:
            grey = rng.integers(0, 40, (20, 24)) + 215 * label // classes
            Image.fromarray(grey.astype(np.uint8)).save(tmp_path / name)
        cell = {"channels": ";".join(names), "patient": f"p{row // 2}", "label": f"{label:04d}"}
        listed.append(cell | {"age": row})
    pl.DataFrame(listed).write_csv(tmp_path / "list.csv")
    asked = recipe(
        data={"name": "manifest", "root": str(tmp_path / "list.csv")}, network__trunk=trunk,
        training__epochs=1, seed=1,
    )  # fmt: skip
    run = train(asked, tmp_path / "run", progress=False)
    found = tables.read(run / "predictions" / "test.parquet")
    assert found.classes == tuple(f"{k:04d}" for k in range(classes))
    assert {"path", "channels", "age", "patient"} <= set(found.metadata.columns)
    assert len(json.loads((run / "network.json").read_text())["transform"]["mean"]) == channels
    again = predict(
        run, load("manifest", tmp_path / "list.csv", asked.data.seed).split("test"), progress=False
    )
    np.testing.assert_allclose(again.logits, found.logits, atol=1e-4)
