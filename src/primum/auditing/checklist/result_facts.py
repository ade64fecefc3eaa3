"""What an audit knows of its analysis and results: one function per fact, None where it does not know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from primum.auditing.checklist.facts import Fact, Facts, section
from primum.core.check import shorten
from primum.judge.statistics.partitions import PEOPLE, PLACES

SHIFTS = ("shift", "shift_level")
MOST_MEASURES = 40


def _by(facts: Facts, names: Sequence[str]) -> Fact | None:
    """Which groups of columns so named were judged on their own."""
    told = []
    for column in facts.settings.get("by") or []:
        groups = {one["group"] for one in facts.findings if str(one.get("group")).startswith(f"{column}=")}
        if groups and any(str(column).lower() in (name, f"{name}_group", f"{name}_band") for name in names):
            told.append(f"{column} ({len(groups)} groups)")
    said = f"Measured separately by {shorten(told)}, every measure with its interval."
    return Fact(said, "Groups") if told else None


def by_people(facts: Facts) -> Fact | None:
    """Groups of people that were judged on their own."""
    return _by(facts, PEOPLE)


def by_place(facts: Facts) -> Fact | None:
    """Sites that were judged on their own."""
    return _by(facts, PLACES)


def _measured(facts: Facts) -> list[Mapping[str, Any]]:
    whole = [one for one in facts.findings if one.get("group") == "all" and one.get("verdict") != "warning"]
    return [one for one in whole if one.get("value") is not None]


def measures(facts: Facts) -> Fact | None:
    """Every measure by name."""
    names = dict.fromkeys(str(one["name"]) for one in _measured(facts))
    said = f"{shorten(names, MOST_MEASURES)}. What each means, and why it is there: docs/methods.md."
    return Fact(said, "All findings") if names else None


def intervals(facts: Facts) -> Fact | None:
    """How many numbers have an interval."""
    measured = _measured(facts)
    sure = [one for one in measured if one.get("low") is not None and one.get("high") is not None]
    said = f"{len(sure)} of {len(measured)} numbers over all cases have an interval."
    return Fact(said, "All findings") if sure else None


def uncertainty(facts: Facts) -> Fact | None:
    """How intervals were made."""
    given = facts.settings
    if not given.get("level"):
        return None
    said = (
        f"Intervals at {given['level']:.0%}: exact for shares and counts, else by influence function or by a "
    )
    unit = "patients" if given.get("patients") else "cases, as if independent: patients are not known"
    return Fact(f"{said}bootstrap of {given.get('bootstrap')} replicates over {unit}.", "Settings")


def recalibration(facts: Facts) -> Fact | None:
    """Which recalibrators were compared, and the best."""
    compared = [
        name for name, one in (facts.settings.get("recalibration") or {}).items() if "why_not" not in one
    ]
    if not compared:
        return None
    chosen = facts.settings.get("recalibrator")
    said = (
        f"Compared on the fit rows by cross-validated likelihood: {shorten(compared, 12)}; best: {chosen}. "
    )
    return Fact(f"{said}The probabilities as supplied are judged beside.", "Calibration")


def loss(facts: Facts) -> Fact | None:
    """What the network minimised, as the table tells it."""
    given = facts.source("loss")
    name = given.get("name") if isinstance(given, Mapping) else given
    return (
        Fact(f"The table says the loss was {name}; of resampling it says nothing.", "Settings")
        if name
        else None
    )


def output(facts: Facts) -> Fact | None:
    """Probabilities, decisions and the operating threshold."""
    given = facts.settings
    thresholds = given.get("thresholds") or {}
    if not given.get("classes") or not thresholds:
        return None
    rules = {"argmax": "the most probable class", "given": "the decision in the table"}
    costs = (given.get("severity") or {}).get("source") or "no source given"
    rules["bayes"] = f"the class of least expected cost (costs: {costs})"
    said = f"Probabilities of {len(given['classes'])} classes; decided by "
    said += " and by ".join(rules.get(rule, rule) for rule in thresholds)
    rows = "fit" if given.get("fit_rows") else "judged"
    share = f"{given['operating_coverage']:.0%} of the {rows} rows" if given.get("operating_coverage") else ""
    return Fact(said + (f"; the operating threshold accepts {share}." if share else "."), "Settings")


def confusions(facts: Facts) -> Fact | None:
    """That wrong answers are listed."""
    if not any(one.get("decision") for one in facts.findings):
        return None
    return Fact("Every confusion is counted, and the worst mistakes are listed case by case.", "Confusion")


def robustness(facts: Facts) -> Fact | None:
    """What the audit says of changed images."""
    return section(facts, "robustness", "said", "Robustness") or _by(facts, SHIFTS)


def members(facts: Facts) -> Fact | None:
    """What the audit says of an ensemble."""
    return section(facts, "members", "said", "Members")


def explanations(facts: Facts) -> Fact | None:
    """What the audit says of explanations."""
    return section(facts, "explanations", "said", "Explanations")


def explanations_tested(facts: Facts) -> Fact | None:
    """What the audit says of tests of the explanations."""
    return section(facts, "explanations", "tested", "Explanations")


def failures(facts: Facts) -> Fact | None:
    """What the audit says of the kinds of failure."""
    return section(facts, "failures", "said", "Failures")


def deferral(facts: Facts) -> Fact | None:
    """What the audit says of its policy."""
    return section(facts, "deferral", "said", "Deferral")
