"""How sure a number is: exact, bootstrap and influence-function intervals (METHODS §3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import expit, logit
from scipy.stats import beta, norm

LEVEL = 0.95
MOST_BLOCKS = 5_000

Floats = NDArray[np.float64]
Tails = Callable[[float], tuple[float, float]]
SCALES: dict[str, tuple[Callable[[float], Any], Callable[[float], Any]]] = {
    "plain": (float, float),
    "log": (np.log, np.exp),
    "logit": (logit, expit),
}


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval.

    Attributes:
        value, low, high: in the unit of the metric, low ≤ high.
        n: cases (or patients' cases) it stands on.
        tails: limit → two-sided p-values that the truth is not below, and not above, the limit.
        note: what a reader must know of this interval, one sentence, or empty.
    """

    value: float
    low: float
    high: float
    n: int
    tails: Tails
    note: str = ""


def proportion(hits: float, n: int, design_effect: float = 1.0) -> Estimate:
    """Exact (Clopper–Pearson) interval of hits / n, on n / design effect independent cases.

    Never of zero width, also at 0 or n hits.
    """
    share = hits / n
    size = n / design_effect
    k = share * size
    alpha = 1 - LEVEL
    low = float(beta.ppf(alpha / 2, k, size - k + 1)) if k > 0 else 0.0
    high = float(beta.ppf(1 - alpha / 2, k + 1, size - k)) if k < size else 1.0

    def tails(limit: float) -> tuple[float, float]:
        not_below = 2 * float(beta.sf(limit, k + 1, size - k)) if k < size else 1.0
        not_above = 2 * float(beta.cdf(limit, k, size - k + 1)) if k > 0 else 1.0
        return min(not_below, 1.0), min(not_above, 1.0)

    note = f"exact interval on {n} / {design_effect:.2f} cases, as cases of one patient are alike"
    return Estimate(share, low, high, n, tails, note if design_effect > 1 else "")


def scaled(estimate: Estimate, factor: float) -> Estimate:
    """The same estimate times a positive factor: a share as a count."""

    def tails(limit: float) -> tuple[float, float]:
        return estimate.tails(limit / factor)

    values = (estimate.value * factor, estimate.low * factor, estimate.high * factor)
    return Estimate(*values, estimate.n, tails, estimate.note)


def design_effect(hits: NDArray[Any], clusters: NDArray[Any] | None) -> float:
    """Variance of a share among clustered cases over that among independent ones, at least 1.

    With no hit or only hits the variance cannot be seen: then cases per cluster (a patient counts once).

    Args:
        hits: (n,) bool or 0/1.
        clusters: (n,) int, the patient of each case, or None.
    """
    if clusters is None:
        return 1.0
    values = hits.astype(np.float64)
    n, share = len(values), float(values.mean())
    _, index = np.unique(clusters, return_inverse=True)
    count = int(index.max()) + 1
    if share in (0.0, 1.0) or count < 2:
        return n / count
    residuals = np.bincount(index, weights=values - share, minlength=count)
    variance = count / (count - 1) * float(residuals @ residuals)
    return max(1.0, variance / (n * share * (1 - share)))


def influence_error(influence: Floats, clusters: NDArray[Any] | None) -> float:
    """Standard error from the influence (N,) of every case; they add up within a cluster (N,).

    Clusters are numbers from 0, as few as can be: not all need occur.
    """
    sums = influence if clusters is None else np.asarray(np.bincount(clusters, influence), dtype=np.float64)
    units = len(influence) if clusters is None else int(np.count_nonzero(np.bincount(clusters)))
    return float(np.sqrt(units / max(units - 1, 1) * float(sums @ sums))) / len(influence)


def unmoved(value: float, n: int, bounds: tuple[float, float]) -> Estimate:
    """Interval of a metric that no resampling moves, since nothing (or everything) went wrong in n cases.

    As wide as the exact upper bound on a share never seen in n cases allows, times the range of the metric.
    """
    half = proportion(0, max(n, 1)).high * (bounds[1] - bounds[0])
    low, high = max(value - half, bounds[0]), min(value + half, bounds[1])

    def tails(limit: float) -> tuple[float, float]:
        return (1 - LEVEL if limit > high else 1.0), (1 - LEVEL if limit < low else 1.0)

    note = (
        f"nothing of the kind was seen in {n} cases: the interval is the exact bound on what could be missed"
    )
    return Estimate(value, low, high, n, tails, note)


def normal(value: float, error: float, n: int, scale: str = "plain") -> Estimate:
    """Interval from a standard error, symmetric on a scale on which it stays in range.

    Args:
        value: the metric.
        error: its standard error.
        n: cases it stands on.
        scale: ``"plain"``, ``"log"`` for a metric above 0, ``"logit"`` for one between 0 and 1.
    """
    if scale == "log" and value > 0:
        centre, width = float(np.log(value)), error / value
    elif scale == "logit" and 0 < value < 1:
        centre, width = float(logit(value)), error / (value * (1 - value))
    else:
        scale, centre, width = "plain", value, error
    forth, back = SCALES[scale]
    z = float(norm.ppf(0.5 + LEVEL / 2))

    def tails(limit: float) -> tuple[float, float]:
        if width == 0:
            return (float(value >= limit), float(value <= limit))
        if scale == "log" and limit <= 0:
            return 1.0, 0.0
        if scale == "logit" and not 0 < limit < 1:
            return (1.0, 0.0) if limit <= 0 else (0.0, 1.0)
        distance = (centre - float(forth(limit))) / width
        return min(1.0, 2 * float(norm.cdf(distance))), min(1.0, 2 * float(norm.sf(distance)))

    return Estimate(value, float(back(centre - z * width)), float(back(centre + z * width)), n, tails)


def from_replicates(
    value: float,
    replicates: Floats,
    n: int,
    kind: str = "percentile",
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Estimate:
    """Interval from bootstrap replicates (B,): ``"percentile"``, or ``"basic"`` for a biased metric."""
    draws = replicates if kind == "percentile" else 2 * value - replicates
    draws = np.clip(draws, *bounds)
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])

    def tails(limit: float) -> tuple[float, float]:
        most = len(draws) + 1
        not_below = (1 + float((draws >= limit).sum())) / most
        not_above = (1 + float((draws <= limit).sum())) / most
        return min(1.0, 2 * not_below), min(1.0, 2 * not_above)

    return Estimate(value, min(float(low), value), max(float(high), value), n, tails)


class Resampler:
    """Bootstrap weights over patients where known, over cases otherwise, shared by every metric of a table.

    Up to 5,000 patients (or cases) each is a unit of its own: the ordinary bootstrap. Above that they are put
    at random into 5,000 blocks and the blocks are resampled, which keeps every case and the variance of any
    smooth metric, at a cost that no longer grows with N.

    Args:
        clusters: (N,) int, the patient of each case, or the rank of its id: then row order has no influence.
        replicates: B.
        seed: of the draws.
    """

    def __init__(self, clusters: NDArray[Any], replicates: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        _, index = np.unique(clusters, return_inverse=True)
        self.units = int(index.max()) + 1
        self.blocks = min(self.units, MOST_BLOCKS)
        if self.units > self.blocks:
            index = rng.permutation(np.arange(self.units) % self.blocks)[index]
        self.block = index.astype(np.int64)
        draws = rng.integers(0, self.blocks, (replicates, self.blocks))
        draws += np.arange(replicates)[:, None] * self.blocks
        weights = np.bincount(draws.ravel(), minlength=replicates * self.blocks)
        self.weights = weights.reshape(replicates, self.blocks).astype(np.float32)

    def sums(self, bins: NDArray[Any], count: int, values: Floats | None = None) -> Floats:
        """(B, count) replicates of the sum of ``values`` (default 1) over the cases of each bin.

        Args:
            bins: (N,) int in [0, count).
            count: number of bins.
            values: (N,) or None.
        """
        cells = self.blocks * count
        if cells <= max(4_000_000, 4 * len(bins)):
            table = np.bincount(self.block * count + bins, values, minlength=cells)
            dense = table.reshape(self.blocks, count).astype(np.float32)
            return np.asarray(self.weights @ dense, dtype=np.float64)
        data = np.ones(len(bins)) if values is None else values
        table = sparse.csr_matrix((data, (bins, self.block)), shape=(count, self.blocks))
        return np.asarray((table @ self.weights.T).T, dtype=np.float64)
