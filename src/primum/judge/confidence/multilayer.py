"""How near what every stage of a network sees lies to what it saw of the training rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from primum.core.arrays import Floats, Reals
from primum.core.check import InputError
from primum.judge.confidence.distance import blocks, deviation

# of the largest eigenvalue: features come in single precision, often from half of it, so that what lies in
# narrower directions is rounding, which the inverse would carry as far away as they are narrow
NARROWEST = 1e-6
NEAREST = 1e-12  # a squared distance below it counts as this one, so that its logarithm is a number
# of the score, in deviations of a stage: a product of matrices rounds otherwise for a row alone than for the
# same row among others, and σ of a wide stage, a few hundredths, takes that beyond what counts as equal
DECIMALS = 8
ROUNDING = 1e-9  # of log distances: a spread below it is none


@dataclass(frozen=True, eq=False)
class Stage:
    """One stage of the network, as the training rows fill it.

    Attributes:
        centre: (W,) mean. whiten: (W, R) with ``whiten @ whiten.T`` the pseudo-inverse of the covariance.
        level, spread: mean and standard deviation of the log squared distance of the training rows, each to
            the others.
    """

    centre: Floats
    whiten: Floats
    level: float = 0.0
    spread: float = 1.0

    def log_distance(self, seen: Reals) -> Floats:
        """(N,) ``log (g − μ)ᵀ Σ⁺ (g − μ)`` of what the stage saw, (N, W)."""
        squared = np.empty(len(seen))
        for rows in blocks(*seen.shape):
            white = (seen[rows].astype(np.float64) - self.centre) @ self.whiten
            squared[rows] = np.einsum("ij,ij->i", white, white)
        return np.log(np.maximum(squared, NEAREST))


def left_out(log_distance: Floats) -> Floats:
    """(M,) log squared distance of each of M training rows to the others, from that to all of them.

    ``M d / (M − 1 − d)``, exact: what removing a row does to mean and covariance (Sherman & Morrison,
    Annals of Mathematical Statistics 1950). A row that all but alone fills a direction, d above
    M − 2, counts as M d.
    """
    rows = len(log_distance)
    rest = np.maximum(rows - 1 - np.exp(log_distance), 1.0)
    return np.asarray(log_distance + np.log(rows) - np.log(rest), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Multilayer:
    """Mahalanobis distances in all stages, each on the scale that the training rows have there."""

    stages: tuple[Stage, ...]

    @property
    def widths(self) -> tuple[int, ...]:
        """Numbers of each stage."""
        return tuple(len(stage.centre) for stage in self.stages)

    def __call__(self, seen: Sequence[Reals]) -> Floats:
        """(N,) ``−Σ_l (log d_l − m_l) / σ_l`` of what each stage saw, (N, W) each, rounded to 8 decimals.

        Raises InputError for stages of other widths than those of the training rows.
        """
        return np.asarray(-self.profile(seen).sum(axis=1).round(DECIMALS), dtype=np.float64)

    def profile(self, seen: Sequence[Reals]) -> Floats:
        """(N, L) ``z_l = (log d_l − m_l) / σ_l``: how strange each stage is.

        Raises InputError for stages of other widths than those of the training rows.
        """
        return self._profile(seen, of_training=False)

    def of_training(self, seen: Sequence[Reals]) -> Floats:
        """(M, L) the same of the training rows themselves, each held against the others."""
        return self._profile(seen, of_training=True)

    def _profile(self, seen: Sequence[Reals], *, of_training: bool) -> Floats:
        widths = tuple(part.shape[1] for part in seen)
        if widths != self.widths:
            raise InputError(
                f"stages: numbers of each {self.widths} were expected, as of the training rows, {widths} "
                "came; bring rows of the same network"
            )
        logs = [stage.log_distance(part) for stage, part in zip(self.stages, seen, strict=True)]
        distances = [
            ((left_out(log) if of_training else log) - stage.level) / stage.spread
            for stage, log in zip(self.stages, logs, strict=True)
        ]
        return np.stack(distances, axis=1)


@dataclass(frozen=True, eq=False)
class Profile:
    """How strange the strangest stage is, and how strange the stages are together.

    A sum over stages hides what few of them notice: darkness is seen by the first, a bent image by the last.
    This score asks for the largest z and for the Mahalanobis distance of the profile z, since stages are
    strange together in known images, too.

    Attributes:
        multilayer: of the stages. centre: (L,) mean profile of the training rows. whiten: (L, R) of their
            covariance. scale: (2, 2) mean and standard deviation, over the training rows, of the largest z
            and of the log squared distance of the profile.
    """

    multilayer: Multilayer
    centre: Floats
    whiten: Floats
    scale: Floats

    def __call__(self, seen: Sequence[Reals]) -> Floats:
        """(N,) the two, each on the scale of the training rows, added up, negated, rounded to 8 decimals."""
        parts = _peak_and_distance(self.multilayer.profile(seen), self.centre, self.whiten)
        scaled = (parts - self.scale[0]) / self.scale[1]
        return np.asarray(-scaled.sum(axis=1).round(DECIMALS), dtype=np.float64)


def fit_profile(multilayer: Multilayer, seen: Sequence[Reals]) -> Profile:
    """From the stages of training rows, (M, W) each, that ``multilayer`` was fitted to."""
    profile = multilayer.of_training(seen)
    centre = profile.mean(axis=0)
    values, vectors = np.linalg.eigh((profile - centre).T @ (profile - centre) / len(profile))
    spanned = values > NARROWEST * max(values[-1], NEAREST)
    whiten = vectors[:, spanned] / np.sqrt(values[spanned])
    parts = _peak_and_distance(profile, centre, whiten)
    spread = [deviation(part, ROUNDING) for part in parts.T]
    return Profile(multilayer, centre, whiten, np.stack([parts.mean(axis=0), spread]))


def _peak_and_distance(profile: Floats, centre: Floats, whiten: Floats) -> Floats:
    squared = np.square((profile - centre) @ whiten).sum(axis=1)
    return np.stack([profile.max(axis=1), np.log(np.maximum(squared, NEAREST))], axis=1)


def fit_multilayer(seen: Sequence[Reals]) -> Multilayer:
    """Mean and covariance of every stage, from training rows.

    Features are standardised first, constant ones left out; of the covariance directions narrower than 1e-6
    of the widest (in variance) are left out as rounding. The scale of each stage, m and σ, is that of the log
    distances of the training rows, each to all others: to itself too, it would seem nearer than new rows are.

    Args:
        seen: of each stage (M, W), channel means and deviations.

    Raises:
        InputError: with fewer rows than a stage has numbers, where distances would all be equal, or a stage
            in which nothing varies.

    >>> train = np.array([[0.0], [1.0], [3.0], [4.0]])
    >>> others = [np.delete(train, at) for at in range(4)]
    >>> log_d = np.log([(one - rest.mean()) ** 2 / rest.var() for one, rest in zip(train[:, 0], others)])
    >>> new = np.log((3.0 - 2.0) ** 2 / 2.5)  # mean 2, variance 2.5 of all
    >>> bool(np.allclose(fit_multilayer([train])([np.array([[3.0]])]), -(new - log_d.mean()) / log_d.std()))
    True
    """
    if not len(seen):
        raise InputError("training rows: features of at least one stage were expected, none came")
    return Multilayer(tuple(_fit(np.asarray(part, dtype=np.float64)) for part in seen))


def _fit(points: Floats) -> Stage:
    rows, width = points.shape
    if rows <= width + 1:
        raise InputError(
            f"more training rows than a stage has numbers ({width}) are needed to tell how they vary, {rows} "
            "came"
        )
    centre, scale = points.mean(axis=0), points.std(axis=0)
    varies = scale > np.finfo(np.float32).eps * np.maximum(np.abs(centre), np.finfo(np.float32).tiny)
    if not varies.any():
        raise InputError("training rows: features of stages that differ were expected, in one stage none do")
    inverse = np.where(varies, 1 / np.where(varies, scale, 1.0), 0.0)
    standard = (points - centre) * inverse
    values, vectors = np.linalg.eigh(standard.T @ standard / rows)
    spanned = values > NARROWEST * values[-1]
    stage = Stage(centre, inverse[:, None] * vectors[:, spanned] / np.sqrt(values[spanned]))
    distances = left_out(stage.log_distance(points))
    return Stage(centre, stage.whiten, float(distances.mean()), deviation(distances, ROUNDING))
