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
    text = f"The table says the network was trained on {trained} and judged on "
    return Fact(text + ("other rows of the same." if trained == judged else f"{judged}."), "Settings")


def cases(facts: Facts) -> Fact | None:
    """Judged cases and patients.

    >>> cases(Facts({"n": 8}, [])).sentence
    'Judged: 8 cases, patients not known.'
    """
    return Fact(f"Judged: {_counted(facts.settings)}.", "Settings") if facts.settings.get("n") else None


def _counted(part: Mapping[str, Any]) -> str:
    patients = part.get("patients")
    return f"{part['n']} cases" + (f" of {patients} patients" if patients else ", patients not known")


def uses(facts: Facts) -> Fact | None:
    """Which rows were judged and which fitted on."""
    settings = facts.settings
    if not settings.get("n"):
        return None
    fitted, validation = settings.get("fit_rows"), settings.get("validation_rows")
    use = "none were fitted on"
    if fitted:
        use = f"{fitted} others were used to recalibrate and to set thresholds"
    if fitted and validation:
        use += f", {validation} of them validation rows that the network was stopped or chosen on"
    return Fact(f"{settings['n']} rows were judged; {use}.", "Settings")


def splits(facts: Facts) -> Fact | None:
    """Rows of each split, where the table has train rows."""
    marked = facts.settings.get("other_rows") or {}
    if not marked.get("train"):
        return None
    counts = ", ".join(f"{name} {count}" for name, count in marked.items())
    return Fact(f"The table marks {counts} and test {facts.settings.get('n')} rows.", "Settings")


def training_rows(facts: Facts) -> Fact | None:
    """Train rows of the table."""
    count = (facts.settings.get("other_rows") or {}).get("train")
    return Fact(f"The table holds {count} train rows, which were not judged.", "Settings") if count else None


def flow(facts: Facts) -> Fact | None:
    """What became of every row."""
    settings = facts.settings
    if not settings.get("n"):
        return None
    marked = settings.get("other_rows") or {}
    unlabelled = settings.get("unlabelled") or 0
    rows = settings["n"] + unlabelled + sum(marked.values())
    parts = [f"{settings['n']} judged", f"{unlabelled} left out for want of a label"]
    parts += [f"{count} marked {name}" for name, count in marked.items()]
    return Fact(f"Of {rows} rows of the table: {shorten(parts, len(parts))}.", "Settings")


def classes(facts: Facts) -> Fact | None:
    """Cases of each class."""
    parts = {"Judged": facts.partition("test"), "fitted on": facts.partition("fit")}
    text = "; ".join(f"{name}: {_values(part['classes'])}" for name, part in parts.items() if part)
    return Fact(f"{text}.", "Partitions") if parts["Judged"] else None


def _values(counts: Mapping[str, int]) -> str:
    return shorten((f"{name} {count}" for name, count in counts.items()), 12)


def people(facts: Facts) -> Fact | None:
    """Age, sex and the like, of the judged and the fit rows."""
    return _characteristics(facts, "people")


def places(facts: Facts) -> Fact | None:
    """Sites and devices, of the judged and the fit rows."""
    return _characteristics(facts, "place")


def _characteristics(facts: Facts, kind: str) -> Fact | None:
    sentences = []
    for name, part in (("Judged", facts.partition("test")), ("fitted on", facts.partition("fit"))):
        columns = [column for column in part.get("characteristics") or [] if column["kind"] == kind]
        if columns:
            sentences.append(f"{name}: " + ", ".join(map(_characteristic, columns)))
    if not sentences or not sentences[0].startswith("Judged"):
        return None
    return Fact("; ".join(sentences) + ".", "Partitions")


def _characteristic(column: Mapping[str, Any]) -> str:
    if "median" in column:
        text = f"median {column['median']:g} (quartiles {column['low']:g} to {column['high']:g})"
    else:
        text = _values(column["values"]) + (f", others {column['others']}" if column["others"] else "")
    missing = f", missing in {column['missing']}" if column["missing"] else ""
    return f"{column['column']} {text}{missing}"


def left_out(facts: Facts) -> Fact | None:
    """What was left out or mended while reading."""
    codes = ("unlabelled_rows", "dropped_copies", "table_note")
    reasons = [finding.why for finding in facts.findings if finding.code in codes]
    return Fact(f"{'; '.join(reasons)}.".capitalize(), "Warnings") if reasons else None


def fit_and_judged(facts: Facts) -> Fact | None:
    """Whether fit and judged rows were found to differ."""
    if not facts.settings.get("fit_rows"):
        return None
    shifts = {"prevalence_shift": "class shares", "confidence_shift": "confidence"}
    differing = [name for code, name in shifts.items() if code in facts.codes()]
    text = f"Fit and judged rows differ beyond chance in {' and '.join(differing)}."
    if not differing:
        text = (
            "No difference beyond chance was found between fit and judged rows in class shares or confidence."
        )
    return Fact(f"{text} The training cases were not compared.", "Warnings")


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
    text = "No judged case is of a patient in the train rows of the table; that was checked."
    return Fact(f"{count} judged cases are of patients in the train rows." if count else text, "Warnings")
