"""One range of values for all images of a data set that state none themselves."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from primum.imaging.levels import Range

if TYPE_CHECKING:
    from primum.data.images import ImageTable

THREADS = 8
RARE = 0.01  # of the images may reach beyond the range, so that a damaged one does not flatten all others
FAR = 0.1  # of the range, beyond which an image is counted as outside


@dataclass(frozen=True, eq=False)
class Ranges:
    """Least and greatest values of the images that state no range.

    Attributes:
        n: images looked at. low, high: (U,) of the U images among them that state no range.
    """

    n: int
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @property
    def span(self) -> Range | None:
        """One range that 99 % of them lie in at either end, all of them below 100; None without any."""
        if not len(self.low):
            return None
        low = np.quantile(self.low, RARE, method="lower")
        high = np.quantile(self.high, 1 - RARE, method="higher")
        return float(low), float(max(high, low + 1e-9))

    def outside(self, span: Range) -> int:
        """How many reach beyond a range by more than a tenth of it."""
        margin = FAR * (span[1] - span[0])
        return int(((self.low < span[0] - margin) | (self.high > span[1] + margin)).sum())


def measure(table: ImageTable) -> Ranges:
    """Look at every image of more than eight bits that states no range; the others are not decoded.

    Raises:
        CorruptImageError: for an image that does not decode, or holds NaN.
    """
    if table.pixels is not None:
        return Ranges(len(table), np.empty(0), np.empty(0))
    with ThreadPoolExecutor(THREADS) as pool:
        found = [one for many in pool.map(table.levels, range(len(table)), chunksize=64) for one in many]
    pairs = np.array(found, dtype=np.float64).reshape(-1, 2)
    return Ranges(len(table), pairs[:, 0], pairs[:, 1])


def told(ranges: Ranges, span: Range | None) -> str:
    """What is made of images that state no range, in a sentence; empty where all state one."""
    if not len(ranges.low) or span is None:
        return ""
    return (
        f"{len(ranges.low)} of {ranges.n} images have more than 8 bits and state no range: {span[0]:g} to "
        f"{span[1]:g} becomes black to white in all of them"
    )
