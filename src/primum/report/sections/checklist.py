"""What a reader of the study has been told, item by item, and what is still to be supplied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from primum.judge.sections.checklist import Entry
from primum.report.content import Characteristic, Partition

STATUS = {"reported": "reported", "partly": "partly", "not_reported": "not reported"}
LOOKS = {"reported": "passed", "partly": "inconclusive", "not_reported": "not_judged"}
TOPICS = ("Purpose", "Data", "Analysis", "Groups", "Results", "Robustness and explanations", "Openness")
PARTITIONS = {"test": "judged", "fit": "fitted on"}


def of(
    entries: Sequence[Entry], partitions: Mapping[str, Partition | None], prefix: str
) -> dict[str, object]:
    """Build the view of the section.

    Args:
        entries: the filled checklist, perhaps empty. partitions: name of the rows → who is in them.
        prefix: keeps the ids of two audits apart.
    """
    order = {name: place for place, name in enumerate(TOPICS)}
    topics = sorted({entry.topic for entry in entries}, key=lambda name: (order.get(name, 99), name))
    return {
        "id": f"{prefix}checklist",
        "total": len(entries),
        "counts": [
            {"text": STATUS[status], "look": LOOKS[status], "n": n} for status, n in _counts(entries).items()
        ],
        "lists": list(dict.fromkeys(f"{entry.source}: {entry.reference}" for entry in entries)),
        "topics": [_topic(name, [entry for entry in entries if entry.topic == name]) for name in topics],
        "partitions": _partitions(partitions),
    }


def _counts(entries: Sequence[Entry]) -> dict[str, int]:
    return {status: sum(entry.status == status for entry in entries) for status in STATUS}


def _topic(name: str, entries: Sequence[Entry]) -> dict[str, object]:
    counts = [f"{n} {STATUS[status]}" for status, n in _counts(entries).items() if n]
    return {"name": name, "summary": ", ".join(counts), "items": [_item(entry) for entry in entries]}


def _item(entry: Entry) -> dict[str, object]:
    return {
        "name": f"{entry.source} {entry.item}",
        "asks": entry.asks[:1].upper() + entry.asks[1:],
        "status": STATUS[entry.status],
        "look": LOOKS[entry.status],
        "sentences": list(zip(entry.sentences, entry.places, strict=True)),
        "supply": entry.how_to_supply,
    }


def _partitions(partitions: Mapping[str, Partition | None]) -> dict[str, object]:
    """Lay out who is in each set of rows: a column per set, a row per class and characteristic."""
    parts = {name: part for name, part in partitions.items() if part}
    rows: dict[str, dict[str, str]] = {"Cases": {}, "Patients": {}}
    for name, part in parts.items():
        rows["Cases"][name] = str(part.n)
        rows["Patients"][name] = "not known" if part.patients is None else str(part.patients)
        for label, count in part.classes.items():
            rows.setdefault(f"Class {label}", {})[name] = _share(count, part.n)
        for column in part.characteristics:
            for row, text in _characteristic(column, part.n):
                rows.setdefault(row, {})[name] = text
    return {
        "columns": [PARTITIONS.get(name, name) for name in parts],
        "rows": [(row, [cells.get(name, "–") for name in parts]) for row, cells in rows.items() if parts],
    }


def _characteristic(column: Characteristic, n: int) -> list[tuple[str, str]]:
    name = column.column
    if column.median is not None:
        quartiles = f"{column.median:g} ({column.low:g} to {column.high:g})"
        rows = [(f"{name}, median (quartiles)", quartiles)]
    else:
        rows = [(f"{name}: {value}", _share(count, n)) for value, count in column.values.items()]
        rows += [(f"{name}: others", _share(column.others, n))] if column.others else []
    return rows + ([(f"{name}: missing", _share(column.missing, n))] if column.missing else [])


def _share(count: int, n: int) -> str:
    return f"{count} ({count / n:.0%})"
