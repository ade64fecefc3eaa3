"""Kernel calibration error: is the vector of probabilities deserved? See ``docs/methods.md#calibration``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from primum.core import check
from primum.core.arrays import Array, Floats, Integers, Singles
from primum.core.check import InputError
from primum.judge.statistics.interval import Estimate, squared
from primum.judge.statistics.redrawing import CELLS, drawn_errors, spans
from primum.judge.statistics.shares import unmoved

MOST_PAIRED = 5_000  # cases that are all compared with each other; beyond, as many pairs inside random blocks
DRAWS = 200


@dataclass(frozen=True, eq=False)
class KernelError:
    """The squared kernel calibration error (SKCE) of one table.

    Attributes:
        value: unbiased, so it may be negative; 0 when calibrated.
        influence: (N,) influence of each case.
        p_value: share of label draws from p with an error as large, or None where none were drawn.
        pairs: pairs of cases compared. block: cases in each block, N when all were compared with all.
        width: ν of the kernel.
        biased: the mean that also counts a case with itself and with its patient's others, never below 0.
    """

    value: float
    influence: Floats
    p_value: float | None
    pairs: int
    block: int
    width: float
    biased: float


def kernel_error(
    labels: ArrayLike,
    probs: ArrayLike,
    clusters: Array | None = None,
    *,
    units: Array | None = None,
    seed: int = 0,
    draws: int = DRAWS,
    most_paired: int = MOST_PAIRED,
) -> KernelError:
    """``2/(N(N−1)) Σ_{i<j} exp(−‖p_i−p_j‖/ν) (y_i−p_i)ᵀ(y_j−p_j)``, ν the median distance (unbiased SKCE).

    Pairs of one patient are dropped. Up to 5,000 cases all pairs are compared. Beyond, cases fall into random
    blocks that hold 25 million ordered pairs together, and the mean goes over pairs within a block: unbiased
    too, every case counts, in bounded time and memory. The p-value is ``(1 + draws at least as large) /
    (1 + draws)``, labels redrawn from p with one draw per patient, as cases of a patient share their class
    more often than not; where they do not, p is larger than it need be. Sources: Widmann, Lindsten and
    Zachariah, NeurIPS 2019; blocks as in Zaremba, Gretton and Blaschko, NeurIPS 2013; the joint draw is ours.

    Args:
        labels: (N,) class indices.
        probs: (N, K) probabilities.
        clusters: (N,) int, the patient of each case, or None.
        units: (N,) int that orders the cases, so that row order has no influence; default p and label.
        seed: of blocks and draws. draws: of labels, 0 for no p-value. most_paired: cases compared with all
            others.

    Raises:
        InputError: where there is no pair of two patients.
    """
    true, p = check.array(labels), check.array(probs).astype(np.float64)
    n, k = p.shape
    # sorted first, so that blocks and draws do not depend on the order in which rows arrive
    keys = (true, *p.T) if units is None else (p.max(axis=1), true, units)
    order, rng = np.lexsort(keys), np.random.default_rng(seed)
    block = n if n <= most_paired else max(2, most_paired * most_paired // n)
    if block < n:
        order = rng.permutation(order)
    tiles = -(-n // block)
    # the last tile is filled up with row −1, whose kernel is 0 and which adds nothing
    rows = np.concatenate([order, np.full(tiles * block - n, -1)])
    owner = np.arange(n) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    kernel, partners, width = _kernel(p[rows].reshape(tiles, block, k), np.where(rows < 0, -1, owner[rows]))
    pairs = int(partners.sum())
    if not pairs:
        raise InputError(f"the kernel calibration error needs two cases of two patients, {n} cases arrived")
    p, true, owner = p[rows], true[rows], owner[rows]
    # negative entries mark pairs that are not compared; from here on they count as 0
    products, inside = _products(kernel, p - (true[:, None] == np.arange(k)))
    np.maximum(kernel, 0, out=kernel)
    value = float(products.sum()) / pairs
    # derivative of a ratio of two sums over pairs, each pair standing in the sums of both its cases
    influence = np.empty(n)
    influence[order] = (2 * n / pairs * (products - value * partners))[:n]
    p_value = None
    if draws:
        redrawn = drawn_errors(kernel, p.astype(np.float32), owner, rng, draws) / pairs
        # equal up to rounding counts as large: a p-value may err upwards alone
        p_value = (1 + int((redrawn >= value - 1e-9).sum())) / (1 + draws)
    biased = (float(products.sum()) + inside) / (n * block)
    return KernelError(
        value, influence, p_value=p_value, pairs=pairs // 2, block=block, width=width, biased=biased
    )


def interval(error: KernelError, clusters: Array | None) -> Estimate:
    """Interval of an SKCE, which is the squared length of a mean: see :func:`interval.squared`.

    Args:
        error: of :func:`kernel_error`. clusters: (N,) patient of each case, or None.
    """
    n = len(error.influence)
    if np.abs(error.influence).max() <= 1e-12:
        units = n if clusters is None else len(np.unique(clusters))
        return unmoved(error.value, n, (0.0, 2.0), units, "cases" if clusters is None else "patients")
    return squared(error.value, error.biased, error.influence, clusters)


def _products(kernel: Singles, residual: Floats) -> tuple[Floats, float]:
    """(N,) sums over the pairs of each case, and the sum over the pairs that are not compared.

    In double precision, a few rows of the kernel at a time: in single precision the order in which a matrix
    product adds depends on where the column of a class stands.
    """
    tiles, block, _ = kernel.shape
    columns = residual.reshape(tiles, block, -1)
    products, inside = np.empty((tiles, block)), 0.0
    high = max(1, min(block, CELLS // block))
    for t, r in spans(tiles, max(1, CELLS // (block * high)), block, high):
        part, rows = kernel[t, r].astype(np.float64), columns[t, r]
        # the negative entries, set apart for the mean that counts those pairs too
        among = np.minimum(part, 0)
        part -= among
        products[t, r] = (rows * (part @ columns[t])).sum(axis=2)
        if among.any():
            inside -= float((rows * (among @ columns[t])).sum())
    return products.ravel(), inside


def _kernel(p: Floats, owner: Integers) -> tuple[Singles, Integers, float]:
    """Kernel (T, B, B) of probabilities (T, B, K), (T·B,) cases each case is compared with, and ν.

    The kernel is negative between cases of one owner, which are not compared, and 0 with those of owner −1.
    """
    tiles, block, _ = p.shape
    of = owner.reshape(tiles, block)
    kernel = np.empty((tiles, block, block), dtype=np.float32)
    square = np.einsum("tik,tik->ti", p, p)
    high = max(1, min(block, CELLS // block))
    for t, r in spans(tiles, max(1, CELLS // (block * high)), block, high):
        # ‖a − b‖² = ‖a‖² + ‖b‖² − 2 a·b: one matrix product instead of all differences
        apart = square[t, r, None] + square[t, None, :] - 2 * p[t, r] @ p[t].transpose(0, 2, 1)
        np.sqrt(np.maximum(apart, 0, out=apart), out=apart)
        apart[apart < 1e-7] = 0  # rounding of the difference of two squares
        np.negative(apart, out=apart, where=of[t, r, None] == of[t, None, :])
        apart[(of[t, r, None] < 0) | (of[t, None, :] < 0)] = np.inf
        kernel[t, r] = apart
    inside = np.signbit(kernel)
    compared = np.isfinite(kernel) & ~inside
    partners = compared.sum(axis=2).ravel()
    compared &= np.arange(block)[:, None] < np.arange(block)  # each pair once
    distances = kernel[compared]
    width = _width(distances)
    # freed before the kernel is written: together they would need twice its memory
    del distances, compared
    np.abs(kernel, out=kernel)
    kernel /= -width
    np.exp(kernel, out=kernel)
    return np.negative(kernel, out=kernel, where=inside), partners, width


def _width(distances: Singles) -> float:
    """Median of the distances, which it reorders; the mean where that is 0, as most are told the same."""
    if not len(distances):
        return 1.0
    middle = [(len(distances) - 1) // 2, len(distances) // 2]
    distances.partition(middle)
    return float(distances[middle].mean()) or float(distances.mean()) or 1.0
