"""Chest X-ray of another hospital: 500 normal and 500 pneumonia of NIH ChestX-ray8, mostly adults.

The classes are those of ``chest_xray``, so that a network trained there can be judged here. The labels were
mined from radiology reports (Wang et al., CVPR 2017), so some are wrong; the selection is that of Talo et al.
"""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from primum.core.check import InputError
from primum.data.images import ImageTable, at_root, files_of
from primum.data.sets.chest_xray import CLASSES
from primum.data.sets.data_set import DataSet

NAME = re.compile(r"(\d{8})_\d{3}\.")
SITE = "nih"


def load(root: Path | None, seed: int) -> ImageTable:
    """The data set under ``root``, folders NORMAL and PNEUMONIA; every image is in the split test.

    ``patient`` is the number before the underscore; one patient may have images of both classes.

    Args:
        root: the folder, or the one that holds it under the name chest_xray_nih.
        seed: not used; nothing is cut.

    Raises:
        InputError: when a folder is not there, or a file is named otherwise.
    """
    folder = at_root(root or Path(), "chest_xray_nih", "NORMAL")
    rows = [
        (f"{label}/{file.name}", label, patient(file.name))
        for label in CLASSES
        for file in files_of(folder / label)
    ]
    cases = pl.DataFrame(rows, schema=["id", "label", "patient"], orient="row").with_columns(
        pl.lit(SITE).alias("site"), pl.lit("test").alias("split"), path=pl.col("id")
    )
    return ImageTable("chest_xray_nih", CLASSES, cases, folder)


def patient(file: str) -> str:
    """Patient number that a file name tells."""
    match = NAME.match(file)
    if match is None:
        raise InputError(f"chest_xray_nih: 00001234_000.jpg or the like was expected, {file} arrived")
    return match[1]


DATA_SET = DataSet(
    {"chest_xray_nih": load},
    summary="chest X-ray, adults, another hospital",
    classes=CLASSES,
    needs="NORMAL/*, PNEUMONIA/*",
    licence="free with credit to the NIH, selection of Talo et al.",
    severity="chest_xray",
    counts={"chest_xray_nih": {"test": {"NORMAL": 500, "PNEUMONIA": 500}}},
)
