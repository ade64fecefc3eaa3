"""The images a finished run is asked about: one split of its own data, or of others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from primum.core import files
from primum.core.check import InputError
from primum.data import cohort, contents, sets
from primum.data.images import HELD_OUT, NEW, ImageTable
from primum.data.leaving_out import held_out, marked

if TYPE_CHECKING:
    from primum.data.cohort import Cohort
    from primum.model.recipe import Data


def run_split(
    run: Path, source: Data, name: str, root: Path | None, split: str
) -> tuple[ImageTable, list[str]]:
    """The images of one split, cut as the run was, and what is to be told about them, a sentence each.

    Of the run's own data the splits are those written down when it began (:mod:`primum.data.cohort`): images
    that came later are in none of them but in ``new``, and missing or changed ones are refused. A folder or
    a manifest is the run's own where it lies in the same place, or holds every image of the run. Other data
    keep their own splits, cut with the run's seed, without the images that the run has in train, val or cal.

    Args:
        run: folder of the run. source: section ``data`` of its recipe.
        name, root: of the data set that is asked about.
        split: train, val, cal, test, shift or new.

    Raises:
        InputError: for missing or changed images, a split without images, or an older run of a folder or a
            manifest that left nothing to know its splits by.
    """
    dataset, registered = sets.load(name, root, source.seed), cohort.read(run)
    places = {files.real(place) for place in (root, source.root) if place is not None}
    same_place = name == source.name and (name not in sets.OWN or len(places) < 2)
    if not same_place and not (
        registered is not None and name == source.name and moved(registered, dataset, split)
    ):
        return _of_others(run, dataset, registered, split, name in sets.OWN and name == source.name)
    if registered is None:
        return _cut_anew(run, source, dataset, split)
    if split == NEW:
        images, met = unseen(registered, dataset)
        sentence = f"{met} more new images are left out: the run has their patients, or copies of them"
        return images.split(NEW), [sentence] if met else []
    images = registered.images(dataset, [split])
    if split == HELD_OUT:
        images = marked(images, source.leave_out)
    added, sentences = int(registered.added(dataset).sum()), []
    if added:
        sentences.append(
            f"{added} images of {name} are not part of the run: ask about them with --split {NEW}"
        )
    if not registered.hashed:
        sentences.append(
            f"an older version began {run.name}: its splits are those of its predictions, and whether an "
            "image has changed since is not known"
        )
    return images.split(split), sentences


def as_ever(source: Data) -> bool:
    """Whether today's cut of a data set is what an older version's was.

    Releases are cut as ever; a folder or a manifest only where it gives the splits itself.
    """
    if source.name not in sets.OWN:
        return True
    cuts = [sets.load(source.name, source.root, source.seed + more).cases["split"] for more in (0, 1)]
    return cuts[0].equals(cuts[1])


def _cut_anew(run: Path, source: Data, dataset: ImageTable, split: str) -> tuple[ImageTable, list[str]]:
    if not as_ever(source):
        raise InputError(
            f"{run}: an older version began this run, and nothing here says which images it was trained on; "
            "put back its predictions, or train anew"
        )
    dataset = held_out(dataset, source.leave_out)
    sentence = (
        f"an older version began {run.name} and wrote no splits down: {dataset.name} is cut as it is now"
    )
    return dataset.split(split), [sentence]


def unseen(registered: Cohort, dataset: ImageTable) -> tuple[ImageTable, int]:
    """The images that came after a run began, in the split ``new``, without those it has met after all.

    Met, and counted in the second part, is an image of a patient, or a copy of an image, that the run has in
    train, val or cal.
    """
    images = dataset.take(registered.added(dataset))
    images = replace(images, cases=images.cases.with_columns(split=pl.lit(NEW)))
    patients = registered.learned["patient"].drop_nulls()
    met = _copied(registered, images) | images.cases["patient"].is_in(patients.implode()).fill_null(False)
    return images.take((~met).to_numpy()), int(met.sum())


def moved(registered: Cohort, dataset: ImageTable, split: str) -> bool:
    """Whether data at another place are the run's: all images are there, and those of ``split`` the same."""
    cases = registered.cases.filter(pl.col("split").is_not_null())
    if not registered.hashed or (registered.rows(dataset, cases) < 0).any():
        return False
    cases = cases.filter(pl.col("split") == split)
    return cases["sha256"].to_list() == contents.digests(dataset.take(registered.rows(dataset, cases)))


def _copied(registered: Cohort, table: ImageTable) -> pl.Series:
    """(N,) whether an image holds what one of train, val or cal holds; of an older run nobody knows."""
    if not registered.hashed:
        return pl.Series(np.zeros(len(table), dtype=bool))
    digests = pl.Series(contents.digests(table), dtype=pl.String)
    return digests.is_in(registered.learned["sha256"].implode())


def _of_others(
    run: Path, dataset: ImageTable, registered: Cohort | None, split: str, alike: bool
) -> tuple[ImageTable, list[str]]:
    """A split of another data set, without the images the run has in train, val or cal.

    They are known by what they hold; where an older run wrote no contents down and data are ``alike``, by
    their ids.
    """
    images = dataset.split(split)
    if registered is None or split in cohort.LEARNED:
        return images, []
    met = _copied(registered, images)
    if alike and not registered.hashed:
        met = images.cases["id"].is_in(registered.learned["id"].implode())
    if met.all():
        raise InputError(
            f"{images.name}: images that the run {run.name} did not learn from were expected, all "
            f"{len(images)} of {split} stand in its train, val or cal; take others"
        )
    sentence = f"{met.sum()} images are left out: the run has them in train, val or cal"
    return images.take((~met).to_numpy()), [sentence] if met.any() else []
