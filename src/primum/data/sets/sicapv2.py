"""SICAPv2 (Silva-Rodríguez et al., 2020): patches of prostate biopsies, benign or Gleason grade 3, 4, 5.

Names of data sets: ``sicapv2``, and ``sicapv2_val1`` to ``sicapv2_val4`` for the official validation folds.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import polars as pl

from primum.core import check
from primum.core.check import InputError, MissingExtraError
from primum.data.images import ImageTable, at_root, files_of
from primum.data.sets.data_set import DataSet
from primum.data.split import assign, completed, leaks

CLASSES = ("NC", "G3", "G4", "G5")
OFFICIAL = "partition/Test"
FOLDS = (1, 2, 3, 4)
SLIDE = r"^(.+)_Block_Region_"


def load(fold: int | None, root: Path | None, seed: int) -> ImageTable:
    """The data set under ``root`` (``docs/methods.md#data-sets``): slide as patient, splits by the
    official spreadsheets.

    Test is ``partition/Test/Test.xlsx`` always. Without a fold, val and cal are cut from
    ``partition/Test/Train.xlsx`` by slide. With one, val is ``partition/Validation/Val<fold>/Test.xlsx`` and
    cal is cut from its ``Train.xlsx``. ``cribriform`` marks the patches with a cribriform pattern of grade 4
    (column G4C), where the spreadsheets have it.

    Args:
        fold: 1 to 4, or None.
        root: ``SICAPv2``, or the folder that holds it.
        seed: of what is cut.

    Raises:
        InputError: for another layout, a label that is not one-hot, an image that is named and not there, or
            a slide in two official lists.
        MissingExtraError: without the reader of spreadsheets.
    """
    folder = at_root(root or Path(), "SICAPv2", OFFICIAL)
    chosen = OFFICIAL if fold is None else f"partition/Validation/Val{fold}"
    lists = {"train": f"{chosen}/Train.xlsx", "test": f"{OFFICIAL}/Test.xlsx"}
    if fold is not None:
        lists["val"] = f"{chosen}/Test.xlsx"
    files = {file.name for file in files_of(folder / "images")}
    parts = []
    for split, name in lists.items():
        cases = graded(_sheet(folder / name, name), name)
        missing = cases.filter(~pl.col("id").is_in(files))
        if len(missing):
            raise InputError(
                f"{name}: {len(cases)} patches were expected in {folder.name}/images, {len(missing)} are "
                f"missing, {missing['id'][0]} for one; complete the download"
            )
        parts.append(cases.with_columns(pl.lit(split).alias("split")))
    cases = pl.concat(parts, how="diagonal")
    shared = leaks(cases)
    if shared:
        raise InputError(
            f"{folder.name}/{chosen}: no slide may stand in two of the lists, {len(shared)} do; "
            "use the spreadsheets as they were released"
        )
    labels, slides, official = (
        cases[column].to_numpy().astype(str) for column in ("label", "patient", "split")
    )
    cases = cases.with_columns(
        pl.Series(
            "split", completed(official, lambda rows, of: assign(labels[rows], slides[rows], seed, of))
        ),
        pl.lit(None, pl.String).alias("site"),
        path=pl.format("images/{}", "id"),
    )
    return ImageTable("sicapv2" if fold is None else f"sicapv2_val{fold}", CLASSES, cases, folder)


def graded(sheet: pl.DataFrame, where: str) -> pl.DataFrame:
    """``id``, ``label``, ``patient`` (slide) and ``cribriform`` of each row of an official spreadsheet.

    Raises:
        InputError: for a missing column, a row that is not one-hot, or a name without a slide.
    """
    for column in ("image_name", *CLASSES):
        check.one_of(column, sheet.columns, f"{where}: column")
    marks = sheet.select(pl.col(CLASSES).cast(pl.Float64, strict=False)).to_numpy()
    wrong = np.flatnonzero(~(np.isin(marks, (0, 1)).all(axis=1) & (marks.sum(axis=1) == 1)))
    if len(wrong):
        raise InputError(
            f"{where}: one 1 among {', '.join(CLASSES)} and 0 elsewhere were expected in each row, "
            f"row {wrong[0] + 2} has none or several"
        )
    name = pl.col("image_name").cast(pl.String)
    cases = sheet.select(
        name.alias("id"),
        pl.Series("label", np.array(CLASSES)[marks.argmax(axis=1)]),
        name.str.extract(SLIDE).alias("patient"),
        *([(pl.col("G4C") == 1).alias("cribriform")] if "G4C" in sheet.columns else []),
    )
    nameless = cases.filter(pl.col("patient").is_null())
    if len(nameless):
        raise InputError(
            f"{where}: <slide>_Block_Region_….jpg was expected as image_name, {nameless['id'][0]} arrived"
        )
    return cases


def _sheet(path: Path, where: str) -> pl.DataFrame:
    if not path.is_file():
        raise InputError(f"{path}: a spreadsheet of the official partition was expected here, there is none")
    try:
        return pl.read_excel(path, engine="openpyxl")
    except ModuleNotFoundError:
        raise MissingExtraError("reading spreadsheets needs openpyxl: pip install 'primum[train]'") from None
    except (OSError, ValueError, KeyError, SyntaxError, BadZipFile, pl.exceptions.PolarsError):
        raise InputError(
            f"{where}: a spreadsheet (.xlsx) with a table was expected, it does not read"
        ) from None


TEST = {"NC": 644, "G3": 393, "G4": 853, "G5": 232}
DATA_SET = DataSet(
    {"sicapv2": partial(load, None)} | {f"sicapv2_val{fold}": partial(load, fold) for fold in FOLDS},
    summary="prostate biopsies, patches",
    classes=CLASSES,
    needs="images/*, partition/**/*.xlsx",
    licence="CC BY 4.0, Silva-Rodríguez et al. 2020",
    severity="sicapv2",
    counts={
        "sicapv2": {"train": {"NC": 3773, "G3": 1829, "G4": 3641, "G5": 716}, "test": TEST},
        **{f"sicapv2_val{fold}": {"test": TEST} for fold in FOLDS},
    },
)
