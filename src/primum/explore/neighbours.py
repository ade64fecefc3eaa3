"""The known cases that look most alike to the network."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import polars as pl

from primum.core.arrays import Reals
from primum.core.check import InputError
from primum.explore.scene import SEPARATOR, Scene
from primum.predictions import Predictions

TRAIN = "train"
COUNT = 5


def nearest(scene: Scene, key: str, count: int = COUNT) -> pl.DataFrame:
    """The training rows nearest a case by cosine similarity of embeddings.

    Without training rows the other images of the scene are searched, each image as it is seen in the case's
    own domain.

    Args:
        scene: with embeddings. key: of the case. count: rows to return, fewer where there are fewer.

    Returns:
        Nearest first: ``key`` (for ``pictures.png``), ``id``, ``label`` (null where unknown), ``predicted``,
        ``similarity`` (-1 to 1) and ``of`` (``train`` or the domain).

    Raises:
        InputError: for an unknown key, and where embeddings are missing.

    >>> import numpy as np
    >>> from primum.explore.scene import Domain, build_scene
    >>> from primum.predictions import Predictions
    >>> logits = np.log([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
    >>> embeddings = np.array([[1, 0], [0.8, 0.6], [0, 1]])
    >>> table = Predictions(["x", "y", "z"], ("cat", "dog"), [0, 1, 1], logits, embeddings=embeddings)
    >>> scene = build_scene("net", [Domain("test", table)])
    >>> nearest(scene, scene.cases["key"][0], count=1).select("id", "similarity").rows()
    [('y', 0.8)]
    """
    domain, row = scene.of(scene.row(key))
    predictions = domain.predictions
    if predictions.embeddings is None:
        raise InputError(f"{domain.name}: nearest cases need embeddings, this table carries none")
    if scene.train is None:
        return _ranked(predictions, domain.name, predictions.embeddings[row], count, predictions.ids[row])
    return nearest_to(scene, predictions.embeddings[row], count, predictions.ids[row])


def nearest_to(scene: Scene, embedding: Reals, count: int = COUNT, but: str | None = None) -> pl.DataFrame:
    """The known rows nearest an embedding (D,): training rows, without any those of the first domain.

    ``but`` is an id to leave out. Raises InputError where they carry no embeddings of D numbers.
    """
    reference, name = (scene.train, TRAIN) if scene.train is not None else (
        scene.domains[0].predictions, scene.domains[0].name
    )  # fmt: skip
    if reference.embeddings is None or reference.embeddings.shape[1] != len(embedding):
        carried = "none" if reference.embeddings is None else f"{reference.embeddings.shape[1]} numbers"
        raise InputError(
            f"{reference.name}: nearest cases need embeddings of the same network ({len(embedding)} "
            f"numbers), the rows of {name} carry {carried}"
        )
    return _ranked(reference, name, embedding, count, but)


def _ranked(table: Predictions, name: str, embedding: Reals, count: int, but: str | None) -> pl.DataFrame:
    assert table.embeddings is not None
    length = float(np.linalg.norm(embedding)) or 1.0
    likeness = (table.embeddings @ embedding.astype(table.embeddings.dtype)) / (_lengths(table) * length)
    # one row more than asked for, since the case itself may be among the nearest
    order = np.argsort(-likeness, kind="stable")[: count + 1]
    order = order[(table.ids.gather(order) != (but or "")).to_numpy()][:count]
    names = pl.Series([*table.classes, None], dtype=pl.String)
    ids = table.ids.gather(order)
    return pl.DataFrame(
        {
            "key": name + SEPARATOR + ids,
            "id": ids,
            "label": names[table.labels[order]],
            "predicted": names[table.predicted[order]],
            "similarity": likeness[order].astype(np.float64),
            "of": pl.repeat(name, len(ids), eager=True, dtype=pl.String),
        }
    )


@lru_cache(maxsize=64)
def _lengths(table: Predictions) -> Reals:
    """(N,) lengths of the embeddings, 1 for those of length 0."""
    lengths = np.linalg.norm(table.embeddings, axis=1)  # type: ignore[arg-type]
    # 1 in place of 0 makes an embedding without length alike to nothing, and not to NaN
    return np.where(lengths > 0, lengths, 1)
