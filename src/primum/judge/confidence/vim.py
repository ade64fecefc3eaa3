"""Virtual-logit matching: energy less what an embedding has outside the space of the training rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from primum.core import check
from primum.core.arrays import Floats
from primum.core.check import InputError
from primum.judge.confidence.distance import blocks
from primum.judge.confidence.logit import energy, max_logit

NOISE = 1e-5  # of embeddings in single precision: a residual this short is none
# of the largest singular value: smaller ones are noise of weights in single precision, whose inverse would
# carry the origin as far away as they are small
SINGULAR = 1e-6
EXACT = 0.01  # root mean square residual of the logits, in their standard deviations


@dataclass(frozen=True, eq=False)
class Head:
    """The last layer ``z = W e + b``.

    Attributes:
        weight: (K, D). bias: (K,).
        spread: standard deviation of the logits it was recovered from; None to measure by that of the rows
            in question, which a single row has none of.
    """

    weight: Floats
    bias: Floats
    spread: float | None = None

    def __call__(self, embeddings: ArrayLike) -> Floats:
        """(N, K) logits of embeddings (N, D)."""
        points = check.array(embeddings)
        logits = np.empty((len(points), len(self.bias)))
        for rows in blocks(*points.shape):
            logits[rows] = points[rows] @ self.weight.T + self.bias
        return logits

    def off(self, embeddings: ArrayLike, logits: ArrayLike) -> float:
        """Root mean square of ``W e + b − z`` over logits (N, K), in standard deviations of the logits."""
        stored = check.array(logits).astype(np.float64)
        spread = self.spread
        if spread is None:
            spread = float(np.sqrt(np.mean((stored - stored.mean(axis=0)) ** 2)))
        return float(np.sqrt(np.mean((self(embeddings) - stored) ** 2))) / max(spread, 1e-12)


def recover_head(embeddings: ArrayLike, logits: ArrayLike) -> Head:
    """The last layer from what went in and what came out of it, by least squares.

    Directions in which the rows do not differ get weight 0 (the solution of least norm).

    Args:
        embeddings: (M, D), more rows than D. logits: (M, K), true logits.

    Raises:
        InputError: with too few rows, or where no linear layer explains them: residual above 1 %.
    """
    points, targets = check.array(embeddings).astype(np.float64), check.array(logits).astype(np.float64)
    m, d = points.shape
    if m <= d + 1:
        raise InputError(
            f"more training rows than embeddings have numbers ({d}) are needed to recover the last layer, "
            f"{m} came"
        )
    # centred on both sides, the bias drops out and is read from the means afterwards
    centre, level = points.mean(axis=0), targets.mean(axis=0)
    points -= centre
    values, vectors = np.linalg.eigh(points.T @ points)
    spanned = values > values[-1] * m * np.finfo(np.float64).eps
    inverse = vectors[:, spanned] / values[spanned] @ vectors[:, spanned].T
    weight = (inverse @ (points.T @ (targets - level))).T
    head = Head(weight, level - weight @ centre)
    off = head.off(embeddings, targets)
    if off > EXACT:
        raise InputError(
            f"no last layer W e + b explains the logits of the training rows: {off:.1%} of their spread is "
            f"left, at most {EXACT:.0%} was expected"
        )
    return head


@dataclass(frozen=True, eq=False)
class Vim:
    """What ViM keeps of training rows (Wang et al., CVPR 2022).

    Attributes:
        head: the last layer.
        origin: (D,) ``-(Wᵀ)⁺ b``, where all logits are 0 as nearly as can be; singular values below 1e-6 of
            the largest count as 0.
        residual: (D, D − d) basis of the space the training rows least fill. alpha: see :func:`fit_vim`.
    """

    head: Head
    origin: Floats
    residual: Floats
    alpha: float

    def outside(self, embeddings: ArrayLike) -> Floats:
        """(N,) length of the part of ``e − o`` in the residual space."""
        return _outside(embeddings, self.origin, self.residual)

    def __call__(self, embeddings: ArrayLike) -> Floats:
        """(N,) ``logsumexp(W e + b) − α ‖residual part‖`` of embeddings (N, D)."""
        return energy(self.head(embeddings)) - self.alpha * self.outside(embeddings)


def fit_vim(embeddings: ArrayLike, head: Head) -> Vim:
    """Fit to training embeddings (M, D): their :func:`principal` space, and α.

    ``α = Σ max logit / Σ ‖residual part‖`` over the training rows.

    Raises InputError where the training rows have no part in the residual space.
    """
    points = check.array(embeddings).astype(np.float64)
    origin = -np.linalg.pinv(head.weight, rcond=SINGULAR) @ head.bias
    unscaled = Vim(head, origin, _residual_space(points, origin), 0.0)
    outside, logits = unscaled.outside(points), max_logit(head(points))
    _refuse_empty(outside, points - origin)
    return Vim(head, origin, unscaled.residual, float(logits.sum() / outside.sum()))


@dataclass(frozen=True, eq=False)
class Residual:
    """The space that training rows least fill, around their mean; ViM's residual without its last layer.

    A reconstruction: ViM measures from the origin of the logits, which a table of embeddings alone lacks.

    Attributes:
        origin: (D,) mean of the training embeddings. residual: (D, D − d) basis, see :func:`principal`.
    """

    origin: Floats
    residual: Floats

    def __call__(self, embeddings: ArrayLike) -> Floats:
        """(N,) ``−‖residual part of e − o‖`` of embeddings (N, D), at most 0."""
        return -_outside(embeddings, self.origin, self.residual)


def fit_residual(embeddings: ArrayLike) -> Residual:
    """From training embeddings (M, D); InputError where they have no part in the residual space."""
    points = check.array(embeddings).astype(np.float64)
    fitted = Residual(points.mean(axis=0), _residual_space(points, points.mean(axis=0)))
    _refuse_empty(-fitted(points), points - fitted.origin)
    return fitted


def _residual_space(points: Floats, origin: Floats) -> Floats:
    """(D, D − d) eigenvectors of the smallest eigenvalues of points (M, D) seen from an origin."""
    from_origin = points - origin
    # eigh sorts rising; turned, the principal space comes first and the residual space is what follows
    vectors = np.linalg.eigh(from_origin.T @ from_origin / len(points))[1][:, ::-1]
    return np.asarray(vectors[:, principal(points.shape[1]) :], dtype=np.float64)


def _outside(embeddings: ArrayLike, origin: Floats, residual: Floats) -> Floats:
    points = check.array(embeddings)
    length = np.empty(len(points))
    for rows in blocks(*points.shape):
        length[rows] = np.linalg.norm((points[rows] - origin) @ residual, axis=1)
    return length


def _refuse_empty(outside: Floats, from_origin: Floats) -> None:
    if outside.sum() <= NOISE * np.linalg.norm(from_origin, axis=1).sum():
        raise InputError("training rows: their embeddings leave no residual space for ViM to measure in")


def principal(width: int) -> int:
    """Dimensions of the principal space of embeddings: 1000 from 2048 numbers on, 512 from 768, else half.

    >>> principal(512), principal(768), principal(2048)
    (256, 512, 1000)
    """
    return 1000 if width >= 2048 else 512 if width >= 768 else width // 2
