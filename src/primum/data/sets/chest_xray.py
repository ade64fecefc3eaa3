"""Chest X-ray (Kermany et al.): normal or pneumonia, children of one hospital, official test split.

``chest_xray_subtypes`` tells bacterial from viral pneumonia on the same images in the same splits.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import polars as pl

from primum.core.check import InputError
from primum.data.images import ImageTable, at_root, files_of
from primum.data.sets.data_set import DataSet
from primum.data.split import assign

CLASSES = ("NORMAL", "PNEUMONIA")
SUBTYPES = {"normal": "normal", "bacteria": "bacterial", "virus": "viral"}
SITE = "guangzhou"
SICK = re.compile(r"person\d+_(bacteria|virus)")
HEALTHY = re.compile(r"(?:NORMAL2-)?IM-\d+")


def load(root: Path | None, seed: int) -> ImageTable:
    """The data set under ``root`` (``docs/methods.md#data-sets``).

    ``patient`` is ``personN_bacteria``, ``personN_virus`` or the ``IM-…`` number: bare person numbers restart
    between train and test. The official val of 16 images is too small to choose anything by, so train and
    val are pooled and cut anew; ``official_split`` keeps what they were. ``subtype`` is normal, bacteria or
    virus.

    Raises:
        InputError: when the official folders are not there, or a file is named otherwise.
    """
    folder = at_root(root or Path(), "chest_xray", "train")
    rows = []
    for official in ("train", "val", "test"):
        for label in CLASSES:
            for file in files_of(folder / official / label):
                patient, subtype = names(file.name)
                rows.append((f"{official}/{label}/{file.name}", label, patient, official, subtype))
    schema = ["id", "label", "patient", "official_split", "subtype"]
    cases = pl.DataFrame(rows, schema=schema, orient="row")
    pool = (cases["official_split"] != "test").to_numpy()
    split = cases["official_split"].to_numpy().astype(object)
    split[pool] = assign(cases["label"].to_numpy()[pool], cases["patient"].to_numpy()[pool], seed)
    cases = cases.with_columns(
        pl.Series("split", split.astype(str)), pl.lit(SITE).alias("site"), path=pl.col("id")
    )
    return ImageTable("chest_xray", CLASSES, cases, folder)


def load_subtypes(root: Path | None, seed: int) -> ImageTable:
    """The same images and splits with the classes normal, bacterial and viral.

    Bacterial and viral pneumonia look alike: confusing them is visual ambiguity, calling either normal is
    the error that matters. A network of these classes may be compared with one of two classes, case by case.

    Raises:
        InputError: as :func:`load`.
    """
    table = load(root, seed)
    cases = table.cases.with_columns(pl.col("subtype").replace_strict(SUBTYPES).alias("label"))
    return replace(table, name="chest_xray_subtypes", classes=tuple(SUBTYPES.values()), cases=cases)


def names(file: str) -> tuple[str, str]:
    """Patient and subtype that a file name tells."""
    sick = SICK.match(file)
    if sick:
        return sick[0], sick[1]
    healthy = HEALTHY.match(file)
    if healthy:
        return healthy[0], "normal"
    raise InputError(f"chest_xray: personN_bacteria_…, personN_virus_… or IM-… was expected, {file} arrived")


DATA_SET = DataSet(
    {"chest_xray": load},
    summary="chest X-ray of children",
    classes=CLASSES,
    needs="train, val, test: CLASS/*",
    licence="CC BY 4.0, Kermany et al. 2018",
    severity="chest_xray",
    counts={
        "chest_xray": {
            "train": {"NORMAL": 1341, "PNEUMONIA": 3875},
            "val": {"NORMAL": 8, "PNEUMONIA": 8},
            "test": {"NORMAL": 234, "PNEUMONIA": 390},
        }
    },
)
SUBTYPES_DATA_SET = DataSet(
    {"chest_xray_subtypes": load_subtypes},
    summary="the same, by kind of pneumonia",
    classes=tuple(SUBTYPES.values()),
    needs="as chest_xray",
    licence=DATA_SET.licence,
    severity="chest_xray_subtypes",
    counts={
        "chest_xray_subtypes": {
            "train": {"normal": 1341, "bacterial": 2530, "viral": 1345},
            "val": {"normal": 8, "bacterial": 8},
            "test": {"normal": 234, "bacterial": 242, "viral": 148},
        }
    },
)
