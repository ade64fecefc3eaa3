"""Does the instability of an explanation foretell an error that confidence does not?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit
from scipy.stats import chi2

from primum.core.arrays import Bools, Floats, Integers
from primum.judge.answers import Answers, View
from primum.judge.metrics import accuracy
from primum.judge.metrics.measured import Measured, Replicates, unmeasured
from primum.judge.statistics import spline
from primum.judge.statistics.interval import Resampler
from primum.judge.statistics.significance import holm

PREFIX = "stability_"
CODE = "instability_auroc_gain"
FEWEST = 10  # errors, and right answers, for one further parameter
MANY = 25  # of the rarer outcome, for a curve with two further bends
FOLDS = 5
STEPS, STILL = 50, 1e-9
SEPARATED = 30.0  # a linear predictor beyond this is a probability of 0 or 1
LIMIT = 1e-12


@dataclass(frozen=True, eq=False)
class Beyond:
    """What instability adds to confidence in foretelling errors.

    Attributes:
        p: of the likelihood-ratio test of the nested models, one degree of freedom.
        odds_ratio: factor of the odds of an error per standard deviation of instability, confidence held.
        auroc: of confidence alone, and of both, each case scored by a model that did not see its patient.
        gain: their difference. replicates: (B,) of the gain.
        n, errors: cases and wrong answers.
        design_effect: by which the likelihood ratio was divided, 1 for independent cases.
    """

    p: float
    odds_ratio: float
    auroc: tuple[float, float]
    gain: float
    replicates: Floats
    n: int
    errors: int
    design_effect: float


def measure(view: View, answers: Answers) -> Iterator[Measured]:
    """One ``instability_auroc_gain`` per score named ``stability_…``, against the highest probability."""
    names = [name for name in answers.confidence if name.startswith(PREFIX)]
    wrong = view.labels != answers.decisions
    comparisons = [
        beyond(
            wrong,
            answers.confidence["msr"],
            instability=-answers.confidence[name],
            resampler=view.resampler,
            clusters=view.clusters,
            seed=view.seed,
        )
        for name in names
    ]
    adjusted = iter(holm([test.p for test in comparisons if isinstance(test, Beyond)]))
    for name, test in zip(names, comparisons, strict=True):
        if isinstance(test, str):
            yield unmeasured(CODE, answers.basis(name), len(wrong), test)
            continue
        evidence = Replicates(
            test.gain,
            test.n,
            test.replicates,
            bounds=(-1.0, 1.0),
            weakest=view.smallest(wrong),
        )
        yield Measured(CODE, evidence, answers.basis(name), describe(test, next(adjusted), len(names)))


def describe(test: Beyond, adjusted: float, tests: int) -> str:
    """The test in words; begins with the p-value."""
    several = f" ({adjusted:.2g} for {tests} scores, Holm)" if tests > 1 else ""
    effect = f"; likelihood ratio divided by {test.design_effect:.2f}, as cases of one patient are alike"
    before, after = test.auroc
    return (
        f"likelihood-ratio p = {test.p:.2g}{several}; AUROC for the {test.errors} errors {before:.3f} by "
        f"confidence alone, {after:.3f} with instability; odds of an error × {test.odds_ratio:.2f} per "
        "standard deviation of instability" + (effect if test.design_effect > 1 else "")
    )


def beyond(
    wrong: ArrayLike,
    confidence: ArrayLike,
    instability: ArrayLike,
    resampler: Resampler,
    clusters: Integers | None = None,
    seed: int = 0,
) -> Beyond | str:
    """Compare two logistic models of the error: a curve of logit(confidence), and the same with instability.

    The curve is a natural cubic spline: a straight line books every bend of the true curve, such as errors
    that no confidence rules out, as a gain by whatever goes along with confidence.

    The likelihood-ratio p comes from both models on all cases, without a penalty. With patients the statistic
    is divided by the design effect of the tested coefficient (Rao & Scott, Annals of Statistics 1984, first
    order), at least 1. The gain in AUROC is cross-fitted in five folds of patients, so that it is not
    flattered by fitting, and drawn again over patients with the folds' scores held.

    Args:
        wrong: (N,) whether the answer was wrong.
        confidence: (N,) in [0, 1]. instability: (N,) higher = less stable.
        resampler: of the same cases; its units are kept together in a fold.
        clusters: (N,) patient, or None.
        seed: of the folds.

    Returns:
        The comparison, or the sentence why there is none.
    """
    error = np.asarray(wrong, dtype=bool)
    n, errors = len(error), int(error.sum())
    if min(errors, n - errors) < FEWEST:
        shortage = f"{errors} errors" if errors <= n - errors else f"{n - errors} right answers"
        return f"at least {FEWEST} errors and {FEWEST} right answers are needed, there are {shortage}"
    sure = logit(np.clip(np.asarray(confidence, dtype=np.float64), LIMIT, 1 - LIMIT))
    shaky = np.asarray(instability, dtype=np.float64)
    if np.ptp(shaky) <= LIMIT or np.ptp(sure) <= LIMIT:
        models = "instability" if np.ptp(shaky) <= LIMIT else "confidence"
        return f"the {models} is the same for every case"
    curve = spline.natural(_unit(sure), spline.knots(_unit(sure), knot_count(min(errors, n - errors))))
    design = np.column_stack([np.ones(n), *(_unit(column) for column in curve.T), _unit(shaky)])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return "instability is a curve of the logit of confidence, so it cannot add anything"
    alone, full = fit(design[:, :-1], error), fit(design, error)
    if alone is None or full is None:
        models = (
            "confidence alone separates" if alone is None else "confidence and instability together separate"
        )
        return (
            f"{models} errors from right answers completely, so the models have no maximum of the likelihood"
        )
    # the larger model cannot fit worse: only rounding puts the ratio below 0
    ratio = max(0.0, 2 * (log_likelihood(design, error, full) - log_likelihood(design[:, :-1], error, alone)))
    effect = 1.0 if clusters is None else _design_effect(design, error, full, clusters)
    scores = _cross_fitted(design, error, resampler.block, seed)
    if isinstance(scores, str):
        return scores
    before, after = (accuracy.binary_auroc(error, score) for score in scores)
    replicates = [_weighted_auroc(error, score, resampler) for score in scores]
    p, odds = float(chi2.sf(ratio / effect, 1)), float(np.exp(np.clip(full[-1], -50, 50)))
    return Beyond(
        p,
        odds,
        auroc=(before, after),
        gain=after - before,
        replicates=replicates[1] - replicates[0],
        n=n,
        errors=errors,
        design_effect=effect,
    )


def knot_count(outcomes: int) -> int:
    """Knots of the curve for so many errors, or right answers where they are fewer: 5, and 3 below 25."""
    return 5 if outcomes >= MANY else 3


def fit(design: Floats, error: Bools) -> Floats | None:
    """Coefficients (P,) of a logistic model without penalty, by Newton's method; None where they run away.

    Args:
        design: (N, P), a column of ones included.
        error: (N,) what is foretold.
    """
    beta: Floats = np.zeros(design.shape[1])
    value = log_likelihood(design, error, beta)
    for _ in range(STEPS):
        chance = expit(design @ beta)
        slope = design.T @ (error - chance)
        curve = (design * (chance * (1 - chance))[:, None]).T @ design
        # not solve: towards separation the curvature vanishes, and lstsq still gives a finite step
        step: Floats = np.linalg.lstsq(curve, slope, rcond=None)[0]
        size = 1.0
        while size > STILL and log_likelihood(design, error, beta + size * step) < value:
            size /= 2  # Newton may overshoot
        beta = beta + size * step
        value = log_likelihood(design, error, beta)
        predictor = design @ beta
        if (error == (predictor > 0)).all() and np.abs(predictor).max() > SEPARATED:
            return None
        if np.abs(size * step).max() < 1e-8:
            return beta
    return None


def log_likelihood(design: Floats, error: Bools, beta: Floats) -> float:
    """Sum over cases of the logarithm of the probability of what happened."""
    predictor = design @ beta
    return float(-np.logaddexp(0, np.where(error, -predictor, predictor)).sum())


def _unit(values: Floats) -> Floats:
    return np.asarray((values - values.mean()) / values.std())


def _design_effect(design: Floats, error: Bools, beta: Floats, clusters: Integers) -> float:
    """Variance of the last coefficient with patients kept together over that without, at least 1."""
    chance = expit(design @ beta)
    inverse = np.linalg.pinv((design * (chance * (1 - chance))[:, None]).T @ design)
    _, index = np.unique(clusters, return_inverse=True)
    sums = np.zeros((index.max() + 1, design.shape[1]))
    np.add.at(sums, index, design * (error - chance)[:, None])
    robust = inverse @ (sums.T @ sums) @ inverse
    return max(1.0, float(robust[-1, -1] / inverse[-1, -1]))


def _cross_fitted(design: Floats, error: Bools, units: Integers, seed: int) -> tuple[Floats, Floats] | str:
    """Chance of an error (N,) under both models, each fitted on the folds without the case's patient."""
    rng = np.random.default_rng(seed)
    fold = rng.permutation(np.arange(int(units.max()) + 1) % FOLDS)[units]
    scores = np.empty(len(error)), np.empty(len(error))
    for k in range(FOLDS):
        inside = fold == k
        for score, columns in zip(scores, (design.shape[1] - 1, design.shape[1]), strict=True):
            errors = error[~inside]
            beta = fit(design[~inside, :columns], errors) if 0 < errors.sum() < len(errors) else None
            if beta is None:
                return "without one of five folds the errors are separated completely; more cases are needed"
            score[inside] = design[inside, :columns] @ beta
    return scores


def _weighted_auroc(error: Bools, score: Floats, resampler: Resampler) -> Floats:
    """(B,) AUROC of a score in every replicate, ties counting half."""
    order = np.argsort(score)
    hits, block = error[order], resampler.block[order]
    starts = np.flatnonzero(np.r_[True, np.diff(score[order]) > 0])
    replicates = np.empty(len(resampler.weights))
    for b, weights in enumerate(resampler.weights):
        weight = weights[block].astype(np.float64)
        ones = np.add.reduceat(weight * hits, starts)
        zeros = np.add.reduceat(weight * ~hits, starts)
        total = ones.sum() * zeros.sum()
        replicates[b] = (ones @ (np.cumsum(zeros) - zeros / 2)) / total if total else 0.5
    return replicates
