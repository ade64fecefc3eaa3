"""The cases of a run: which image is in which split, written down when the run begins.

A folder may change while a run is interrupted, or after it. Whoever goes on with a run or asks it again takes
the splits from here and holds the images against them by content.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from primum.core import check, files, parquet
from primum.core.arrays import Bools, Integers
from primum.core.check import InputError
from primum.data import contents
from primum.data.images import SPLITS, ImageTable

FILE = "splits.parquet"
COLUMNS = ("id", "patient", "label", "split", "path", "sha256")
LEARNED = ("train", "val", "cal")  # what shaped the network, its choice, or what is fitted on its answers


@dataclass(frozen=True, eq=False)
class Cohort:
    """Every case a run knew when it began.

    Attributes:
        cases: a row per image: ``id``, ``patient``, ``label`` (or null), ``split`` (or null, of what the run
            left out), ``path`` (or null) and ``sha256`` of what its files hold.
        run: the run as messages call it.
        hashed: whether there are contents; an older run has only the ids of its tables of predictions.
    """

    cases: pl.DataFrame
    run: str
    hashed: bool = True

    def write(self, folder: Path) -> None:
        """Write ``splits.parquet`` into the folder of the run."""
        with files.whole(folder / FILE) as draft:
            self.cases.write_parquet(draft)

    def images(
        self, table: ImageTable, splits: Sequence[str] = SPLITS, *, labels: bool = False, bar: bool = False
    ) -> ImageTable:
        """The run's images in these splits, in the order written down; images added since are in none.

        Args:
            table: the data set as it is now, nothing held out.
            labels: refuse other labels than the run began with, too.
            bar: show progress on standard error.

        Raises:
            InputError: when images are missing or hold something else than when the run began.
        """
        recorded = self.cases.filter(pl.col("split").is_in(list(splits)))
        rows = self.rows(table, recorded)
        if (rows < 0).any():
            raise InputError(self._missing(table, recorded.filter(pl.Series(rows < 0))))
        if not self.hashed:  # tables of predictions stand split by split
            order = np.argsort(rows)
            recorded, rows = recorded[pl.Series(order, dtype=pl.UInt32)], rows[order]
        present = table.take(rows)
        present = replace(
            present, cases=present.cases.with_columns(recorded["split"]), classes=self._classes(table)
        )
        if self.hashed:
            digests = pl.Series(contents.digests(present, bar=bar), dtype=pl.String)
            self._refuse(
                present, digests != recorded["sha256"], "hold something else", "put the old files back"
            )
        if labels:
            relabelled = recorded["label"].ne_missing(present.cases["label"])
            self._refuse(present, relabelled, "bear another label", "label them as then")
        return present

    def known(self, table: ImageTable) -> ImageTable:
        """Every image of the run that is there, those that it left out included, nothing held out."""
        rows = self.rows(table, self.cases)
        return replace(table.take(rows[rows >= 0]), classes=self._classes(table))

    def added(self, table: ImageTable) -> Bools:
        """(N,) whether the run did not know an image when it began."""
        return (~table.cases["id"].is_in(self.cases["id"].implode())).to_numpy()

    @property
    def learned(self) -> pl.DataFrame:
        """The cases in train, val or cal."""
        return self.cases.filter(pl.col("split").is_in(LEARNED))

    @staticmethod
    def rows(table: ImageTable, cases: pl.DataFrame) -> Integers:
        """Row of each case in a data set, -1 where it is not there."""
        at = {case: row for row, case in enumerate(table.cases["id"])}
        return np.array([at.get(case, -1) for case in cases["id"]], dtype=np.int64)

    def _classes(self, table: ImageTable) -> tuple[str, ...]:
        """Without classes that only came with images added since."""
        brought = table.cases.filter(pl.Series(self.added(table)))["label"].drop_nulls()
        fresh = set(brought) - set(self.cases["label"].drop_nulls())
        return tuple(name for name in table.classes if name not in fresh)

    def _missing(self, table: ImageTable, lost: pl.DataFrame) -> str:
        renamed = 0
        if self.hashed:
            digests = set(contents.digests(table.take(self.added(table))))
            renamed = sum(content in digests for content in lost["sha256"])
        under = f" ({renamed} lie there under another name)" if renamed else ""
        return (
            f"{table.name}: every image of the run {self.run} was expected, {len(lost)} missing{under}, "
            f"{_examples(lost)} for one; put back what was there when it began, or train anew elsewhere"
        )

    def _refuse(self, images: ImageTable, wrong: pl.Series, clause: str, remedy: str) -> None:
        if not wrong.any():
            return
        cases = images.cases.filter(wrong)
        raise InputError(
            f"{images.name}: images as they were when the run {self.run} began were expected, "
            f"{len(cases)} of {len(images)} {clause} now, {_examples(cases)} for one; {remedy}, or "
            "train anew elsewhere"
        )


def record(images: ImageTable, table: ImageTable, run: str, *, bar: bool = False) -> Cohort:
    """The cohort of a run that begins now.

    Args:
        images: every image of the data set.
        table: those of them that have a split, held-out ones included; the others are written down without.
        run: the run as messages call it. bar: show progress on standard error.
    """
    split = dict(zip(table.cases["id"], table.cases["split"], strict=True))
    cases = images.cases.select(
        pl.col("id").cast(pl.String),
        pl.col("patient").cast(pl.String),
        pl.col("label").cast(pl.String),
        pl.Series("split", [split.get(case) for case in images.cases["id"]], dtype=pl.String),
        pl.col("path").cast(pl.String),
        pl.Series("sha256", contents.digests(images, bar=bar), dtype=pl.String),
    )
    return Cohort(cases, run)


def read(folder: Path) -> Cohort | None:
    """The cohort of a run; of an older one that is finished, what its tables of predictions say.

    None where neither tells: an older run that is not finished, or without its tables.

    Raises:
        InputError: when ``splits.parquet`` does not read.
    """
    path = folder / FILE
    if path.exists():
        try:
            cases = parquet.read(path, "the splits of a run")[0].select(COLUMNS)
            cases = cases.cast(dict.fromkeys(COLUMNS, pl.String))
        except (InputError, pl.exceptions.PolarsError):
            raise InputError(
                f"{path}: the splits of a run were expected here, this does not read; train anew elsewhere"
            ) from None
        return Cohort(cases, folder.name)
    if not (folder / "network.json").exists():
        return None
    tables = {split: folder / "predictions" / f"{split}.parquet" for split in SPLITS}
    tables = {split: table for split, table in tables.items() if table.exists()}
    if not {"train", "val"} <= set(tables):
        return None
    return Cohort(pl.concat([_answered(table, split) for split, table in tables.items()]), folder.name, False)


def _answered(table: Path, split: str) -> pl.DataFrame:
    """What a table of predictions tells of the cases of a split."""
    cases, _ = parquet.read(table, "predictions of a run", COLUMNS)
    return cases.with_columns(
        pl.lit(None, pl.String).alias(column) for column in COLUMNS if column not in cases.columns
    ).select(
        pl.lit(split).alias("split") if column == "split" else pl.col(column).cast(pl.String)
        for column in COLUMNS
    )


def _examples(cases: pl.DataFrame) -> str:
    """The first image by its path; images made in memory have none, and an id may name a patient."""
    path = cases["path"][0]
    return "one without a path" if path is None else check.path_name(str(path), 0)
