"""Brain Tumor MRI (Nickparvar): four classes, official Training and Testing folders, no patient numbers.

Many images stand in the set twice, also across the official split. Patients are unknown, so copies (same
bytes) are one group: train, val and cal share none. The official test set stays whole; ``twin_in_train``
marks its images that have a copy among the training files, so that a report can leave them out.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import polars as pl

from primum.data.images import ImageTable, at_root, files_of
from primum.data.split import assign

CLASSES = ("glioma", "meningioma", "notumor", "pituitary")


def load(root: Path | None, seed: int) -> ImageTable:
    """The data set under ``root`` (METHODS §1); val and cal are cut from Training.

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
    split[pool] = assign(cases["label"].to_numpy()[pool], cases["patient"].to_numpy()[pool], seed)
    known = set(cases["patient"].to_numpy()[pool])
    twin = [
        official == "test" and group in known for group, official in cases.select("patient", "split").rows()
    ]
    # a copy in the test set is counted as a case of its own there: no patient stands in two splits
    patient = np.where(
        pool, cases["patient"].to_numpy(), "test-" + cases["patient"].to_numpy().astype(object)
    )
    cases = cases.with_columns(
        pl.Series("split", split.astype(str)),
        pl.Series("patient", patient.astype(str)),
        pl.Series("twin_in_train", twin),
        pl.lit(None, pl.String).alias("site"),
        path=pl.col("id"),
    )
    return ImageTable("brain_tumor_mri", CLASSES, cases, folder)
