"""Which pictures are the same, whatever was done to the file: hashes propose pairs, pixels decide.

A pair whose 16 × 16 difference hashes (is the next cell brighter?) differ in at most ``FAR`` of 256 bits is a
candidate. It counts when its thumbnails correlate by ``SAME``, or agree block by block by ``ALIKE``: inside a
block neither brightness nor contrast matters, so a sharpened or brightened copy passes and the neighbouring
slice of the same head does not. ``results/near-duplicates.md`` shows how the limits were chosen and what is
not found: mirrored or turned copies, and crops.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from primum.core.arrays import Bools, Bytes, Integers, Singles

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE, CELLS, BLOCK = 64, 16, 8  # pixels of the thumbnail, cells of the hash, pixels of a block
FAR, ALIKE, SAME = 24, 0.95, 0.99
FLAT = 2.0  # grey levels: what varies less (a blank image) is compared by its bytes alone
NOISE = 1.0  # grey levels squared: agreement of rounding errors counts for nothing
ROWS, PAIRS = 512, 2048

Pixels = Bytes
Bits = Bools


def mark(picture: Image) -> tuple[Bits, Pixels]:
    """Difference hash (256,) and grey thumbnail (64, 64) of a picture of any size.

    The hash is dHash (N. Krawetz, hackerfactor.com, 2013) at 16 × 16 cells, left to right.
    """
    from PIL import Image as images

    small = picture.convert("L").resize((SIDE, SIDE), images.Resampling.BICUBIC)
    cells = np.asarray(small.resize((CELLS + 1, CELLS), images.Resampling.BICUBIC))
    return (cells[:, 1:] > cells[:, :-1]).ravel(), np.asarray(small, dtype=np.uint8)


def near(bits: Bits, thumbs: Pixels, far: int = FAR, alike: float = ALIKE) -> Integers:
    """(P, 2) pairs of rows, first < second, that show the same picture.

    Args:
        bits: (N, 256) difference hashes. thumbs: (N, 64, 64) grey thumbnails.
        far: most bits that may differ. alike: least agreement of the thumbnails, see :func:`agree`.
    """
    textured = np.flatnonzero([thumb.std() >= FLAT for thumb in thumbs])
    signs = np.where(bits[textured], 1, -1).astype(np.float32)
    blocks = [np.empty((0, 2), dtype=np.int64)]
    for start in range(0, len(textured), ROWS):
        # a product of ±1 counts agreeing bits in BLAS, many times faster than comparing bits
        agreement = signs[start : start + ROWS] @ signs[start:].T  # 256 - 2 × bits that differ
        first, second = np.nonzero(agreement >= bits.shape[1] - 2 * far)
        later = second > first
        candidates = textured[np.stack([first[later], second[later]], axis=1) + start]
        for part in range(0, len(candidates), PAIRS):
            pairs = candidates[part : part + PAIRS]
            left, right = thumbs[pairs[:, 0]], thumbs[pairs[:, 1]]
            blocks.append(pairs[(agree(left, right) >= alike) | (correlate(left, right) >= SAME)])
    return np.concatenate(blocks)


def agree(first: Pixels, second: Pixels) -> Singles:
    """(P,) agreement, -1 to 1, of thumbnails (P, 64, 64): mean correlation inside blocks of 8 × 8 pixels.

    A block weighs as the square root of its contrast in both, so neither the background nor one strong edge
    decides. The form is our own; inside a block it is the structure term of SSIM (Wang et al. 2004).
    """
    left, right = _blocks(first), _blocks(second)
    contrast = np.sqrt((left**2).sum(axis=2) * (right**2).sum(axis=2))
    correlation = (left * right).sum(axis=2) / (contrast + BLOCK * BLOCK * NOISE)
    weight = np.sqrt(contrast)
    total = np.maximum(weight.sum(axis=1), np.finfo(np.float32).tiny)
    return np.asarray((correlation * weight).sum(axis=1) / total, dtype=np.float32)


def correlate(first: Pixels, second: Pixels) -> Singles:
    """(P,) Pearson correlation of thumbnails (P, 64, 64), 0 where one of them is flat."""
    left, right = (part.reshape(len(part), -1).astype(np.float32) for part in (first, second))
    left, right = left - left.mean(axis=1, keepdims=True), right - right.mean(axis=1, keepdims=True)
    contrast = np.sqrt((left**2).sum(axis=1) * (right**2).sum(axis=1))
    return np.asarray((left * right).sum(axis=1) / np.maximum(contrast, np.finfo(np.float32).tiny))


def _blocks(thumbs: Pixels) -> Singles:
    """(P, blocks, pixels) of thumbnails, the mean of each block taken away."""
    across = SIDE // BLOCK
    cut = thumbs.reshape(-1, across, BLOCK, across, BLOCK).transpose(0, 1, 3, 2, 4)
    blocks = cut.reshape(len(thumbs), across * across, BLOCK * BLOCK).astype(np.float32)
    return np.asarray(blocks - blocks.mean(axis=2, keepdims=True))


def groups(n: int, pairs: Sequence[Integers]) -> Integers:
    """(N,) group of each row that pairs (P, 2) connect to another, by first appearance; -1 for the rest."""
    joined = np.concatenate([np.empty((0, 2), dtype=np.int64), *pairs])
    links = coo_matrix((np.ones(len(joined), dtype=bool), (joined[:, 0], joined[:, 1])), shape=(n, n))
    _, of = connected_components(links, directed=False)
    several = np.bincount(of, minlength=1)[of] > 1
    numbers = np.full(n, -1, dtype=np.int64)
    _, first, index = np.unique(of[several], return_index=True, return_inverse=True)
    # ranks of first rows: the numbers must not depend on how SciPy counts components
    numbers[several] = np.argsort(np.argsort(first))[index]
    return numbers
