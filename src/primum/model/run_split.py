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
    whole, known = sets.load(name, root, source.seed), cohort.read(run)
    places = {files.real(place) for place in (root, source.root) if place is not None}
    here = name == source.name and (name not in sets.OWN or len(places) < 2)
    if not here and not (known is not None and name == source.name and moved(known, whole, split)):
        return _of_others(run, whole, known, split, name in sets.OWN and name == source.name)
    if known is None:
        return _cut_anew(run, source, whole, split)
    if split == NEW:
        found, met = unseen(known, whole)
        said = f"{met} more new images are left out: the run has their patients, or copies of them"
        return found.split(NEW), [said] if met else []
    found = known.images(whole, [split])
    if split == HELD_OUT:
        found = marked(found, source.leave_out)
    added, told = int(known.added(whole).sum()), []
    if added:
        told.append(f"{added} images of {name} are not part of the run: ask about them with --split {NEW}")
    if not known.hashed:
        told.append(
            f"an older version began {run.name}: its splits are those of its predictions, and whether an "
            "image has changed since is not known"
        )
    return found.split(split), told


def as_ever(source: Data) -> bool:
    """Whether today's cut of a data set is what an older version's was.

    Releases are cut as ever; a folder or a manifest only where it gives the splits itself.
    """
    if source.name not in sets.OWN:
        return True
    cuts = [sets.load(source.name, source.root, source.seed + more).cases["split"] for more in (0, 1)]
    return cuts[0].equals(cuts[1])


def _cut_anew(run: Path, source: Data, whole: ImageTable, split: str) -> tuple[ImageTable, list[str]]:
    if not as_ever(source):
        raise InputError(
            f"{run}: an older version began this run, and nothing here says which images it was trained on; "
            "put back its predictions, or train anew"
        )
    whole = held_out(whole, source.leave_out)
    said = f"an older version began {run.name} and wrote no splits down: {whole.name} is cut as it is now"
    return whole.split(split), [said]


def unseen(known: Cohort, whole: ImageTable) -> tuple[ImageTable, int]:
    """The images that came after a run began, in the split ``new``, without those it has met after all.

    Met, and counted in the second part, is an image of a patient, or a copy of an image, that the run has in
    train, val or cal.
    """
    found = whole.take(known.added(whole))
    found = replace(found, cases=found.cases.with_columns(split=pl.lit(NEW)))
    patients = known.learned["patient"].drop_nulls()
    met = _copied(known, found) | found.cases["patient"].is_in(patients.implode()).fill_null(False)
    return found.take((~met).to_numpy()), int(met.sum())


def moved(known: Cohort, whole: ImageTable, split: str) -> bool:
    """Whether data at another place are the run's: all images are there, and those of ``split`` the same."""
    cases = known.cases.filter(pl.col("split").is_not_null())
    if not known.hashed or (known.rows(whole, cases) < 0).any():
        return False
    cases = cases.filter(pl.col("split") == split)
    return cases["sha256"].to_list() == contents.digests(whole.take(known.rows(whole, cases)))


def _copied(known: Cohort, table: ImageTable) -> pl.Series:
    """(N,) whether an image holds what one of train, val or cal holds; of an older run nobody knows."""
    if not known.hashed:
        return pl.Series(np.zeros(len(table), dtype=bool))
    held = pl.Series(contents.digests(table), dtype=pl.String)
    return held.is_in(known.learned["sha256"].implode())


def _of_others(
    run: Path, whole: ImageTable, known: Cohort | None, split: str, alike: bool
) -> tuple[ImageTable, list[str]]:
    """A split of another data set, without the images the run has in train, val or cal.

    They are known by what they hold; where an older run wrote no contents down and data are ``alike``, by
    their ids.
    """
    found = whole.split(split)
    if known is None or split in cohort.LEARNED:
        return found, []
    met = _copied(known, found)
    if alike and not known.hashed:
        met = found.cases["id"].is_in(known.learned["id"].implode())
    if met.all():
        raise InputError(
            f"{found.name}: images that the run {run.name} did not learn from were expected, all "
            f"{len(found)} of {split} stand in its train, val or cal; take others"
        )
    said = f"{met.sum()} images are left out: the run has them in train, val or cal"
    return found.take((~met).to_numpy()), [said] if met.any() else []
