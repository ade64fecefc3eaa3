"""Which items of TRIPOD+AI and CLAIM an audit and ``about.yaml`` answer, and how to supply the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from primum.auditing.checklist.facts import Fact, Facts
from primum.auditing.checklist.items import Item, Part, items
from primum.auditing.checklist.known import KNOWN
from primum.auditing.study import Study

ABOUT = "about.yaml"
EXTERNAL = {
    True: "The judged cases come from elsewhere than the training cases.",
    False: "There was no external test: the judged cases come from where the training cases come from.",
}


def fill(
    settings: Mapping[str, Any], findings: Sequence[Mapping[str, Any]], about: Study | None = None
) -> list[dict[str, Any]]:
    """Answer every item from what is known, and from nothing else.

    Args:
        settings: ``settings`` of an audit; where there are any, ``deferral``, ``members``, ``explanations``,
            ``failures`` and ``robustness`` are mappings whose ``said`` is a sentence on what was done
            (``tested`` of ``explanations``: on how they were checked).
        findings: ``findings`` of an audit, as in ``audit.json``.
        about: the study in its authors' words, or None.

    Returns:
        In the order of the lists: ``item``, ``source``, ``reference``, ``topic``, ``asks``, ``status``
        (``reported``, ``partly`` or ``not_reported``), ``said`` (sentences), ``where`` (of each sentence:
        ``about.yaml`` or a section of the report) and ``how_to_supply`` (what is missing; empty when
        reported). An item is reported when each of its parts is met, which says nothing of how well.
    """
    facts = Facts(settings, findings)
    written = {} if about is None else about.said()
    filled = ((item, _met(item, facts, written)) for item in items())
    return [_entry(item, met, written) for item, met in filled if any(met) or not item.only_if_known]


def _met(item: Item, facts: Facts, written: Mapping[str, Any]) -> list[list[Fact]]:
    """What is known of each part of an item."""
    return [
        [
            *([_said(part.about, written)] if part.about in written else []),
            *([fact] if part.known and (fact := KNOWN[part.known](facts)) else []),
        ]
        for part in item.parts
    ]


def _said(key: str, written: Mapping[str, Any]) -> Fact:
    value = written[key]
    return Fact(EXTERNAL[value] if isinstance(value, bool) else str(value), ABOUT)


def _entry(item: Item, met: Sequence[Sequence[Fact]], written: Mapping[str, Any]) -> dict[str, Any]:
    pairs = list(zip(item.parts, met, strict=True))
    missing = [part for part, found in pairs if not found and not part.extra]
    if any(found and _enough(part, written) for part, found in pairs):
        missing = []
    facts = list(dict.fromkeys(fact for found in met for fact in found))
    status = "partly" if facts and missing else "reported" if facts else "not_reported"
    return {
        "item": item.item,
        "source": item.source,
        "reference": item.reference,
        "topic": item.topic,
        "asks": item.asks,
        "status": status,
        "said": [fact.said for fact in facts],
        "where": [fact.where for fact in facts],
        "how_to_supply": _supply(missing),
    }


def _enough(part: Part, written: Mapping[str, Any]) -> bool:
    """Whether this part answers its item alone; so does saying that there was no external test."""
    return part.enough or (part.about == "external_test" and written.get("external_test") is False)


def _supply(missing: Sequence[Part]) -> str:
    """What would complete an item; where one part is enough, the others complete it only in part."""
    alone = [_ways(part) for part in missing if part.enough]
    others = [way for part in missing if not part.enough and (way := _ways(part))]
    if alone and others:
        others[0] = f"in part: {others[0]}"
    return "; ".join(alone + others)


def _ways(part: Part) -> str:
    ways = [f"{part.about} in {ABOUT}" if part.about else "", part.supply]
    return " or ".join(way for way in ways if way)
