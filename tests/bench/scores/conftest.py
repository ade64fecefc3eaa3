"""A bench of scores whose runs were asked already: made answers in the place of trained networks."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import yaml

from primum import tables
from primum.bench.scores import plan as plans
from primum.bench.scores.names import gambled
from primum.bench.scores.plan import GAMBLERS
from primum.data.images import ImageTable
from primum.judge.confidence import RANKED, Evidence, Fit, confidences
from primum.predictions import Predictions

CLASSES = ("naevus", "keratosis", "melanoma", "carcinoma")  # those of the phantom
CELLS = (
    ["melanoma", "naevus"],
    ["melanoma", "keratosis"],
    ["carcinoma", "naevus"],
    ["carcinoma", "keratosis"],
)
PASSES = 4


def few_images():
    """160 images whose colour hints at the class, of two sites and every split: the data set of the file."""
    splits = ("train", "train", "val", "cal", "test")
    rng = np.random.default_rng(0)
    hue = np.array([[200, 90, 60], [60, 200, 90], [90, 60, 200], [150, 150, 60]])[np.arange(160) // 40]
    pixels = np.clip(hue[:, None, None] + rng.normal(0, 60, (160, 32, 32, 3)), 0, 255).astype(np.uint8)
    cases = pl.DataFrame(
        {
            "id": [f"i{i:03d}" for i in range(160)], "label": [CLASSES[i // 40] for i in range(160)],
            "patient": [f"p{i:03d}" for i in range(160)], "site": ["AB"[i // 10 % 2] for i in range(160)],
            "split": [splits[i % 5] for i in range(160)], "path": [None] * 160,
        },
        schema_overrides={"path": pl.String},
    )  # fmt: skip
    return ImageTable("few", CLASSES, cases, None, pixels)


@pytest.fixture(autouse=True, scope="package")
def made_data():
    """The data set of the bench file is made at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("primum.data.sets.load", lambda name, root=None, seed=0: few_images())
        yield


def content():
    """A bench file of one data set, two seeds, one corruption at two intensities and one source left out."""
    return {
        "name": "made",
        "data": {
            "one": {
                "name": "phantom", "severity": "phantom",
                "corruptions": {"names": ["gaussian_noise"], "intensities": [1, 4]},
                "leave_out": [{"site": "B"}],
            }
        },
        "networks": {"tiny": {"name": "resnet10t", "trunk": "frozen", "image_size": 32, "dropout": 0.3}},
        "training": {"epochs": 6},
        "confidnet": {"epochs": 1},
        "deep_gamblers": {"pretraining": 1},
        "passes": PASSES,
        "seeds": [0, 1],
    }  # fmt: skip


def answered(run, shift):
    """Stored answers: less is known of the label where the shift is strong; some scores do not apply."""
    strong = {"fit": 0, "iid": 0, "left_out": 3}.get(shift.kind, shift.level)
    rng = np.random.default_rng([len(shift.kind if shift.level is None else "corruption"), 7])
    n = 160 if shift.kind == "fit" else 120
    labels = rng.choice(4, n, p=[0.4, 0.2, 0.2, 0.2])
    own = np.random.default_rng([run.seed, len(run.loss), strong, n, run.variant is None])
    logits = own.normal(size=(n, 4)) + (2.4 - 0.3 * strong) * np.eye(4)[labels]
    mean = logits + own.normal(scale=0.2, size=(n, 4))
    plain = Predictions(
        ids=pl.Series([f"{shift.kind[:1]}{i:03d}" for i in range(n)]),
        classes=CLASSES,
        labels=labels,
        logits=logits,
        metadata=pl.DataFrame({"patient": [f"{shift.kind[:1]}{i // 2}" for i in range(n)]}),
        name=shift.name,
    )
    if run.loss == GAMBLERS:
        scores = {"dg": own.random(n), "dg_mcd_msr": plain.probs.max(axis=1)}
        missing = {}
    else:
        passed = {f"mcd_{k}": plain.probs.max(axis=1) ** (2 + i) for i, k in enumerate(("msr", "pe", "mi"))}
        outside = {
            **passed,
            "confidnet": own.random(n),
            "mcd_ee": own.random(n),
            "mcd_variance": own.random(n),
        }
        fit = Fit(plain.logits, plain.labels, plain.correct, {"msr": plain.probs.max(axis=1)})
        evidence = Evidence(plain.probs, plain.logits, None, outside, None, fit)
        found, missing = confidences(evidence, tuple(name for name in RANKED if not gambled(name)))
        scores = {name: found[name] for name in found if name in RANKED}
    metadata = plain.metadata.with_columns(
        pl.Series("mcd_answer", np.array(CLASSES)[mean.argmax(axis=1)]), pl.lit(shift.name).alias("shift")
    )
    source = {"not_applicable": missing, "mc_dropout": {"passes": PASSES}}
    return replace(plain, scores=scores, metadata=metadata, source=source)


def finish(run, out):
    """A run's folder as training leaves it."""
    folder = out / run.folder
    (folder / "predictions").mkdir(parents=True)
    (folder / "recipe.yaml").write_text(run.recipe.to_yaml())
    for split in ("train", "val", "cal", "test"):
        tables.write(
            replace(answered(run, run.shifts[0]), scores={}), folder / "predictions" / f"{split}.parquet"
        )
    (folder / "network.json").write_text(json.dumps({"schema": "primum.network/1"}))


def asked(folder):
    """The bench file, the plan, and the folder in which every run was trained and asked about everything."""
    file, out = folder / "bench.yaml", folder / "out"
    file.write_text(yaml.safe_dump(content()))
    plan = plans.read(file)
    for run in plan.runs:
        finish(run, out)
        for shift in run.shifts:
            tables.write(answered(run, shift), run.stored(out, shift))
    return file, plan, out


@pytest.fixture
def done(tmp_path):
    return asked(tmp_path)
