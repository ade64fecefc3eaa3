"""How sure a number is: bootstrap and influence-function intervals, over patients where they are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.special import expit, logit
from scipy.stats import norm, t

from primum.core.arrays import Array, Floats

LEVEL = 0.95
MOST_BLOCKS = 5_000
FEW = 20  # patients: below, an interval is a rough guide, and the audit says so
FEW_DRAWN = 50  # units, too few to read the far quantiles of their resamples
CARRYING = 1.5  # of the clusters that would carry the error evenly, by simulation

Tails = Callable[[float], tuple[float, float]]
SCALES: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
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


def influence_error(influence: Floats, clusters: Array | None) -> float:
    """Standard error from the influence (N,) of every case; they add up within a cluster (N,).

    Each cluster's sum counts ``m / (m − 1)`` times, m the clusters that carry any influence: about what
    leaving it out would move the metric, as the metric bends towards the very cases it was computed from.
    Clusters are numbers from 0, as few as can be: not all need occur.
    """
    sums = influence if clusters is None else np.asarray(np.bincount(clusters, influence), dtype=np.float64)
    units = carriers(influence, clusters)
    return units / max(units - 1, 1) * float(np.sqrt(sums @ sums)) / len(influence)


def carriers(values: Array, clusters: Array | None) -> int:
    """How many clusters (N,), or cases where they are None, have a value (N,) other than 0.

    >>> carriers(np.array([0.5, 0.0, 0.2, 0.1]), np.array([0, 0, 1, 1]))
    2
    """
    carrying = np.asarray(values) != 0
    return int(carrying.sum()) if clusters is None else len(np.unique(np.asarray(clusters)[carrying]))


def freedom(influence: Floats, clusters: Array | None) -> float:
    """Degrees of freedom of :func:`influence_error`, from 1 to one less than the clusters that carry any.

    Where few of them carry most of the error it is known as badly as if there were no others. With sums s the
    number that carry it evenly is ``(Σ s²)² / Σ s⁴``, as in Satterthwaite's approximation; for normal sums
    that is a third of all, and half as many again held its level in simulations.
    """
    sums = influence if clusters is None else np.asarray(np.bincount(clusters, influence), dtype=np.float64)
    # in units of the largest, so that fourth powers neither overflow nor vanish
    scaled = sums / max(float(np.abs(sums).max()), 1e-300)
    fourth = float((scaled**4).sum())
    highest = max(carriers(influence, clusters) - 1, 1)
    if fourth == 0:
        return float(highest)
    return float(np.clip(CARRYING * float(scaled @ scaled) ** 2 / fourth, 1, highest))


def quantile(free: float) -> float:
    """Half-width of a 95 % interval in standard errors with so many degrees of freedom: Student's t.

    >>> round(quantile(10), 3)
    2.228
    """
    return float(t.ppf((1 + LEVEL) / 2, max(free, 1)))


def normal(
    value: float,
    error: float,
    n: int,
    free: float,
    *,
    scale: str = "plain",
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Estimate:
    """Interval from a standard error, symmetric on a scale on which it stays in range.

    Args:
        value: the metric. error: its standard error. n: cases it stands on.
        free: degrees of freedom of the error, for Student's t.
        scale: ``"plain"``, ``"log"`` for a metric above 0, ``"logit"`` for one between 0 and 1.
        bounds: range of the metric.
    """
    # delta method: the error on the scale is the error times the derivative of the scale
    if scale == "log" and value > 0:
        centre, width = float(np.log(value)), error / value
    elif scale == "logit" and 0 < value < 1:
        centre, width = float(logit(value)), error / (value * (1 - value))
    else:
        scale, centre, width = "plain", value, error
    forth, back = SCALES[scale]
    reach, free = quantile(free) * width, max(free, 1)

    def tails(limit: float) -> tuple[float, float]:
        if width == 0:
            return (float(value >= limit), float(value <= limit))
        if scale == "log" and limit <= 0:
            return 1.0, 0.0
        if scale == "logit" and not 0 < limit < 1:
            return (1.0, 0.0) if limit <= 0 else (0.0, 1.0)
        distance = (centre - float(forth(limit))) / width
        return min(1.0, 2 * float(t.cdf(distance, free))), min(1.0, 2 * float(t.sf(distance, free)))

    with np.errstate(over="ignore"):  # of two patients: infinite, and cut to the range
        low, high = np.clip([float(back(centre - reach)), float(back(centre + reach))], *bounds)
    return Estimate(value, float(low), float(high), n, tails)


def squared(
    value: float,
    biased: float,
    influence: Floats,
    clusters: Array | None,
) -> Estimate:
    """Interval of a squared length without bias, each end with the variance that holds there, as in Wilson's.

    Its variance grows with the square itself, so that the influences of a table whose value came out low
    understate it: upwards of the value the variance grows in proportion.

    Args:
        value: the unbiased square, which may be negative. biased: the biased one, never below 0.
        influence: (N,) of every case on the value, not all 0. clusters: (N,) patient of each case, or None.
    """
    error, base = influence_error(influence, clusters), max(biased, 1e-12)
    free = freedom(influence, clusters)
    z = quantile(free)
    # upper end: the root h of (h − value)² = z² error² (1 + (h − value) / base), a quadratic as Wilson's
    lean = (z * error) ** 2 / (2 * base)

    def tails(limit: float) -> tuple[float, float]:
        distance = (limit - value) / (error * np.sqrt(1 + max(limit - value, 0) / base))
        return min(1.0, 2 * float(t.sf(distance, free))), min(1.0, 2 * float(t.cdf(distance, free)))

    high = value + lean + float(np.hypot(lean, z * error))
    return Estimate(value, value - z * error, high, len(influence), tails)


def from_replicates(
    value: float,
    replicates: Floats,
    n: int,
    units: int,
    *,
    kind: str = "percentile",
    bounds: tuple[float, float] = (-np.inf, np.inf),
    free: float = 0,
) -> Estimate:
    """Interval from bootstrap replicates (B,).

    A bootstrap over m units is too narrow by ``√((m − 1) / m)`` and takes their spread as certain: levels are
    those at which a normal law puts ``t_{m−1} √(m / (m − 1))`` (Hesterberg, American Statistician 2015).
    Below 50 units there are too few resamples for such levels: then Student's t with the standard deviation
    of the replicates, on a scale that stays within the bounds.

    Args:
        value: the metric. replicates: of it. n: cases it stands on. units: that were drawn.
        kind: ``"percentile"``; ``"basic"`` for a biased metric; ``"spread"``, the value and the standard
            deviation alone, for a difference of biased metrics, where the bias of the replicates misleads.
        bounds: range of the metric.
        free: degrees of freedom where they are fewer than the units less one, else 0.
    """
    wider = float(np.sqrt(units / max(units - 1, 1)))
    spread = wider * float(replicates.std())
    free = free or max(units - 1, 1)
    if kind == "spread":
        return normal(value, spread, n, free, bounds=bounds)
    if kind == "percentile" and units < FEW_DRAWN:
        return _bounded(value, spread, n, free, bounds)
    draws = replicates
    if kind == "basic":
        # mirrored at the value, so that the bias of the replicates is taken off instead of added once more
        draws = 2 * value - replicates
        factor = wider * quantile(free) / float(norm.ppf((1 + LEVEL) / 2))
        draws = draws.mean() + (draws - draws.mean()) * factor
        level = (1 - LEVEL) / 2
    else:
        level = float(norm.sf(wider * quantile(free)))
    draws = np.clip(draws, *bounds)
    low, high = np.quantile(draws, [level, 1 - level])

    def tails(limit: float) -> tuple[float, float]:
        total = len(draws) + 1
        shares = np.array([(draws >= limit).sum() + 1, (draws <= limit).sum() + 1]) / total
        if kind == "percentile":  # the level at which the wider interval would end there
            shares = t.sf(norm.isf(np.minimum(shares, 1 - 1e-12)) / wider, free)
        return min(1.0, 2 * float(shares[0])), min(1.0, 2 * float(shares[1]))

    return Estimate(value, min(float(low), value), max(float(high), value), n, tails)


def _bounded(value: float, spread: float, n: int, free: float, bounds: tuple[float, float]) -> Estimate:
    """Student's t on the logit of where the value lies between finite bounds, plain at an end of them."""
    low, width = bounds[0], bounds[1] - bounds[0]
    if not np.isfinite(width) or not 0 < (value - low) / width < 1:
        return normal(value, spread, n, free, bounds=bounds)
    inner = normal((value - low) / width, spread / width, n, free, scale="logit")

    def tails(limit: float) -> tuple[float, float]:
        return inner.tails((limit - low) / width)

    return Estimate(value, low + inner.low * width, low + inner.high * width, n, tails)


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

    def __init__(self, clusters: Array, replicates: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        _, index = np.unique(clusters, return_inverse=True)
        self.units = int(index.max()) + 1
        self.blocks = min(self.units, MOST_BLOCKS)
        if self.units > self.blocks:
            index = rng.permutation(np.arange(self.units) % self.blocks)[index]
        self.block = index.astype(np.int64)
        draws = rng.integers(0, self.blocks, (replicates, self.blocks))
        # an offset for each replicate lets one bincount count the draws of all of them
        draws += np.arange(replicates)[:, None] * self.blocks
        weights = np.bincount(draws.ravel(), minlength=replicates * self.blocks)
        self.weights = weights.reshape(replicates, self.blocks).astype(np.float32)

    def sums(self, bins: Array, count: int, values: Floats | None = None) -> Floats:
        """(B, count) replicates of the sum of ``values`` (default 1) over the cases of each bin.

        Args:
            bins: (N,) int in [0, count).
            count: number of bins.
            values: (N,) or None.
        """
        # dense while the table fits beside the cases; many bins of few cases each are mostly 0
        cells = self.blocks * count
        if cells <= max(4_000_000, 4 * len(bins)):
            table = np.bincount(self.block * count + bins, values, minlength=cells)
            dense = table.reshape(self.blocks, count).astype(np.float32)
            return np.asarray(self.weights @ dense, dtype=np.float64)
        data = np.ones(len(bins)) if values is None else values
        table = sparse.csr_matrix((data, (bins, self.block)), shape=(count, self.blocks))
        return np.asarray((table @ self.weights.T).T, dtype=np.float64)
