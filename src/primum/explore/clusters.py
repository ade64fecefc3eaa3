"""Concepts: the clusters of each class in each domain, and the image that stands for each."""

from __future__ import annotations

import numpy as np
import polars as pl

from primum.core.arrays import Integers, Singles
from primum.explore.features import extract, principal_components, sample_rows
from primum.explore.scene import Scene

CLUSTERS = 9
STARTS = 3
UNKNOWN = "(no label)"
SCHEMA = pl.Schema(
    {
        "domain": pl.String(),
        "class": pl.String(),
        "cluster": pl.Int64(),
        "n": pl.Int64(),
        "failures": pl.Int64(),
        "silent": pl.Int64(),
        "key": pl.String(),
        "members": pl.List(pl.String),
    }
)


def find_clusters(scene: Scene, per: int = CLUSTERS, seed: int = 0) -> pl.DataFrame:
    """K-means clusters of each class × domain, on 50 principal components fitted to all domains at once.

    Fewer cases than ``per`` (or fewer that differ) give as many clusters as there are. Of more than 20,000
    cases those drawn are clustered.

    Returns:
        One row per cluster, the largest of a class × domain first: ``domain``, ``class`` (the true one,
        ``(no label)`` where unknown), ``cluster`` (from 0), ``n``, ``failures`` and ``silent`` (how many of
        them), ``key`` (the case nearest the centre), ``members`` (keys, nearest the centre first).

    >>> import numpy as np
    >>> from primum.explore.scene import Domain, build_scene
    >>> from primum.predictions import Predictions
    >>> logits = np.log([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
    >>> embeddings = np.array([[1, 0], [0.8, 0.6], [0, 1]])
    >>> table = Predictions(["x", "y", "z"], ("cat", "dog"), [0, 1, 1], logits, embeddings=embeddings)
    >>> scene = build_scene("net", [Domain("test", table)])
    >>> find_clusters(scene, per=1).select("class", "n", "failures").rows()
    [('cat', 1, 0), ('dog', 2, 1)]
    """
    rows, _ = sample_rows(scene, seed)
    components = principal_components(extract(scene, rows)[0], seed)
    cases = scene.cases[rows].with_columns(pl.col("label").fill_null(UNKNOWN))
    keys = cases["key"].to_numpy()
    wrong = (~cases["correct"].fill_null(True)).to_numpy()
    silent = cases["silent"].fill_null(False).to_numpy()
    table = []
    for (domain, name), part in _groups(cases):
        at = part["place"].to_numpy()
        for number, members in enumerate(_members(components[at], per, seed)):
            order = at[members]
            table.append(
                (domain, name, number, len(order), int(wrong[order].sum()), int(silent[order].sum()),
                 str(keys[order[0]]), keys[order].tolist())
            )  # fmt: skip
    return pl.DataFrame(table, schema=SCHEMA, orient="row")


def _groups(cases: pl.DataFrame) -> list[tuple[tuple[object, ...], pl.DataFrame]]:
    placed = cases.select("domain", "label").with_row_index("place")
    return list(placed.group_by("domain", "label", maintain_order=True))


def _members(points: Singles, per: int, seed: int) -> list[Integers]:
    """Rows of each cluster, nearest its centre first; the largest cluster first."""
    from sklearn.cluster import KMeans

    # k-means cannot part points that are equal
    count = min(per, len(np.unique(points, axis=0)))
    if count == 1:
        labels, centres = np.zeros(len(points), dtype=np.int64), points.mean(axis=0, keepdims=True)
    else:
        fit = KMeans(count, n_init=STARTS, random_state=seed).fit(points)
        labels, centres = fit.labels_, fit.cluster_centers_
    away = np.linalg.norm(points - centres[labels], axis=1)
    # ties in distance go by row, or the picture of a cluster could change between two starts
    order = np.lexsort((np.arange(len(points)), away))
    parts = [order[labels[order] == cluster] for cluster in range(count)]
    return sorted((part for part in parts if len(part)), key=lambda part: (-len(part), int(part[0])))
