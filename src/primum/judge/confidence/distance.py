"""How near a case lies to the rows the network was trained on, in its embeddings; distances are negated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.neighbors import NearestNeighbors

from primum.core import check
from primum.core.arrays import Floats
from primum.core.check import InputError
from primum.judge.failures.neighbours import unit

NEIGHBOURS = 50
CELLS = 4_000_000  # numbers of a block of cases


@dataclass(frozen=True, eq=False)
class Mahalanobis:
    """Class means and one covariance within the classes, of training rows (Lee et al., NeurIPS 2018).

    Attributes:
        centre: (D,) mean of the class means. whiten: (D, R) with ``whiten @ whiten.T = Σ⁺``, R the rank of Σ.
        means: (C, R) class means, centred and whitened.

    >>> reference = fit_mahalanobis([[0.0], [2.0], [10.0], [12.0]], [0, 0, 1, 1])
    >>> reference([[1.0], [4.0]]).tolist()  # the means are 1 and 11, the variance 1
    [-0.0, -9.0]
    """

    centre: Floats
    whiten: Floats
    means: Floats

    def __call__(self, embeddings: ArrayLike) -> Floats:
        """(N,) ``-min_k (e − μ_k)ᵀ Σ⁺ (e − μ_k)`` of embeddings (N, D), at most 0."""
        points = check.array(embeddings)
        nearest = np.empty(len(points))
        for rows in blocks(*points.shape):
            white = (points[rows] - self.centre) @ self.whiten
            nearest[rows] = euclidean_distances(white, self.means, squared=True).min(axis=1)
        return -nearest


def fit_mahalanobis(embeddings: ArrayLike, labels: ArrayLike) -> Mahalanobis:
    """Means of the classes that occur and Σ, their shared covariance (divided by M), with pseudo-inverse Σ⁺.

    Eigenvalues of Σ below max(M, D) · 2.2e-16 of the largest count as 0, as in ``scipy.linalg.pinvh``.

    Args:
        embeddings: (M, D) of training rows. labels: (M,) class indices.

    Raises:
        InputError: where every embedding is the mean of its class, so that there is nothing to measure by.
    """
    points, true = check.array(embeddings).astype(np.float64), check.array(labels)
    _, index = np.unique(true, return_inverse=True)
    counts = np.bincount(index)
    means = np.zeros((len(counts), points.shape[1]))
    np.add.at(means, index, points)
    means /= counts[:, None]
    points -= means[index]
    values, vectors = np.linalg.eigh(points.T @ points / len(points))
    spanned = values > values[-1] * max(points.shape) * np.finfo(np.float64).eps
    if not spanned.any():
        raise InputError("training rows: embeddings that differ within a class were expected, none do")
    # whitened once, every Mahalanobis distance is a Euclidean one, which takes a single product of matrices
    whiten = vectors[:, spanned] / np.sqrt(values[spanned])
    centre = means.mean(axis=0)
    return Mahalanobis(centre, whiten, (means - centre) @ whiten)


def fit_neighbours(embeddings: ArrayLike, k: int = NEIGHBOURS) -> NearestNeighbors:
    """Training embeddings (M, D), brought to length 1, ready to be searched for the k nearest.

    Raises InputError with fewer than k rows.
    """
    points = check.array(embeddings)
    if len(points) < k:
        raise InputError(
            f"training rows: at least {k} were expected for the {k}th neighbour, {len(points)} came"
        )
    return NearestNeighbors(n_neighbors=k).fit(unit(points))


def knn(embeddings: ArrayLike, neighbours: NearestNeighbors) -> Floats:
    """(N,) negated distance of embeddings (N, D), brought to length 1, to their k-th training neighbour.

    Between -2 and 0 (Sun et al., ICML 2022).
    """
    return np.asarray(-neighbours.kneighbors(unit(embeddings))[0][:, -1], dtype=np.float64)


def deviation(values: Floats, rounding: float) -> float:
    """Standard deviation of values (N,) to divide by: 1 where they differ by no more than their rounding.

    >>> deviation(np.array([1.0, 3.0]), 1e-9), deviation(np.array([0.1 + 0.2, 0.3]), 1e-9)
    (1.0, 1.0)
    """
    spread = float(values.std())
    return spread if spread > rounding else 1.0


def blocks(n: int, width: int) -> list[slice]:
    """Slices of n rows that hold a few million numbers each."""
    size = max(1, CELLS // max(width, 1))
    return [slice(start, start + size) for start in range(0, n, size)]
