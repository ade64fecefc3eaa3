"""A bench whose runs are there already: made logits in the place of trained networks."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
import yaml

from primum import tables
from primum.bench.losses import plan as plans
from primum.core.files import whole
from primum.predictions import Predictions

CLASSES = ("cyst", "tumour", "naevus")
SEVERITY = {
    "classes": list(CLASSES),
    "groups": {"malignant": ["tumour"], "benign": ["cyst", "naevus"]},
    "cost": {"fine": 1, "false_alarm": 2, "critical": 10},
    "critical": [["malignant", "benign"]],
}
SIZES = {"train": 20, "val": 150, "cal": 300, "test": 240}
SHARPNESS = {"plain": 1.0, "risky strength=1": 0.6, "risky strength=10": 2.5}


def content(severity):
    """A bench file of two losses, one of them with two strengths, and two seeds."""
    return {
        "name": "made",
        "data": {"one": {"name": "phantom", "severity": str(severity)}},
        "networks": {"tiny": {"name": "resnet10t", "trunk": "frozen", "image_size": 32}},
        "losses": {
            "plain": {"name": "cross_entropy"},
            "risky": {"name": "risk_calibrated", "form": "weighted", "strength": [1, 10]},
        },
        "training": {"epochs": 1},
        "seeds": [0, 1],
        "reference": "plain",
    }


def answered(run, split):
    """Predictions that know more of the label the sharper their loss is called here."""
    rng = np.random.default_rng(["train", "val", "cal", "test"].index(split))
    n = SIZES[split]
    labels = rng.choice(3, n, p=[0.4, 0.2, 0.4])
    noise = np.random.default_rng([run.seed, n, len(run.strength)]).normal(size=(n, 3))
    sharpness = SHARPNESS[" ".join(part for part in (run.loss, run.strength) if part)]
    metadata = {"patient": [f"{split}{i // 2}" for i in range(n)], "split": [split] * n}
    return Predictions(
        ids=pl.Series([f"{split}-{i:03d}" for i in range(n)]),
        classes=CLASSES,
        labels=labels,
        logits=noise + sharpness * np.eye(3)[labels],
        metadata=pl.DataFrame(metadata),
        name=split,
    )


@pytest.fixture
def severity_file(tmp_path):
    path = tmp_path / "made.yaml"
    path.write_text(yaml.safe_dump(SEVERITY))
    return path


@pytest.fixture
def bench_file(tmp_path, severity_file):
    path = tmp_path / "bench.yaml"
    path.write_text(yaml.safe_dump(content(severity_file)))
    return path


@pytest.fixture
def done(tmp_path, bench_file):
    """The plan, and the folder in which every run of it is finished."""
    plan, out = plans.read(bench_file), tmp_path / "out"
    for run in plan.runs:
        folder = out / run.folder
        (folder / "predictions").mkdir(parents=True)
        (folder / "recipe.yaml").write_text(run.recipe.to_yaml())
        for split in SIZES:
            with whole(folder / "predictions" / f"{split}.parquet") as draft:
                tables.write(answered(run, split), draft)
        (folder / "network.json").write_text(json.dumps({"schema": "primum.network/1"}))
    return plan, out
