"""The images of a run: loaded, in their splits, and held against what was written down when it began."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from primum.core import delimited
from primum.core.check import InputError
from primum.data import cohort, sets
from primum.data.cohort import Cohort
from primum.data.images import CorruptImageError, ImageTable
from primum.data.leaving_out import held_out, marked
from primum.model.images import unreadable
from primum.model.recipe import Recipe
from primum.model.run_split import as_ever

SKIPPED = {"id": pl.String, "why": pl.String}


@dataclass(frozen=True, eq=False)
class Material:
    """What a run works on.

    Attributes:
        table: its images, each in a split.
        dataset: what nothing is left out of, so that every recipe on these data can share stored features.
        skipped: ``id`` and ``why`` of images that do not decode.
        cohort: what is written down, or was. added: images that came after that, no part of the run.
    """

    table: ImageTable
    dataset: ImageTable
    skipped: pl.DataFrame
    cohort: Cohort
    added: int = 0


def begun(
    recipe: Recipe, run: str, skip_corrupt: bool, like: Path | None = None, bar: bool = False
) -> Material:
    """The images of a run that begins, in the splits of the data set or of the run ``like``.

    Raises:
        CorruptImageError: for the first image that does not decode, unless they are skipped.
    """
    registered = None if like is None else cohort.read(like)
    dataset = sets.load(recipe.data.name, recipe.data.root, recipe.data.seed)
    added = 0
    if registered is None:
        table = held_out(dataset, recipe.data.leave_out)
    else:
        added = int(registered.added(dataset).sum())
        table, dataset = (
            marked(registered.images(dataset, bar=bar), recipe.data.leave_out),
            registered.known(dataset),
        )
    # A frozen trunk meets every image before training anyway.
    faults = unreadable(table) if skip_corrupt or recipe.network.trunk == "trained" else {}
    if faults and not skip_corrupt:
        raise CorruptImageError(f"{next(iter(faults.values()))} ({len(faults)} such images in all)")
    ids = [table.cases["id"][row] for row in faults]
    skipped = pl.DataFrame({"id": ids, "why": list(faults.values())}, schema=SKIPPED)
    if faults:
        table = table.take(np.setdiff1d(np.arange(len(table)), list(faults)))
    shared = dataset if recipe.data.leave_out is not None and not faults else table
    return Material(table, shared, skipped, cohort.record(dataset, table, run, bar=bar), added)


def resumed(recipe: Recipe, folder: Path, skip_corrupt: bool, bar: bool = False) -> Material:
    """The images of a run that is gone on with, as it began; what came since is no part of it.

    Raises:
        InputError: when images are missing, hold something else or bear another label than then, or when an
            older version began the run and did not write its splits down.
    """
    registered = cohort.read(folder)
    if registered is None:
        if not as_ever(recipe.data):
            raise InputError(
                f"{folder}: an older version began this run and did not write down which images it learns "
                "from; begin it anew in another folder"
            )
        return begun(recipe, folder.name, skip_corrupt, bar=bar)
    dataset = sets.load(recipe.data.name, recipe.data.root, recipe.data.seed)
    table = marked(registered.images(dataset, labels=True, bar=bar), recipe.data.leave_out)
    listed = folder / "skipped.csv"
    skipped = pl.DataFrame(schema=SKIPPED)
    if listed.exists():
        skipped = delimited.frame(listed, "a list of skipped images", lambda column: True)
    shared = registered.known(dataset) if recipe.data.leave_out is not None and not len(skipped) else table
    return Material(table, shared, skipped, registered, int(registered.added(dataset).sum()))


def finished(recipe: Recipe, folder: Path) -> tuple[ImageTable, ImageTable]:
    """The images of a finished run in its splits, and the whole data set as far as the run knew it.

    Raises:
        InputError: when images are missing or hold something else than when it began.
    """
    registered, dataset = cohort.read(folder), sets.load(recipe.data.name, recipe.data.root, recipe.data.seed)
    if registered is None:
        return held_out(dataset, recipe.data.leave_out), dataset
    table = marked(registered.images(dataset), recipe.data.leave_out)
    return table, registered.known(dataset) if registered.hashed else dataset
