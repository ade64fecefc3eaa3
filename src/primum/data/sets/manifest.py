"""A CSV that names every image: its file or files, its label, and what else is known of it."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path, PureWindowsPath

import numpy as np
import polars as pl

from primum.core import check, columns, delimited, files, names
from primum.core.check import InputError
from primum.data.images import CHANNELS, SEPARATOR, ImageTable
from primum.data.sets.data_set import OWN, DataSet
from primum.data.sets.folder import SPLIT_NAMES, splits
from primum.data.split import leaks

TEXT = ("id", "path", CHANNELS, "label", "patient", "site", "split")
TAKEN = ("decision", "logits", "passes", "embedding")
TAKEN_PREFIXES = ("prob_", "logit_", "score_")


def load(root: Path | None, seed: int) -> ImageTable:
    """The images that a CSV names (``docs/formats.md``); paths are relative to its folder.

    Splits that a column gives stay; where only train and test are given, val and cal are cut from train;
    without the column all four are cut, by a hash of each patient: rows that are added later move no other.
    Patients are kept together, and refused where given splits part them.

    Args:
        root: the CSV itself.
        seed: of the splits that are cut.

    Raises:
        InputError: for missing columns, files that are not there or lie outside the folder, ids or files
            that stand twice, unknown splits, or fewer than two classes.
    """
    file = files.existing(root or Path(), "a manifest (CSV)")
    folder, name = file.parent, file.name
    cases = _with_paths(_read(file), folder, name)
    cases = cases.with_columns(
        pl.col(column) if column in cases.columns else pl.lit(None, pl.String).alias(column)
        for column in ("id", "patient", "site", "split")
    )
    if cases["id"].null_count() == len(cases):
        cases = cases.with_columns(id=pl.col("path"))
    for column, noun in (("path", "a path"), ("id", "an id")):
        _once(cases[column], noun, name)
    cases = cases.with_columns(pl.col("patient").fill_null(pl.col("id")))
    classes = tuple(cases["label"].drop_nulls().unique().sort().to_list())
    if len(classes) < 2:
        labels = check.describe(classes, ()) if classes else "none"
        raise InputError(f"{name}: labels of at least two classes are needed, {labels} arrived")
    cases = cases.with_columns(pl.Series("split", _splits(cases, seed, name)))
    first = ("id", "label", "patient", "site", "split", "path")
    extra = [column for column in cases.columns if column not in first]
    return ImageTable("manifest", classes, cases.select(*first, *extra), folder)


def _read(file: Path) -> pl.DataFrame:
    """The rows as text, but for further columns; blanks around are dropped, empty cells are null."""
    cases = delimited.frame(file, "a manifest (CSV)", lambda column: column in TEXT)
    titles = cases.columns
    if "label" not in titles or not {"path", CHANNELS} & set(titles):
        lacking = "label" if "label" not in titles else "path"
        raise InputError(
            f"{file.name}: a manifest needs the columns path (or {CHANNELS}) and label, {lacking} is missing"
            f"{check.nearest(lacking, titles)} among {columns.titles(cases, 12)}"
        )
    taken = [column for column in titles if column in TAKEN or column.startswith(TAKEN_PREFIXES)]
    if taken:
        raise InputError(
            f"{file.name}: the column {taken[0]} has the name of an answer in a table of predictions; "
            "rename it"
        )
    text = pl.col(pl.String).str.strip_chars()
    cases = cases.with_columns(pl.when(text != "").then(text).name.keep())
    spelled = [column for column in TEXT if column in cases.columns and column not in ("path", CHANNELS)]
    return cases.with_columns(names.settled(cases[column]) for column in spelled)


def _with_paths(cases: pl.DataFrame, folder: Path, name: str) -> pl.DataFrame:
    """``path``, and ``channels`` where there are any, checked and written in one way."""
    if CHANNELS in cases.columns:
        lists = [_normal(cell or "", name, row, CHANNELS) for row, cell in enumerate(cases[CHANNELS])]
        odd = next((row for row, paths in enumerate(lists) if len(paths) != len(lists[0])), None)
        if odd is not None:
            raise InputError(
                f"{name}: every row needs the same number of channels, row 1 has {len(lists[0])}, "
                f"row {odd + 1} has {len(lists[odd])}"
            )
        stated = cases["path"] if "path" in cases.columns else [None] * len(cases)
        for row, (path, paths) in enumerate(zip(stated, lists, strict=True)):
            if path is not None and posixpath.normpath(path) != paths[0]:
                raise InputError(
                    f"{name}: beside {CHANNELS} the path is empty or the first channel, another file arrived "
                    f"in row {row + 1}; name all files of the image under {CHANNELS}"
                )
        cases = cases.with_columns(
            pl.Series(CHANNELS, [SEPARATOR.join(paths) for paths in lists]),
            pl.Series("path", [paths[0] for paths in lists]),
        )
    else:
        lists = [[_inside(cell or "", name, row, "path")] for row, cell in enumerate(cases["path"])]
        cases = cases.with_columns(pl.Series("path", [paths[0] for paths in lists]))
    every = dict.fromkeys(path for paths in lists for path in paths)
    missing = [path for path in every if not os.path.isfile(folder / path)]
    if missing:
        row = next(row for row, paths in enumerate(lists) if missing[0] in paths)
        hint = "write / between folders" if "\\" in missing[0] else "paths start from the folder of the CSV"
        raise InputError(
            f"{name}: {len(every)} image files were expected, {len(missing)} are missing, "
            f"{check.path_name(missing[0], row)} for one; {hint}"
        )
    return cases


def _normal(cell: str, name: str, row: int, column: str) -> list[str]:
    return [_inside(part.strip(), name, row, column) for part in cell.split(SEPARATOR)]


def _inside(path: str, name: str, row: int, column: str) -> str:
    """The path without detours; refuses an empty one and one that leaves the folder."""
    if not path:
        raise InputError(f"{name}: every image needs a file, an empty {column} arrived in row {row + 1}")
    plain = posixpath.normpath(path)
    if plain.startswith(("/", "../")) or plain in ("..", ".") or PureWindowsPath(plain).drive:
        raise InputError(
            f"{name}: paths must be relative and stay inside the folder of the CSV, {path!r} arrived in row "
            f"{row + 1}; move the CSV above the images"
        )
    return plain


def _once(values: pl.Series, noun: str, name: str) -> None:
    if values.null_count():
        row = int(values.is_null().arg_max() or 0)
        raise InputError(f"{name}: every image needs {noun} or none does, row {row + 1} has none")
    twice = values.is_duplicated()
    if twice.any():
        first, second = np.flatnonzero((values == values[int(twice.arg_max() or 0)]).to_numpy())[:2]
        raise InputError(
            f"{name}: every image needs {noun} of its own, {len(values) - values.n_unique()} repeat one, "
            f"row {second + 1} that of row {first + 1}; leave one row per image"
        )


def _splits(cases: pl.DataFrame, seed: int, name: str) -> list[str]:
    stated = cases["split"].str.to_lowercase()
    for value in stated.drop_nulls().unique().sort():
        check.cell_of(value, tuple(SPLIT_NAMES), f"{name}: split")
    if 0 < stated.null_count() < len(stated):
        raise InputError(
            f"{name}: either every row names a split or none does, {stated.null_count()} of {len(stated)} "
            "are empty"
        )
    official = stated.replace_strict(SPLIT_NAMES, default="", return_dtype=pl.String)
    parted = leaks(cases.with_columns(official.alias("split")))
    if parted:
        raise InputError(
            f"{name}: a patient must lie in one split, {len(parted)} of {cases['patient'].n_unique()} lie in "
            "several; move them, or leave the column split out to have it cut by patient"
        )
    return splits(cases["patient"].to_numpy().astype(np.str_), official.to_numpy(), seed)


DATA_SET = DataSet(
    {"manifest": load},
    summary=OWN,
    classes=(),
    needs="a CSV with path and label, and patient where known",
    licence=OWN,
    severity=None,
    own_images=True,
)
