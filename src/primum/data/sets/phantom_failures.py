"""Made lesions with every kind of failure put in on purpose, to see whether the kinds are told apart.

The lesions, their exact posterior and their images are those of :mod:`primum.data.sets.phantom`; splits,
label noise and the marker are dealt anew, and one look of melanoma occurs in test alone.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from primum.core.arrays import Bools, Bytes
from primum.data.images import ImageTable
from primum.data.sets import phantom
from primum.data.sets.data_set import DataSet
from primum.data.sets.phantom import CLASSES, LATENTS, MEANS, PRIORS
from primum.data.split import assign

PATIENTS = 2_000
SPLITS = {"test": 7, "val": 1, "cal": 3, "train": 9}
LABEL_NOISE, PALE = 0.05, 0.4
MARKER_SICK, MARKER_WELL, MARKER_TEST = 0.7, 0.15, 0.4
RULER_TOP = -12


def load(root: Path | None, seed: int) -> ImageTable:
    """About 4,000 images of 64 × 64 RGB pixels from 2,000 patients; 35 % of the patients are test.

    Recorded per image: what :func:`primum.data.sets.phantom.load` records, with 5 % of labels flipped in
    every split, a ``marker`` on 70 % of malignant and 15 % of benign images outside test and on 40 % of all
    in test, and ``pale``: 40 % of the melanomas in test, and no other image, are lighter than their skin.

    Args:
        root: not used; nothing is read.
        seed: the same seed gives the same images.
    """
    rng = np.random.default_rng([seed, 4])
    patient = np.repeat(np.arange(PATIENTS), rng.integers(1, 4, PATIENTS))
    n = len(patient)
    true = rng.choice(4, n, p=PRIORS)
    latents = MEANS[true] + rng.normal(size=(n, len(LATENTS)))
    probs = phantom.posterior(latents)
    noisy = rng.random(n) < LABEL_NOISE
    label = np.where(noisy, (true + rng.integers(1, 4, n)) % 4, true)
    site = rng.integers(0, 2, PATIENTS)[patient]
    names = np.array(CLASSES)
    people = np.array([f"patient-{number:04d}" for number in patient])
    test = (split := assign(names[true], people, seed, SPLITS)) == "test"
    marker = rng.random(n) < np.where(test, MARKER_TEST, np.where(true >= 2, MARKER_SICK, MARKER_WELL))
    pale = test & (true == CLASSES.index("melanoma")) & (rng.random(n) < PALE)
    cases = pl.DataFrame(
        {
            "id": [f"phantom-failures-{seed}-{number:05d}" for number in range(n)],
            "label": names[label],
            "patient": people,
            "site": np.array(["A", "B"])[site],
            "split": split,
            "path": pl.Series([None] * n, dtype=pl.String),
            "true_label": names[true],
            "label_noise": noisy,
            "marker": marker,
            "pale": pale,
            "ambiguity": 1 - probs.max(axis=1),
            **{f"posterior_{name}": probs[:, k] for k, name in enumerate(CLASSES)},
            **{name: latents[:, k] for k, name in enumerate(LATENTS)},
        }
    )
    table = ImageTable("phantom_failures", CLASSES, cases)
    return replace(table, pixels=pixels(table, seed, marker))


def pixels(table: ImageTable, seed: int, marker: Bools) -> Bytes:
    """(N, 64, 64, 3) images of a whole table loaded with ``seed``, the marker where ``marker`` (N,) says.

    With ``~table.cases["marker"]`` every image is the same but for the marker: what the network would have
    answered without it, or with it.
    """
    latents = table.cases.select(LATENTS).to_numpy()
    site = (table.cases["site"] == "B").to_numpy().astype(np.int64)
    images = phantom.draw(latents, marker, site, np.random.default_rng([seed, 5]))
    pale = table.cases["pale"].to_numpy()
    skin = np.median(images[pale, :4].reshape(pale.sum(), -1, 3), axis=1)[:, None, None, :]
    lesion = images[pale, :RULER_TOP].astype(np.float64)
    images[pale, :RULER_TOP] = np.clip(skin + 0.5 * (skin - lesion), 0, 255).astype(np.uint8)
    return images


DATA_SET = DataSet(
    {"phantom_failures": load},
    summary="made lesions with every kind of failure, each put in on purpose",
    classes=CLASSES,
    needs="",
    licence=phantom.DATA_SET.licence,
    severity="phantom",
)
