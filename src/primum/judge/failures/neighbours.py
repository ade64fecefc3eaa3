"""Which labelled cases look like a failure, among those trained on and among those judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.neighbors import NearestNeighbors

from primum.core import check
from primum.core.arrays import Array, Bools, Floats, Integers
from primum.core.check import InputError

NEIGHBOURS = 15
REFERENCES, POOL, MOST_OWN = 2_000, 50_000, 200
FEWEST_RIGHT = 20


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """What surrounds each of F failures, by Euclidean distance of embeddings of length 1.

    Attributes:
        judged: (F, K) share of each label among the 15 nearest judged rows of other patients.
        pocket: (F,) share of those that carry the failure's label and were answered wrongly too.
        trained: (F, K) share of each label among the 15 nearest training rows, or None without them.
        far: (F,) share of right answers of the same class that lie nearer to their 15th nearest training row,
            0 to 1, or None without training rows.
    """

    judged: Floats
    pocket: Floats
    trained: Floats | None
    far: Floats | None


def neighbourhood(
    embeddings: ArrayLike,
    labels: ArrayLike,
    predicted: ArrayLike,
    classes: int,
    clusters: ArrayLike | None = None,
    train_embeddings: ArrayLike | None = None,
    train_labels: ArrayLike | None = None,
) -> Neighbourhood:
    """Neighbours of every failure (``labels != predicted``), never from its own patient.

    ``far`` compares a failure with right answers of its predicted class (of any class where fewer than 20 are
    right). At most 2,000 right answers and 50,000 neighbours of either side are looked at, drawn with a fixed
    seed where there are more.

    Args:
        embeddings: (N, D). labels, predicted: (N,) class indices. classes: K.
        clusters: (N,) patient of each row, or None.
        train_embeddings, train_labels: (M, D) and (M,) of the rows the network was trained on, or None.

    Raises:
        InputError: when training and judged embeddings differ in width, or training labels are missing.
    """
    points, true, answers = unit(embeddings), check.array(labels), check.array(predicted)
    failures = np.flatnonzero(true != answers)
    patients = np.arange(len(true)) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    near = _others(points, failures, patients)
    valid = near >= 0
    shares = _shares(true[near], valid, classes)
    alike = (true[near] == true[failures][:, None]) & (answers[near] != true[near]) & valid
    pocket = alike.sum(axis=1) / np.maximum(valid.sum(axis=1), 1)
    if train_embeddings is None:
        return Neighbourhood(shares, pocket, None, None)
    if train_labels is None:
        raise InputError("training rows: a label beside each embedding was expected, none came; add them")
    pool, pool_labels = unit(train_embeddings), check.array(train_labels)
    if pool.shape[1] != points.shape[1] or len(pool) != len(pool_labels):
        raise InputError(
            f"training rows: embeddings of {points.shape[1]} numbers and one label each were expected, "
            f"{pool.shape[1]} numbers in {len(pool)} rows and {len(pool_labels)} labels arrived; "
            "take them from the same network"
        )
    sample = _sample(np.arange(len(pool)), POOL)
    pool, pool_labels = pool[sample], pool_labels[sample]
    finder = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(pool))).fit(pool)
    distance, index = finder.kneighbors(points[failures])
    trained = _shares(pool_labels[index], np.ones_like(index, dtype=bool), classes)
    far = _far(
        finder,
        points,
        answers=answers,
        failures=failures,
        right=np.flatnonzero(true == answers),
        distance=distance[:, -1],
    )
    return Neighbourhood(shares, pocket, trained, far)


def unit(embeddings: ArrayLike) -> Floats:
    """Embeddings (N, D) divided by their length, those of length 0 left as they are.

    >>> unit([[3.0, 4.0]]).tolist()
    [[0.6, 0.8]]
    """
    points = check.array(embeddings).astype(np.float64)
    length = np.linalg.norm(points, axis=1, keepdims=True)
    return np.asarray(points / np.where(length > 0, length, 1))


def _others(points: Floats, rows: Array, patients: Array) -> Integers:
    """(F, 15) nearest rows of other patients, -1 where there are fewer or 200 of its own are nearer."""
    pool = _sample(np.arange(len(points)), POOL)
    count = min(NEIGHBOURS + min(int(np.bincount(patients).max()), MOST_OWN), len(pool))
    finder = NearestNeighbors(n_neighbors=count).fit(points[pool])
    index = pool[finder.kneighbors(points[rows], return_distance=False)]
    same_patient = patients[index] == patients[rows][:, None]
    # False sorts before True: rows of other patients come first, still from near to far
    first = np.argsort(same_patient, axis=1, kind="stable")[:, :NEIGHBOURS]
    chosen = np.take_along_axis(index, first, axis=1)
    chosen[np.take_along_axis(same_patient, first, axis=1)] = -1
    return np.asarray(chosen, dtype=np.int64)


def _shares(labels: Array, valid: Bools, classes: int) -> Floats:
    counts = np.stack([((labels == k) & valid).sum(axis=1) for k in range(classes)], axis=1)
    return np.asarray(counts / np.maximum(valid.sum(axis=1, keepdims=True), 1), dtype=np.float64)


def _far(
    finder: NearestNeighbors,
    points: Floats,
    answers: Array,
    failures: Array,
    right: Array,
    distance: Floats,
) -> Floats:
    right = _sample(right, REFERENCES)
    if not len(right):
        return np.zeros(len(failures))
    usual = finder.kneighbors(points[right])[0][:, -1]
    far = np.empty(len(failures))
    for k in np.unique(answers[failures]):
        of_class = answers[failures] == k
        same = usual[answers[right] == k]
        ordered = np.sort(same if len(same) >= FEWEST_RIGHT else usual)
        far[of_class] = np.searchsorted(ordered, distance[of_class], side="left") / len(ordered)
    return far


def _sample(rows: Array, limit: int) -> Array:
    """At most so many of the rows, in order."""
    if len(rows) <= limit:
        return rows
    return np.sort(np.random.default_rng(0).choice(rows, limit, replace=False))
