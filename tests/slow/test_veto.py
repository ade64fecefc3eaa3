"""Promises behind a veto, held against draws from worlds whose risks are known: ``worlds.py``."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from primum.judge.deferral import veto
from primum.judge.deferral.certify import certify
from tests.slow.worlds import (
    ALPHA,
    DELTA,
    DRAWS,
    PROFILES,
    World,
    again,
    most,
    of_patients,
    units_of,
)

PATIENTS, KEPT = 800, 200  # of the fit rows, and of them for the veto
MOST = most()


def told(what: str, counts: Counter[Any], draws: int = DRAWS) -> None:
    for key, count in counts.items():
        name = key if isinstance(key, str) else " ".join(key)
        print(f"{what:<24}{name:<38}broken {count / draws:6.2%} (at most {most(draws):.2%})")


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("profile", PROFILES)
def test_the_risks_of_a_world_are_those_of_a_large_sample(profile: str, clustered: bool) -> None:
    world, patients = World(profile, clustered, strange=0.03, worse=1.5), 400_000
    draw = world.draw(np.random.default_rng(20), patients)
    for threshold, cut in ((0.0, -np.inf), (0.55, 0.05), (0.97, 0.1), (-np.inf, 0.2)):
        kept = (draw["score"] >= threshold) & (draw["novelty"] >= cut)
        for risk in ALPHA:
            loss = np.where(kept, (draw["loss"] == 1) if risk == "cer" else draw["loss"], 0.0)
            worst = np.zeros(patients)
            np.maximum.at(worst, draw["patient"], loss)
            # each patient's cases weigh alike, so that patients are what the error is counted over
            for unit, losses in (("one", loss), ("worst", worst)):
                error = losses.std() / np.sqrt(patients) + 1e-5
                assert abs(world.risk(risk, unit, threshold, cut) - losses.mean()) < 4 * error
    lowest = veto.minima(draw["novelty"], draw["patient"])
    assert (lowest < 0.1).mean() == pytest.approx(world.vetoed(0.1), abs=0.003)


@pytest.mark.parametrize("unit", ["case", "one", "worst"])
@pytest.mark.parametrize("profile", PROFILES)
def test_promises_behind_a_veto_and_without_are_kept(profile: str, unit: str) -> None:
    world, rng = World(profile, unit != "case"), np.random.default_rng(21)
    broke: Counter[tuple[str, str]] = Counter()
    certified = Counter[tuple[str, str]]()
    for seed in range(DRAWS):
        draw = world.draw(rng, PATIENTS)
        aside = np.arange(PATIENTS) < KEPT
        kept, rest = of_patients(draw, aside), of_patients(draw, ~aside)
        gate = veto.gate(veto.minima(kept["novelty"], kept["patient"]))
        own = veto.gate(veto.minima(rest["novelty"], rest["patient"]))
        for risk, alpha in ALPHA.items():
            for way, cut in (
                ("veto", gate.threshold),
                ("none", -np.inf),
                ("veto of the same rows", own.threshold),
            ):
                found = certify(units_of(rest, rest["novelty"] >= cut, risk, unit, seed), alpha, DELTA)
                broke[risk, way] += world.breaks(found, risk, unit, cut)
                certified[risk, way] += not found.why_not
    told(f"{profile}, {unit}", broke)  # type: ignore[arg-type]
    assert max(broke.values()) / DRAWS <= MOST
    assert min(certified.values()) == DRAWS  # with enough patients deferring is always safe


def test_patients_taken_for_single_cases_break_the_promise_behind_a_veto_too() -> None:
    world, rng = World("falling", clustered=True), np.random.default_rng(22)
    broke: Counter[str] = Counter()
    for seed in range(DRAWS):
        draw = world.draw(rng, PATIENTS)
        aside = np.arange(PATIENTS) < KEPT
        kept, rest = of_patients(draw, aside), of_patients(draw, ~aside)
        cut = veto.gate(veto.minima(kept["novelty"], kept["patient"])).threshold
        for unit in ("case", "one"):
            found = certify(units_of(rest, rest["novelty"] >= cut, "cer", unit, seed), ALPHA["cer"], DELTA)
            broke[unit] += world.breaks(found, "cer", unit, cut)
    told("alike cases of patients", broke)
    assert broke["one"] / DRAWS <= MOST < broke["case"] / DRAWS


# By how much cases look stranger, and how much oftener they are wrong. In steps the risk of the highest alone
# lies below alpha for the first two, and above it for the last.
VERSIONS = {"as they are": (0.0, 1.0), "blurred": (0.02, 1.5), "noisy": (0.05, 2.5)}
STEPPED = {"as they are": (0.0, 0.8), "blurred": (0.02, 0.9), "noisy": (0.05, 1.5)}


@pytest.mark.parametrize("unit", ["case", "one", "worst"])
@pytest.mark.parametrize("profile", ["falling", "overconfident", "ties"])
def test_each_tolerated_change_is_covered_and_their_mixture_covers_only_itself(
    profile: str, unit: str
) -> None:
    """The same patients under three changes; seven in ten of them answer as they did."""
    versions = STEPPED if profile == "ties" else VERSIONS
    worlds = [World(profile, unit != "case", *terms) for terms in versions.values()]
    rng = np.random.default_rng(23)
    broke: Counter[tuple[str, str]] = Counter()
    for seed in range(DRAWS):
        first = worlds[0].draw(rng, PATIENTS)
        aside = np.arange(PATIENTS) < KEPT
        draws = [first]
        for world in worlds[1:]:
            anew, other = (rng.random(PATIENTS) < 0.3)[first["patient"]], again(rng, first)
            draws.append(world.seen({name: np.where(anew, other[name], first[name]) for name in first}))
        kept, rest = ([of_patients(draw, part) for draw in draws] for part in (aside, ~aside))
        lowest = np.min([veto.minima(part["novelty"], part["patient"]) for part in kept], axis=0)
        cut = veto.gate(lowest).threshold
        for risk, alpha in ALPHA.items():
            units = [units_of(part, part["novelty"] >= cut, risk, unit, seed) for part in rest]
            found = certify(units, alpha, DELTA)
            breaking = [world.breaks(found, risk, unit, cut) for world in worlds]
            for name, breaks in zip(versions, breaking, strict=True):
                broke[risk, name] += breaks
            broke[risk, "any of them"] += any(breaking)
            drawn = rng.integers(0, len(rest), PATIENTS)[rest[0]["patient"]]
            mixed = {name: np.choose(drawn, [part[name] for part in rest]) for name in rest[0]}
            blind = certify(units_of(mixed, mixed["novelty"] >= cut, risk, unit, seed), alpha, DELTA)
            broke[risk, "mixture, then noisy"] += worlds[-1].breaks(blind, risk, unit, cut)
    told(f"{profile}, {unit}", broke)  # type: ignore[arg-type]
    for risk in ALPHA:
        assert broke[risk, "any of them"] / DRAWS <= MOST
    # costs leave more room than whole errors do, and steps more than a fine score
    if profile != "ties":
        assert broke["cer", "mixture, then noisy"] / DRAWS > MOST
