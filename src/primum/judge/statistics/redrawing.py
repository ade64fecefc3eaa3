"""What the kernel calibration error of these cases would be, were their labels drawn from p."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from primum.core.arrays import Floats, Integers, Singles

CELLS = 131_072  # pairs worked on at once
FEW_CLASSES = 32  # up to here a matrix product finds the pairs of one label faster than a comparison
COLUMNS = 128  # of that product
ROWS = 32_768  # cases worked on at once in it


def spans(tiles: int, wide: int, block: int, high: int) -> Iterator[tuple[slice, slice]]:
    """Slices of ``wide`` tiles and ``high`` rows that cover all tiles (T, B, B) once.

    >>> list(spans(1, 1, 4, 2))
    [(slice(0, 1, None), slice(0, 2, None)), (slice(0, 1, None), slice(2, 4, None))]
    """
    for t in range(0, tiles, wide):
        for r in range(0, block, high):
            yield slice(t, t + wide), slice(r, r + high)


def weighted(kernel: Singles, columns: Singles) -> Singles:
    """(N, C) sums of columns (N, C) over the other cases of each case's tile, weighted by the kernel."""
    tiles, block, _ = kernel.shape
    return np.asarray(np.matmul(kernel, columns.reshape(tiles, block, -1)).reshape(len(columns), -1))


def drawn_errors(
    kernel: Singles, p: Singles, owner: Integers, rng: np.random.Generator, draws: int
) -> Floats:
    """(draws,) sums over all ordered pairs with labels drawn from p (N, K)."""
    k = p.shape[1]
    by_class = np.ascontiguousarray(p.T)
    owners = int(owner.max()) + 1
    # Σ k (p − y)·(p' − y') for many y: with many classes the part Σ k p·p' is summed once and labels alone
    # are compared; with few, residuals of several draws stand side by side in one matrix product
    if k > FEW_CLASSES:
        neighbours = weighted(kernel, p)
        constant = float((p * neighbours).sum(dtype=np.float64))
        return np.array(
            [
                constant + _one_label(kernel, neighbours, redrawn(by_class, owner, owners, rng))
                for _ in range(draws)
            ]
        )
    tiles, block, _ = kernel.shape
    sums, some = np.zeros(draws), max(1, COLUMNS // k)
    wide = max(1, ROWS // block)
    for first in range(0, draws, some):
        many = min(some, draws - first)
        together = np.stack([redrawn(by_class, owner, owners, rng) for _ in range(many)], axis=1)
        for t in range(0, tiles, wide):
            rows = slice(t * block, (t + wide) * block)
            residual = np.repeat(p[rows, None, :], many, axis=1)
            residual.reshape(-1, k)[np.arange(many * len(residual)), together[rows].ravel()] -= 1
            residual = residual.reshape(len(residual), -1)
            product = (residual * weighted(kernel[t : t + wide], residual)).sum(axis=0, dtype=np.float64)
            sums[first : first + many] += product.reshape(-1, k).sum(axis=1)
    return sums


def _one_label(kernel: Singles, neighbours: Singles, redraw: NDArray[np.int16]) -> float:
    """What labels add to ``Σ k p·p``: ``Σ k 1[y = y'] − 2 Σ k p[y']``."""
    tiles, block, _ = kernel.shape
    cross = float(neighbours[np.arange(len(redraw)), redraw].sum(dtype=np.float64))
    labels, total = redraw.reshape(tiles, block), 0.0
    high = max(1, min(block, 2 * CELLS // block))
    for t, r in spans(tiles, max(1, 2 * CELLS // (block * high)), block, high):
        total += float(np.einsum("tij,tij->", kernel[t, r], labels[t, r, None] == labels[t, None, :]))
    return total - 2 * cross


def redrawn(by_class: Singles, owner: Integers, owners: int, rng: np.random.Generator) -> NDArray[np.int16]:
    """(N,) labels drawn from p (K, N): one uniform number per owner, classes stacked in random order."""
    # cases of one owner share the uniform number; in a random order no two classes are always neighbours
    order = rng.permutation(len(by_class)).astype(np.int16)
    # above 0, so that a class of probability 0 is never drawn
    level = (1 - rng.random(owners, dtype=np.float32))[owner]
    place, total = np.zeros(len(owner), dtype=np.int16), np.zeros(len(owner), dtype=np.float32)
    for c in order[:-1]:
        total += by_class[c]
        place += level > total
    return order[place]
