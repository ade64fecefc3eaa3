"""A folder of small valid inputs of every kind, for changing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import yaml
from PIL import Image

from tests.conftest import CLASSES, made_table

# Stands as patient and as id in every table; no sentence may hold it.
PATIENT, CASE = "DOE^JANE 19450321", "MRN4711"

SEVERITY = {
    "classes": list(CLASSES),
    "groups": {"benign": list(CLASSES[:2]), "malignant": list(CLASSES[2:])},
    "cost": {"fine": 1, "false_alarm": 2, "critical": 10},
    "critical": [["malignant", "benign"]],
    "defer": 0.5,
    "unit": "points",
}
LIMITS = {"cer": {"max": 0.05}, "accuracy": {"min": 0.7, "max": 1.0}}
ABOUT = {"intended_use": "second reading", "external_test": True, "funding": "none"}
RECIPE = {
    "name": "small",
    "data": {"name": "folder", "root": "images", "seed": 1, "leave_out": None},
    "network": {"name": "resnet10t", "weights": "none", "image_size": 32, "trunk": "trained"},
    "loss": {"name": "risk_calibrated", "form": "expected", "strength": 10, "severity": "severity.yaml"},
    "training": {"epochs": 1, "batch_size": 8, "learning_rate": 0.001, "monitor": "val_loss"},
    "confidnet": {"epochs": 1},
    "seed": 0,
}
BENCH = {
    "name": "bench",
    "data": {"skin": {"name": "ham10000", "severity": "severity.yaml"}},
    "networks": {"small": {"name": "resnet10t", "image_size": 32}},
    "losses": {
        "cross-entropy": {"name": "cross_entropy"},
        "risk": {"name": "risk_calibrated", "strength": [1]},
    },
    "training": {"epochs": 1},
    "seeds": [0, 1],
}
SCORES = {
    "name": "scores",
    "data": {
        "skin": {
            "name": "ham10000", "severity": "severity.yaml", "leave_out": [{"site": "B"}],
            "corruptions": {"names": ["jpeg"], "intensities": [1]}, "elsewhere": [],
        }
    },
    "networks": {"small": {"name": "resnet10t", "image_size": 32}},
    "passes": 2,
    "scores": ["msr", "pe"],
    "seeds": [0],
}  # fmt: skip


def table(n: int, seed: int) -> pl.DataFrame:
    """Predictions whose patients and ids carry what no sentence may hold."""
    return made_table(n, seed).with_columns(
        id=CASE + "-" + pl.col("id"), patient=PATIENT + " " + pl.col("patient")
    )


def write(folder: Path) -> None:
    """Every valid input, by a name that the verbs know."""
    whole = table(80, 0).with_columns(
        id=pl.int_range(pl.len()).map_elements(lambda i: f"{CASE}-{i}", pl.String)
    )
    test, cal = whole.filter(split="test"), whole.filter(split="cal")
    test.write_csv(folder / "test.csv")
    test.write_parquet(folder / "test.parquet")
    cal.write_parquet(folder / "cal.parquet")
    other = test.with_columns(prob_naevus=pl.col("prob_keratosis"), prob_keratosis=pl.col("prob_naevus"))
    other.write_parquet(folder / "other.parquet")
    arrays = {
        "probs": test.select(pl.col("^prob_.*$")).to_numpy(),
        "labels": test["label"].to_numpy().astype(str),
        "classes": np.array(CLASSES),
        "ids": test["id"].to_numpy().astype(str),
        "patient": test["patient"].to_numpy().astype(str),
    }
    np.savez(folder / "test.npz", **arrays)
    test.select("id", "label").write_csv(folder / "truth.csv")
    for name, content in {
        "severity": SEVERITY, "limits": LIMITS, "about": ABOUT, "recipe": RECIPE, "bench": BENCH,
        "scores": SCORES,
    }.items():  # fmt: skip
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    matrix = np.ones((4, 4)) - np.eye(4)
    pl.DataFrame({"": CLASSES, **dict(zip(CLASSES, matrix.T, strict=True))}).write_csv(
        folder / "severity.csv"
    )
    _images(folder)
    _results(folder / "fd")


def _images(folder: Path) -> None:
    rng = np.random.default_rng(0)
    lines = ["path,label,patient,site,split"]
    for row in range(24):
        label, split = (
            ("benign", "malignant")[row % 2],
            ("train", "train", "val", "cal", "test", "test")[row // 4],
        )
        place = folder / "images" / split / label
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)).save(place / f"{row}.png")
        lines.append(f"images/{split}/{label}/{row}.png,{label},{PATIENT} {row},A,{split}")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")


def _results(folder: Path) -> None:
    """A result folder of fd-shifts."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    labels, index = rng.integers(0, 3, 30), np.repeat([0, 1], 15)
    np.savez(folder / "raw_logits.npz", np.column_stack([rng.normal(size=(30, 3)) * 4, labels, index]))
    np.savez(folder / "external_confids.npz", rng.random(30))
    np.savez(folder / "encoded_output.npz", np.column_stack([rng.normal(size=(30, 5)), index]))


def train(folder: Path) -> None:
    """A finished run of a small network on the manifest."""
    from primum.model.recipe import Recipe
    from primum.model.train import train as run

    content = {
        "name": "run",
        "data": {"name": "manifest", "root": "manifest.csv"},
        "network": {"name": "mobilenetv3_small_050", "image_size": 32},
        "training": {"epochs": 1, "batch_size": 8, "precision": "32-true"},
    }
    run(Recipe.parse(content), folder / "run", progress=False)
