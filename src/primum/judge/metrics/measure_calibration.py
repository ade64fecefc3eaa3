"""How far the probabilities of a view are from being deserved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from primum.core.arrays import Floats
from primum.core.check import InputError
from primum.judge.answers import View
from primum.judge.metrics import calibration as errors
from primum.judge.metrics import debiased, kernel
from primum.judge.metrics.measured import FEWEST, Measured, few
from primum.judge.metrics.table import codes_of
from primum.judge.statistics.interval import squared

CODES = tuple(code for code in codes_of("probabilities") if code != "auroc")


def calibration(view: View, name: str) -> Iterator[Measured]:
    """Every calibration error and proper score of the probabilities called ``name``."""
    n, probs, labels = len(view.labels), view.probs[name], view.labels
    if n < FEWEST:
        for code in CODES:
            yield Measured(code, calibrated=name, n=n, why_not=few(n))
        return
    plug_in = errors.calibration_errors(labels, probs, view.resampler, view.seed)
    for code in plug_in.value:
        yield Measured(
            code, calibrated=name, value=plug_in.value[code], n=n, replicates=plug_in.replicates[code],
            kind="basic", bounds=(0.0, 1.0), weakest=view.independent,
            estimate=errors.interval(plug_in, code, n, view.independent, view.noun),
        )  # fmt: skip
    yield _debiased(view, name)
    yield _kernel(view, name)
    losses = errors.brier_losses(labels, probs)
    yield _mean(view, "brier", losses, 2.0, calibrated=name)
    yield _root(view, "root_brier", losses, 2.0, calibrated=name)
    losses, floored = errors.nll_losses(labels, probs)
    why = (
        f"{floored} cases gave their true class a probability below 1e-12 and were counted as 1e-12"
        if floored
        else ""
    )
    yield _mean(view, "nll", losses, -float(np.log(errors.FLOOR)), calibrated=name, why=why)


def _debiased(view: View, name: str) -> Measured:
    where: dict[str, Any] = {"calibrated": name, "n": len(view.labels)}
    try:
        value, influence, whole = debiased.debiased_with_influence(
            view.labels, view.probs[name], view.clusters
        )
    except InputError as error:
        return Measured("debiased_calibration_error", why_not=str(error), **where)
    estimate = None if np.ptp(influence) <= 1e-12 else squared(value, whole, influence, view.clusters)
    why = "nothing beyond chance was seen: an estimate without bias falls below 0 as often as above"
    return Measured(
        "debiased_calibration_error", value=value, influence=influence, bounds=(0.0, 1.0),
        weakest=view.independent, why=why if value < 0 else "", estimate=estimate, **where,
    )  # fmt: skip


def _kernel(view: View, name: str) -> Measured:
    """SKCE; its p-value only for probabilities that are decided on, since it takes most of the time."""
    where: dict[str, Any] = {"calibrated": name, "n": len(view.labels)}
    used = {"none"} | {answers.calibrated for answers in view.answers.values()}
    if view.operating is not None:
        used.add(view.operating.calibrated)
    draws = kernel.DRAWS if name in used else 0
    if view.clusters is not None and view.independent < 3:
        return Measured(
            "skce", why_not="three patients are needed to see how pairs of patients differ", **where
        )
    try:
        found = kernel.kernel_error(
            view.labels, view.probs[name], view.clusters, view.units, view.seed, draws
        )  # fmt: skip
    except InputError as error:
        return Measured("skce", why_not=str(error), **where)
    return Measured(
        "skce", value=found.value, influence=found.influence, bounds=(0.0, 2.0), weakest=view.independent,
        estimate=kernel.interval(found, view.clusters), why=_said(found, view.clusters is not None), **where,
    )  # fmt: skip


def _said(found: kernel.KernelError, patients: bool) -> str:
    """The p-value and what was compared, in words."""
    said = []
    if found.p_value is not None:
        together = ", together within a patient" if patients else ""
        said.append(
            f"p = {found.p_value:.3f} that a perfectly calibrated model shows as much "
            f"({kernel.DRAWS} redraws of the labels from p{together})"
        )
    if patients:
        said.append("pairs of one patient were left out")
    if found.block < len(found.influence):
        said.append(
            f"cases were compared within random blocks of {found.block:,}, {found.pairs:,} pairs in all, "
            "every case among them"
        )
    return "; ".join(said)


def _mean(view: View, code: str, values: Floats, worst: float, **rest: Any) -> Measured:
    value = float(values.mean())
    return Measured(
        code, value=value, n=len(values), influence=values - value, scale="log", bounds=(0.0, worst),
        weakest=view.independent, **rest,
    )  # fmt: skip


def _root(view: View, code: str, values: Floats, worst: float, **rest: Any) -> Measured:
    """Square root of the mean of ``values``."""
    mean = float(values.mean())
    influence = (values - mean) / (2 * np.sqrt(mean)) if mean > 0 else np.zeros(len(values))
    return Measured(
        code, value=float(np.sqrt(mean)), n=len(values), influence=influence, scale="log",
        bounds=(0.0, float(np.sqrt(worst))), weakest=view.independent, **rest,
    )  # fmt: skip
