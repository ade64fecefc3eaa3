"""What an audit knows of its data: one function per fact, None where it does not know.

No fact claims more than the settings and findings hold. What the source of a table says is quoted as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from primum.auditing.checklist.facts import Fact, Facts
from primum.core.check import shorten


def _data(facts: Facts) -> tuple[str | None, str | None]:
    """Names of the data the table says the network was trained on and judged on."""
    trained = facts.source("trained_on")
    return (trained.get("data") if isinstance(trained, Mapping) else None), facts.source("data")


def trained_on(facts: Facts) -> Fact | None:
    """Name of the training data, as the table tells it."""
    name, _ = _data(facts)
    return Fact(f"The table says the network was trained on {name}.", "Settings") if name else None


def training_and_judged(facts: Facts) -> Fact | None:
    """Names of the training and of the judged data, as the table tells them."""
    trained, judged = _data(facts)
    if not trained or not judged:
        return None
    said = f"The table says the network was trained on {trained} and judged on "
    return Fact(said + ("other rows of the same." if trained == judged else f"{judged}."), "Settings")


def cases(facts: Facts) -> Fact | None:
    """Judged cases and patients."""
    return Fact(f"Judged: {_counted(facts.settings)}.", "Settings") if facts.settings.get("n") else None


def _counted(part: Mapping[str, Any]) -> str:
    patients = part.get("patients")
    return f"{part['n']} cases" + (f" of {patients} patients" if patients else ", patients not known")


def uses(facts: Facts) -> Fact | None:
    """Which rows were judged and which fitted on."""
    given = facts.settings
    if not given.get("n"):
        return None
    fitted, seen = given.get("fit_rows"), given.get("validation_rows")
    said = f"{given['n']} rows were judged; "
    said += (
        f"{fitted} others were used to recalibrate and to set thresholds"
        + (f", {seen} of them validation rows that the network was stopped or chosen on." if seen else ".")
        if fitted
        else "none were fitted on."
    )
    return Fact(said, "Settings")


def splits(facts: Facts) -> Fact | None:
    """Rows of each split, where the table has train rows."""
    others = facts.settings.get("other_rows") or {}
    if not others.get("train"):
        return None
    said = ", ".join(f"{name} {count}" for name, count in others.items())
    return Fact(f"The table marks {said} and test {facts.settings.get('n')} rows.", "Settings")


def training_rows(facts: Facts) -> Fact | None:
    """Train rows of the table."""
    count = (facts.settings.get("other_rows") or {}).get("train")
    return Fact(f"The table holds {count} train rows, which were not judged.", "Settings") if count else None


def flow(facts: Facts) -> Fact | None:
    """What became of every row."""
    given = facts.settings
    if not given.get("n"):
        return None
    others = given.get("other_rows") or {}
    rows = given["n"] + (given.get("unlabelled") or 0) + sum(others.values())
    parts = [f"{given['n']} judged", f"{given.get('unlabelled') or 0} left out for want of a label"]
    parts += [f"{count} marked {name}" for name, count in others.items()]
    return Fact(f"Of {rows} rows of the table: {shorten(parts, len(parts))}.", "Settings")


def classes(facts: Facts) -> Fact | None:
    """Cases of each class."""
    parts = {"Judged": facts.partition("test"), "fitted on": facts.partition("fit")}
    said = "; ".join(f"{name}: {_values(part['classes'])}" for name, part in parts.items() if part)
    return Fact(f"{said}.", "Partitions") if parts["Judged"] else None


def _values(counts: Mapping[str, int]) -> str:
    return shorten((f"{name} {count}" for name, count in counts.items()), 12)


def people(facts: Facts) -> Fact | None:
    """Age, sex and the like, of the judged and the fit rows."""
    return _characteristics(facts, "people")


def places(facts: Facts) -> Fact | None:
    """Sites and devices, of the judged and the fit rows."""
    return _characteristics(facts, "place")


def _characteristics(facts: Facts, kind: str) -> Fact | None:
    told = []
    for name, part in (("Judged", facts.partition("test")), ("fitted on", facts.partition("fit"))):
        found = [one for one in part.get("characteristics") or [] if one["kind"] == kind]
        if found:
            told.append(f"{name}: " + ", ".join(_characteristic(one) for one in found))
    return Fact("; ".join(told) + ".", "Partitions") if told and told[0].startswith("Judged") else None


def _characteristic(one: Mapping[str, Any]) -> str:
    said = f"{one['column']} "
    if "median" in one:
        said += f"median {one['median']:g} (quartiles {one['low']:g} to {one['high']:g})"
    else:
        said += _values(one["values"]) + (f", others {one['others']}" if one["others"] else "")
    return said + (f", missing in {one['missing']}" if one["missing"] else "")


def left_out(facts: Facts) -> Fact | None:
    """What was left out or mended while reading."""
    told = ("unlabelled_rows", "dropped_copies", "table_note")
    said = [str(one.get("why")) for one in facts.findings if one.get("code") in told]
    return Fact(f"{'; '.join(said)}.".capitalize(), "Warnings") if said else None


def fit_and_judged(facts: Facts) -> Fact | None:
    """Whether fit and judged rows were found to differ."""
    if not facts.settings.get("fit_rows"):
        return None
    shifts = {"prevalence_shift": "class shares", "confidence_shift": "confidence"}
    found = [name for code, name in shifts.items() if code in facts.codes()]
    said = f"Fit and judged rows differ beyond chance in {' and '.join(found)}."
    if not found:
        said = (
            "No difference beyond chance was found between fit and judged rows in class shares or confidence."
        )
    return Fact(f"{said} The training cases were not compared.", "Warnings")


def fit_apart(facts: Facts) -> Fact | None:
    """Whether fit and judged rows are apart by patient."""
    if not facts.settings.get("fit_rows"):
        return Fact("Nothing was fitted on other rows.", "Settings") if facts.settings.get("n") else None
    if not facts.settings.get("patients") or not facts.partition("fit").get("patients"):
        return None
    return Fact("Fit and judged rows share no patient; that was checked.", "Settings")


def training_apart(facts: Facts) -> Fact | None:
    """Whether train and judged rows of the table are apart by patient."""
    shared = facts.settings.get("shared_patients") or {}
    if "train" not in shared:
        return None
    count = shared["train"]
    said = "No judged case is of a patient in the train rows of the table; that was checked."
    return Fact(f"{count} judged cases are of patients in the train rows." if count else said, "Warnings")
