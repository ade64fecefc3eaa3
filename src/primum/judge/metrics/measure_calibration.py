"""How far the probabilities of a view are from being deserved."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from primum.core.arrays import Floats
from primum.core.check import InputError
from primum.judge.answers import View
from primum.judge.finding import Basis
from primum.judge.metrics import calibration, debiased, kernel
from primum.judge.metrics.measured import (
    MIN_CASES,
    STILL,
    Influence,
    Measured,
    Replicates,
    too_few,
    unmeasured,
)
from primum.judge.metrics.table import codes_of
from primum.judge.statistics import interval

CODES = tuple(code for code in codes_of("probabilities") if code != "auroc")
BELOW_ZERO = "nothing beyond chance was seen: an estimate without bias falls below 0 as often as above"


def measure_probabilities(view: View, name: str) -> Iterator[Measured]:
    """Every calibration error and proper score of the probabilities called ``name``."""
    n, probs, labels, basis = len(view.labels), view.probs[name], view.labels, Basis(calibrated=name)
    if n < MIN_CASES:
        for code in CODES:
            yield unmeasured(code, basis, n, too_few(n))
        return
    plug_in = calibration.calibration_errors(labels, probs, view.resampler, view.seed)
    for code, value in plug_in.value.items():
        evidence = Replicates(
            value, n, plug_in.replicates[code], kind="basic", bounds=(0.0, 1.0), weakest=view.independent,
            interval=calibration.interval(plug_in, code, n, view.independent, view.noun),
        )  # fmt: skip
        yield Measured(code, evidence, basis)
    yield _debiased(view, name)
    yield _kernel(view, name)
    losses = calibration.brier_losses(labels, probs)
    yield Measured("brier", _mean(view, losses, 2.0), basis)
    yield Measured("root_brier", _root_of_mean(view, losses, 2.0), basis)
    losses, floored = calibration.nll_losses(labels, probs)
    why = (
        f"{floored} cases gave their true class a probability below 1e-12 and were counted as 1e-12"
        if floored
        else ""
    )
    yield Measured("nll", _mean(view, losses, -float(np.log(calibration.FLOOR))), basis, why)


def _debiased(view: View, name: str) -> Measured:
    code, basis = "debiased_calibration_error", Basis(calibrated=name)
    try:
        value, influence, biased = debiased.debiased_with_influence(
            view.labels, view.probs[name], view.clusters
        )
    except InputError as error:
        return unmeasured(code, basis, len(view.labels), str(error))
    ready = (
        None
        if np.ptp(influence) <= STILL
        else interval.squared(value, biased, influence, view.clusters)
    )  # fmt: skip
    evidence = Influence(
        value, influence, bounds=(0.0, 1.0), weakest=view.independent, interval=ready
    )  # fmt: skip
    return Measured(code, evidence, basis, BELOW_ZERO if value < 0 else "")


def _kernel(view: View, name: str) -> Measured:
    """SKCE; its p-value only for probabilities that are decided on, since it takes most of the time."""
    n, basis = len(view.labels), Basis(calibrated=name)
    in_use = {"none"} | {answers.calibrated for answers in view.answers.values()}
    if view.operating is not None:
        in_use.add(view.operating.calibrated)
    draws = kernel.DRAWS if name in in_use else 0
    if view.clusters is not None and view.independent < 3:
        return unmeasured("skce", basis, n, "three patients are needed to see how pairs of patients differ")
    try:
        error = kernel.kernel_error(
            view.labels, view.probs[name], view.clusters, units=view.units, seed=view.seed, draws=draws
        )  # fmt: skip
    except InputError as refusal:
        return unmeasured("skce", basis, n, str(refusal))
    evidence = Influence(
        error.value, error.influence, bounds=(0.0, 2.0), weakest=view.independent,
        interval=kernel.interval(error, view.clusters),
    )  # fmt: skip
    return Measured("skce", evidence, basis, _in_words(error, view.clusters is not None))


def _in_words(error: kernel.KernelError, patients: bool) -> str:
    """The p-value and what was compared, in words."""
    parts = []
    if error.p_value is not None:
        together = ", together within a patient" if patients else ""
        parts.append(
            f"p = {error.p_value:.3f} that a perfectly calibrated model shows as much "
            f"({kernel.DRAWS} redraws of the labels from p{together})"
        )
    if patients:
        parts.append("pairs of one patient were left out")
    if error.block < len(error.influence):
        parts.append(
            f"cases were compared within random blocks of {error.block:,}, {error.pairs:,} pairs in all, "
            "every case among them"
        )
    return "; ".join(parts)


def _mean(view: View, losses: Floats, highest: float) -> Influence:
    """Mean of losses (N,) between 0 and ``highest``."""
    mean = float(losses.mean())
    return Influence(mean, losses - mean, "log", (0.0, highest), view.independent)


def _root_of_mean(view: View, losses: Floats, highest: float) -> Influence:
    """Square root of the mean of losses (N,) between 0 and ``highest``."""
    mean = float(losses.mean())
    influence = (losses - mean) / (2 * np.sqrt(mean)) if mean > 0 else np.zeros(len(losses))
    return Influence(float(np.sqrt(mean)), influence, "log", (0.0, float(np.sqrt(highest))), view.independent)
