"""Worlds of cases with a confidence, a novelty and a loss, in which every risk is known in closed form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from primum.judge.deferral.certify import Certificate
from primum.judge.deferral.units import Units, gathered, sampled

DRAWS, DELTA = 1_000, 0.05
ALPHA = {"cer": 0.02, "expected_cost": 0.02}
# loss, and how much oftener than a critical error a case loses at least as much
COSTS = ((1.0, 1), (0.2, 1.5), (0.1, 2))
ALIKE = 0.8  # share of patients whose cases are all the same; those of the others have nothing in common
MOST_CASES = 4
# Chance of a critical error at a score from 0 to 1, for a case of middling novelty.
PROFILES: dict[str, Callable[[Any], Any]] = {
    "falling": lambda s: 0.12 * (1 - s) ** 2,
    "at alpha": lambda s: 0.0202 + 0 * s,
    "overconfident": lambda s: np.where(s > 0.9, 0.1, np.where(s > 0.5, 0.008, 0.04)),
    "spike": lambda s: np.where((s > 0.62) & (s < 0.72), 0.085, 0.05 * (s < 0.4)),
    # half of the cases share the highest score, and the second step passes 2 % by a hair
    "ties": lambda s: np.where(s == 1, 0.03, np.where(s >= 0.6, 0.0252, 0.08)),
}
STEPS = ((1.0, 0.5), (0.6, 0.2), (0.2, 0.3))  # scores of "ties", and the share of cases at each
GRID = np.linspace(0, 1, 100_001)


def most(draws: int = DRAWS, level: float = DELTA) -> float:
    """Share of draws that a level may be seen to exceed: three standard errors above it."""
    return float(level + 3 * np.sqrt(level * (1 - level) / draws))


@cache
def _above(profile: str) -> Any:
    """Chance of an error above each score of the grid, by the middle of each step."""
    rates = PROFILES[profile]((GRID[1:] + GRID[:-1]) / 2)
    return np.append(np.cumsum(rates[::-1])[::-1], 0.0) / len(rates)


@dataclass(frozen=True)
class World:
    """Cases, or patients with one to four of them. The stranger a case, the oftener it is wrong.

    ``strange`` is by how much every case looks stranger than it is, and ``worse`` how much oftener it is
    wrong, under a change of the images.
    """

    profile: str
    clustered: bool = False
    strange: float = 0.0
    worse: float = 1.0

    def draw(self, rng: np.random.Generator, units: int) -> dict[str, Any]:
        """``patient``, ``score``, ``novelty`` and ``loss`` of every case, with the numbers behind them."""
        counts = rng.integers(1, MOST_CASES + 1, units) if self.clustered else np.ones(units, dtype=int)
        patient = np.repeat(np.arange(units), counts)
        alike = (rng.random(units) < ALIKE)[patient] & self.clustered
        return self.seen(again(rng, {"patient": patient, "alike": alike}))

    def seen(self, draw: dict[str, Any]) -> dict[str, Any]:
        """The same cases in this world."""
        score, novelty = self._stepped(draw["sure"]), draw["known"]
        rate = PROFILES[self.profile](score) * self.worse * (1.5 - novelty)
        loss = np.select(
            [draw["luck"] < often * rate for _, often in COSTS], [cost for cost, _ in COSTS], 0.0
        )
        return draw | {"score": score, "loss": loss, "novelty": novelty - self.strange}

    def accepted_errors(self, threshold: float, gate: float = -np.inf) -> float:
        """Chance that a case is critically wrong, passes the veto and is accepted."""
        at = min(max(gate + self.strange, 0.0), 1.0)
        strange = 1.5 * (1 - at) - (1 - at**2) / 2
        if self.profile == "ties":
            sure = sum(share * float(PROFILES["ties"](step)) for step, share in STEPS if step >= threshold)
        else:
            sure = float(np.interp(threshold, GRID, _above(self.profile)))
        return self.worse * strange * sure

    def _stepped(self, score: Any) -> Any:
        """Scores as they are, or in three steps."""
        return np.select([score > 0.5, score > 0.3], [1.0, 0.6], 0.2) if self.profile == "ties" else score

    def risk(self, risk: str, unit: str, threshold: float, gate: float = -np.inf) -> float:
        """The risk of a promise at a threshold and a veto."""
        wrong = self.accepted_errors(threshold, gate)
        if risk == "cer":
            return self.of_unit(wrong, unit)
        steps = [cost - less for (cost, _), (less, _) in zip(COSTS, (*COSTS[1:], (0.0, 0)), strict=True)]
        return sum(
            step * self.of_unit(often * wrong, unit) for step, (_, often) in zip(steps, COSTS, strict=True)
        )

    def of_unit(self, chance: float, unit: str) -> float:
        """Chance that a unit has a case of something that a case has with a chance."""
        if unit != "worst" or not self.clustered:
            return chance
        several = np.mean([1 - (1 - chance) ** count for count in range(1, MOST_CASES + 1)])
        return ALIKE * chance + (1 - ALIKE) * float(several)

    def vetoed(self, gate: float) -> float:
        """Chance that a patient has a case that the veto sends away."""
        return self.of_unit(float(np.clip(gate + self.strange, 0, 1)), "worst")

    def breaks(
        self, found: Certificate, risk: str, unit: str, gate: float = -np.inf, alpha: float | None = None
    ) -> bool:
        """Whether the risk among all cases is above alpha at what was certified."""
        if found.why_not:
            return False
        bound = ALPHA[risk] if alpha is None else alpha
        return self.risk(risk, unit, found.threshold, gate) > bound * (1 + 1e-4)


def again(rng: np.random.Generator, draw: dict[str, Any]) -> dict[str, Any]:
    """Other numbers for the same patients."""
    patient = draw["patient"]
    units = patient[-1] + 1
    numbers = {
        name: np.where(draw["alike"], rng.random(units)[patient], rng.random(len(patient)))
        for name in ("sure", "known", "luck")
    }
    return draw | numbers


def units_of(draw: dict[str, Any], passes: Any, risk: str, unit: str, seed: int) -> Units:
    """The units of a promise, vetoed cases at minus infinity; ``case`` takes every case for independent."""
    score = np.where(passes, draw["score"], -np.inf)
    loss = (draw["loss"] == 1).astype(float) if risk == "cer" else draw["loss"]
    if unit == "one":
        rows = sampled(draw["patient"], score, seed)
        return gathered(score[rows], loss[rows], None, risk == "cer")
    return gathered(score, loss, draw["patient"] if unit == "worst" else None, risk == "cer")


def of_patients(draw: dict[str, Any], wanted: Any) -> dict[str, Any]:
    """The cases of the patients for whom ``wanted`` (patients,) is true."""
    rows = wanted[draw["patient"]]
    return {name: values[rows] for name, values in draw.items()}
