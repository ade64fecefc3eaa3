"""What a reader of the study has been told, item by item, and what is still to be supplied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

STATUS = {"reported": "reported", "partly": "partly", "not_reported": "not reported"}
LOOKS = {"reported": "passed", "partly": "inconclusive", "not_reported": "not_judged"}
TOPICS = ("Purpose", "Data", "Analysis", "Groups", "Results", "Robustness and explanations", "Openness")
PARTITIONS = {"test": "judged", "fit": "fitted on"}


def of(content: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Build the view of the section.

    Args:
        content: ``checklist``, the list that :func:`primum.auditing.checklist.fill` returns, and
            ``partitions``, name of the rows → who is in them; both may be missing.
        prefix: keeps the ids of two audits apart.
    """
    items = list(content.get("checklist") or [])
    order = {name: at for at, name in enumerate(TOPICS)}
    topics = sorted({str(one["topic"]) for one in items}, key=lambda name: (order.get(name, 99), name))
    return {
        "id": f"{prefix}checklist",
        "total": len(items),
        "counts": _counts(items),
        "lists": list(dict.fromkeys(f"{one['source']}: {one['reference']}" for one in items)),
        "topics": [_topic(name, [one for one in items if one["topic"] == name]) for name in topics],
        "partitions": _partitions(content.get("partitions") or {}),
    }


def _counts(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    counted = {key: sum(one["status"] == key for one in items) for key in STATUS}
    return [{"said": STATUS[key], "look": LOOKS[key], "n": count} for key, count in counted.items()]


def _topic(name: str, items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    told = [f"{one['n']} {one['said']}" for one in _counts(items) if one["n"]]
    return {"name": name, "told": ", ".join(told), "items": [_item(one) for one in items]}


def _item(one: Mapping[str, Any]) -> dict[str, Any]:
    asks = str(one["asks"])
    return {
        "name": f"{one['source']} {one['item']}",
        "asks": asks[:1].upper() + asks[1:],
        "status": STATUS[str(one["status"])],
        "look": LOOKS[str(one["status"])],
        "said": list(zip(one["said"], one["where"], strict=True)),
        "supply": one["how_to_supply"],
    }


def _partitions(partitions: Mapping[str, Any]) -> dict[str, Any]:
    """Lay out who is in each set of rows: a column per set, a row per class and characteristic."""
    known = {name: part for name, part in partitions.items() if part}
    rows: dict[str, dict[str, str]] = {"Cases": {}, "Patients": {}}
    for name, part in known.items():
        rows["Cases"][name] = str(part["n"])
        rows["Patients"][name] = "not known" if part["patients"] is None else str(part["patients"])
        for label, count in part["classes"].items():
            rows.setdefault(f"Class {label}", {})[name] = _share(count, part["n"])
        for one in part["characteristics"]:
            for row, said in _characteristic(one, part["n"]):
                rows.setdefault(row, {})[name] = said
    return {
        "columns": [PARTITIONS.get(name, name) for name in known],
        "rows": [(row, [cells.get(name, "–") for name in known]) for row, cells in rows.items() if known],
    }


def _characteristic(one: Mapping[str, Any], n: int) -> list[tuple[str, str]]:
    column = str(one["column"])
    if "median" in one:
        found = [(f"{column}, median (quartiles)", f"{one['median']:g} ({one['low']:g} to {one['high']:g})")]
    else:
        found = [(f"{column}: {value}", _share(count, n)) for value, count in one["values"].items()]
        found += [(f"{column}: others", _share(one["others"], n))] if one["others"] else []
    return found + ([(f"{column}: missing", _share(one["missing"], n))] if one["missing"] else [])


def _share(count: int, n: int) -> str:
    return f"{count} ({count / n:.0%})"
