"""Brain Tumor MRI (Nickparvar): four classes, official Training and Testing folders, no patient numbers.

Many images stand in the set twice, also across the official split. Patients are unknown, so copies (same
bytes) are one group. The official test set stays whole: ``twin_in_train`` marks its images that have a copy
among the training files, and those copies stay in train, so that val and cal hold no file of the test set.
Altered copies (other contrast or sharpness) are split as if they were other images: ``primum data check``
finds them, and ``data.drop_leaks`` of a recipe leaves them out.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import polars as pl

from primum.data.images import ImageTable, at_root, files_of
from primum.data.sets.data_set import DataSet
from primum.data.split import assign

CLASSES = ("glioma", "meningioma", "notumor", "pituitary")


def load(root: Path | None, seed: int) -> ImageTable:
    """The data set under ``root`` (``docs/methods.md#data-sets``); val and cal are cut from Training.

    Raises:
        InputError: when the official folders are not there.
    """
    folder = at_root(root or Path(), "brain_tumor_mri", "Training")
    rows = []
    for part, official in (("Training", "train"), ("Testing", "test")):
        for label in CLASSES:
            for file in files_of(folder / part / label):
                content = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
                rows.append((f"{part}/{label}/{file.name}", label, content, official))
    cases = pl.DataFrame(rows, schema=["id", "label", "patient", "split"], orient="row")
    pool = (cases["split"] == "train").to_numpy()
    split = cases["split"].to_numpy().astype(object)
    patient = cases["patient"].to_numpy()
    twins = set(patient[pool]) & set(patient[~pool])
    twin = np.array([group in twins for group in patient])
    free = pool & ~twin
    split[free] = assign(cases["label"].to_numpy()[free], patient[free], seed)
    cases = cases.with_columns(
        pl.Series("split", split.astype(str)),
        pl.Series("twin_in_train", twin & ~pool),
        pl.lit(None, pl.String).alias("site"),
        path=pl.col("id"),
    )
    return ImageTable("brain_tumor_mri", CLASSES, cases, folder)


DATA_SET = DataSet(
    {"brain_tumor_mri": load},
    summary="brain MRI, slices",
    classes=CLASSES,
    needs="Training/CLASS/*, Testing/CLASS/*",
    licence="CC0 as listed, Nickparvar on Kaggle",
    severity="brain_tumor_mri",
    patients=False,
    counts={
        "brain_tumor_mri": {
            "train": {"glioma": 1321, "meningioma": 1339, "notumor": 1595, "pituitary": 1457},
            "test": {"glioma": 300, "meningioma": 306, "notumor": 405, "pituitary": 300},
        }
    },
)
