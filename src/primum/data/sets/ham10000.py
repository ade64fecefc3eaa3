"""HAM10000 (training set of ISIC 2018 task 3), with the official test set when it lies beside it.

``ham10000_malignancy`` asks of HAM10000 alone whether a lesion is benign or malignant; the same is asked of
the official test set alone by ``isic2018_malignancy``, images of elsewhere for networks trained on HAM10000.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from primum.core import files
from primum.core.check import InputError
from primum.data.images import ImageTable, at_root, files_of
from primum.data.sets.data_set import DataSet
from primum.data.split import WITH_TEST, WITHOUT_TEST, assign

CLASSES = ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")
MALIGNANT = ("MEL", "BCC", "AKIEC")
SIDES = ("benign", "malignant")
METADATA = "HAM10000_metadata.csv"
TRUTH = "ISIC2018_Task3_Test_GroundTruth.csv"
MASK = "{id}_segmentation.png"
COLUMNS = ("dx_type", "age", "sex", "localization")


def load(root: Path | None, seed: int) -> ImageTable:
    """The data set under ``root`` (``docs/methods.md#data-sets``): lesion as patient, clinic as site.

    Where there is a folder ``masks``, a column ``mask`` holds the path of each image's lesion mask, or null.

    Where a folder ``isic2018_test`` lies beside ``ham10000`` it is the test split (its lesions are unknown,
    each image counts as one); otherwise lesions are held out for test.

    Raises:
        InputError: when the metadata or the images are not there.
    """
    folder = files.real(at_root(root or Path(), "ham10000", METADATA))
    official = folder.parent / "isic2018_test"
    with_test = (official / TRUTH).exists()
    cases = _train(folder)
    labels, lesions = cases["label"].to_numpy(), cases["patient"].to_numpy()
    twentieths = WITH_TEST if with_test else WITHOUT_TEST
    cases = cases.with_columns(pl.Series("split", assign(labels, lesions, seed, twentieths)))
    if with_test:
        cases = pl.concat([cases, _test(official)], how="diagonal")
    return ImageTable("ham10000", CLASSES, cases, folder.parent)


def load_malignancy(root: Path | None, seed: int) -> ImageTable:
    """The 10,015 images of HAM10000, benign or malignant; ``dx`` keeps the diagnosis.

    All four splits are cut by lesion, stratified by diagnosis: the official test set is sharper and of
    unknown sources, so it would not be a test of the same distribution. ``site`` is the source (rosendahl,
    vidir_modern, vidir_molemax, vienna_dias), ``dx`` as in the metadata (akiec, bcc, bkl, df, mel, nv, vasc).

    Raises:
        InputError: as :func:`load`.
    """
    folder = files.real(at_root(root or Path(), "ham10000", METADATA))
    cases = _train(folder)
    split = assign(cases["label"].to_numpy(), cases["patient"].to_numpy(), seed, WITHOUT_TEST)
    return ImageTable(
        "ham10000_malignancy", SIDES, _by_side(cases.with_columns(pl.Series("split", split))), folder.parent
    )


def load_official_malignancy(root: Path | None, seed: int) -> ImageTable:
    """The 1,512 official test images of ISIC 2018 task 3, benign or malignant, all of them test.

    Raises:
        InputError: when truth or images are not there.
    """
    folder = files.real(at_root(root or Path(), "isic2018_test", TRUTH))
    return ImageTable("isic2018_malignancy", SIDES, _by_side(_test(folder)), folder.parent)


def _by_side(cases: pl.DataFrame) -> pl.DataFrame:
    side = pl.when(pl.col("label").is_in(MALIGNANT)).then(pl.lit("malignant")).otherwise(pl.lit("benign"))
    return cases.with_columns(label=side, dx=pl.col("label").str.to_lowercase())


def _train(folder: Path) -> pl.DataFrame:
    metadata = _read(folder / METADATA, ("image_id", "dx", "lesion_id", "dataset", *COLUMNS))
    files = {file.stem: file.name for file in files_of(folder / "images")}
    missing = metadata.filter(~pl.col("image_id").is_in(list(files)))
    if len(missing):
        raise InputError(
            f"{folder.name}/images: {len(metadata)} images of the metadata were expected, "
            f"{len(missing)} are missing, {missing['image_id'][0]} for one; complete the download"
        )
    cases = metadata.select(
        pl.col("image_id").alias("id"),
        pl.col("dx").str.to_uppercase().alias("label"),
        pl.col("lesion_id").alias("patient"),
        pl.col("dataset").alias("site"),
        pl.lit("train").alias("official_split"),
        pl.col("image_id").replace_strict(files).map_elements(
            lambda name: f"{folder.name}/images/{name}", return_dtype=pl.String
        ).alias("path"),
        *COLUMNS,
    )  # fmt: skip
    return _with_masks(cases, folder)


def _read(path: Path, columns: Sequence[str]) -> pl.DataFrame:
    """The rows of a table of the release; refuses what is no such table."""
    files.existing(path, "a table of the release")
    try:
        table = pl.read_csv(path, null_values=[""])
    except (OSError, pl.exceptions.PolarsError):
        raise InputError(f"{path}: a table of the release was expected, it does not read") from None
    if lacking := [column for column in columns if column not in table.columns]:
        raise InputError(f"{path}: a table of the release was expected, it lacks {', '.join(lacking)}")
    return table


def _with_masks(cases: pl.DataFrame, folder: Path) -> pl.DataFrame:
    if not (folder / "masks").is_dir():
        return cases
    masks = {file.name for file in files_of(folder / "masks")}
    names = (MASK.format(id=case) for case in cases["id"])
    paths = [f"{folder.name}/masks/{name}" if name in masks else None for name in names]
    return cases.with_columns(pl.Series("mask", paths, dtype=pl.String))


def _test(folder: Path) -> pl.DataFrame:
    truth = _read(folder / TRUTH, ("image", *CLASSES))
    files = {file.stem: file.name for file in files_of(folder / "images")}
    label = pl.coalesce(pl.when(pl.col(name) == 1).then(pl.lit(name)) for name in CLASSES)
    cases = truth.select(pl.col("image").alias("id"), label.alias("label")).filter(
        pl.col("id").is_in(list(files))
    )
    if len(cases) != len(truth):
        raise InputError(f"isic2018_test/images: {len(truth)} images were expected, {len(cases)} are there")
    return cases.with_columns(
        pl.col("id").alias("patient"),
        pl.lit("isic2018_test").alias("site"),
        pl.lit("test").alias("split"),
        pl.lit("test").alias("official_split"),
        pl.Series("path", [f"isic2018_test/images/{files[name]}" for name in cases["id"]]),
    )


DATA_SET = DataSet(
    {"ham10000": load},
    summary="skin lesions, ISIC 2018 task 3",
    classes=CLASSES,
    needs="HAM10000_metadata.csv, images/*; isic2018_test beside it for the official test set",
    licence="CC BY-NC 4.0, Tschandl et al. 2018",
    severity="isic2018",
    counts={
        "ham10000": {
            "train": dict(zip(CLASSES, (1113, 6705, 514, 327, 1099, 115, 142), strict=True)),
            "test": dict(zip(CLASSES, (171, 909, 93, 43, 217, 44, 35), strict=True)),
        }
    },
)
MALIGNANCY_DATA_SET = DataSet(
    {"ham10000_malignancy": load_malignancy},
    summary="HAM10000 alone, benign or malignant",
    classes=SIDES,
    needs="HAM10000_metadata.csv, images/*",
    licence=DATA_SET.licence,
    severity="ham10000_malignancy",
    counts={"ham10000_malignancy": {"train": {"benign": 8061, "malignant": 1954}}},
)
OFFICIAL_DATA_SET = DataSet(
    {"isic2018_malignancy": load_official_malignancy},
    summary="official test of ISIC 2018 task 3 alone, benign or malignant",
    classes=SIDES,
    needs="ISIC2018_Task3_Test_GroundTruth.csv, images/*",
    licence=DATA_SET.licence,
    severity="ham10000_malignancy",
    counts={"isic2018_malignancy": {"test": {"benign": 1205, "malignant": 307}}},
)
