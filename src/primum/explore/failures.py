"""Failures by confidence, and one image across the intensities of a corruption."""

from __future__ import annotations

import numpy as np
import polars as pl

from primum.core import check
from primum.core.arrays import Array
from primum.core.check import InputError
from primum.explore.scene import Scene

FIRST = 2


def rank_failures(scene: Scene, score: str = "msr", rows: Array | None = None) -> pl.DataFrame:
    """Every failure once: the two most confident, then the critical ones, then the others.

    Inside each part the most confident comes first; failures without this score come last.

    Args:
        scene: of which the labelled cases are looked at. score: one of ``scene.scores``.
        rows: (n,) rows of ``scene.cases`` or a mask (N,); None for all.

    Returns:
        The columns of ``scene.cases``, and ``part``: ``most confident``, ``critical`` or ``other``.

    Raises:
        InputError: for an unknown score.

    >>> import numpy as np
    >>> from primum.explore.scene import Domain, build_scene
    >>> from primum.predictions import Predictions
    >>> logits = np.log([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
    >>> table = Predictions(["x", "y", "z"], ("cat", "dog"), [0, 1, 1], logits)
    >>> scene = build_scene("net", [Domain("test", table)])
    >>> rank_failures(scene).select("id", "part").rows()
    [('y', 'most confident')]
    """
    check.one_of(score, scene.scores, "score")
    by = [f"score_{score}", "key"]
    cases = scene.cases if rows is None else scene.cases[np.arange(len(scene))[rows]]
    wrong = cases.filter(~pl.col("correct")).sort(by, descending=[True, False], nulls_last=True)
    surest = pl.int_range(pl.len()) < FIRST
    part = (
        pl.when(surest)
        .then(pl.lit("most confident"))
        .when(pl.col("critical"))
        .then(pl.lit("critical"))
        .otherwise(pl.lit("other"))
    )
    place = {"most confident": 0, "critical": 1, "other": 2}
    return wrong.with_columns(part=part).sort(
        pl.col("part").replace_strict(place, return_dtype=pl.Int64), maintain_order=True
    )


def intensities(scene: Scene, case: str) -> pl.DataFrame:
    """One image across the intensities of every corruption.

    Args:
        scene: with domains that have a ``shift_level``. case: id of the image.

    Returns:
        Rows of ``scene.cases`` by ``shift`` and ``shift_level``; the image as it is, where it is known, leads
        each corruption with level 0. Empty where no corruption holds this image.

    Raises:
        InputError: when no case has this id.
    """
    images = scene.cases.filter(pl.col("id") == case)
    if images.is_empty():
        raise InputError(f"{scene.name}: no case has this id; take one of the column id")
    corrupted = images.filter(pl.col("shift_level").is_not_null() & (pl.col("shift_level") > 0))
    plain = images.filter(pl.col("shift").is_null()).head(1).drop("shift", "shift_level")
    leading = corrupted.select(pl.col("shift").unique()).join(plain, how="cross")
    leading = leading.with_columns(shift_level=pl.lit(0, pl.Int64)).select(images.columns)
    return pl.concat([leading, corrupted]).sort("shift", "shift_level", maintain_order=True)
