"""What an audit knows of its analysis and results: one function per fact, None where it does not know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from primum.auditing.checklist.facts import Fact, Facts, section
from primum.core.check import shorten
from primum.judge.finding import Finding
from primum.judge.statistics.partitions import PEOPLE, PLACES

SHIFTS = ("shift", "shift_level")
MOST_MEASURES = 40


def _by(facts: Facts, names: Sequence[str]) -> Fact | None:
    """Which groups of columns so named were judged on their own."""
    columns = []
    for column in facts.settings.get("by") or []:
        groups = {finding.group for finding in facts.findings if finding.group.startswith(f"{column}=")}
        if groups and any(str(column).lower() in (name, f"{name}_group", f"{name}_band") for name in names):
            columns.append(f"{column} ({len(groups)} groups)")
    text = f"Measured separately by {shorten(columns)}, every measure with its interval."
    return Fact(text, "Groups") if columns else None


def by_people(facts: Facts) -> Fact | None:
    """Groups of people that were judged on their own."""
    return _by(facts, PEOPLE)


def by_place(facts: Facts) -> Fact | None:
    """Sites that were judged on their own."""
    return _by(facts, PLACES)


def _measured(facts: Facts) -> list[Finding]:
    return [
        finding
        for finding in facts.findings
        if finding.group == "all" and finding.verdict != "warning" and finding.value is not None
    ]


def measures(facts: Facts) -> Fact | None:
    """Every measure by name."""
    names = dict.fromkeys(finding.name for finding in _measured(facts))
    text = f"{shorten(names, MOST_MEASURES)}. What each means, and why it is there: docs/methods.md."
    return Fact(text, "All findings") if names else None


def intervals(facts: Facts) -> Fact | None:
    """How many numbers have an interval."""
    measured = _measured(facts)
    bounded = [finding for finding in measured if finding.low is not None and finding.high is not None]
    text = f"{len(bounded)} of {len(measured)} numbers over all cases have an interval."
    return Fact(text, "All findings") if bounded else None


def uncertainty(facts: Facts) -> Fact | None:
    """How intervals were made."""
    settings = facts.settings
    if not settings.get("level"):
        return None
    level = f"{settings['level']:.0%}"
    text = f"Intervals at {level}: exact for shares and counts, else by influence function or by a "
    unit = "patients" if settings.get("patients") else "cases, as if independent: patients are not known"
    return Fact(f"{text}bootstrap of {settings.get('bootstrap')} replicates over {unit}.", "Settings")


def recalibration(facts: Facts) -> Fact | None:
    """Which recalibrators were compared, and the best."""
    compared = [
        name
        for name, result in (facts.settings.get("recalibration") or {}).items()
        if "why_not" not in result
    ]
    if not compared:
        return None
    chosen = facts.settings.get("recalibrator")
    text = (
        f"Compared on the fit rows by cross-validated likelihood: {shorten(compared, 12)}; best: {chosen}. "
    )
    return Fact(f"{text}The probabilities as supplied are judged beside.", "Calibration")


def loss(facts: Facts) -> Fact | None:
    """What the network minimised, as the table tells it."""
    source = facts.source("loss")
    name = source.get("name") if isinstance(source, Mapping) else source
    return (
        Fact(f"The table says the loss was {name}; of resampling it says nothing.", "Settings")
        if name
        else None
    )


def output(facts: Facts) -> Fact | None:
    """Probabilities, decisions and the operating threshold."""
    settings = facts.settings
    thresholds = settings.get("thresholds") or {}
    if not settings.get("classes") or not thresholds:
        return None
    rules = {"argmax": "the most probable class", "given": "the decision in the table"}
    costs = (settings.get("severity") or {}).get("source") or "no source given"
    rules["bayes"] = f"the class of least expected cost (costs: {costs})"
    text = f"Probabilities of {len(settings['classes'])} classes; decided by "
    text += " and by ".join(rules.get(rule, rule) for rule in thresholds)
    rows = "fit" if settings.get("fit_rows") else "judged"
    share = (
        f"{settings['operating_coverage']:.0%} of the {rows} rows"
        if settings.get("operating_coverage")
        else ""
    )
    return Fact(text + (f"; the operating threshold accepts {share}." if share else "."), "Settings")


def confusions(facts: Facts) -> Fact | None:
    """That wrong answers are listed."""
    if not any(finding.decision for finding in facts.findings):
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
