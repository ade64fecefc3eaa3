"""Which items of TRIPOD+AI and CLAIM an audit and ``about.yaml`` answer, and how to supply the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from primum.auditing.checklist.fact_table import FACTS
from primum.auditing.checklist.facts import Fact, Facts
from primum.auditing.checklist.items import Item, Part, items
from primum.auditing.study import Study
from primum.judge.finding import Finding
from primum.judge.sections.checklist import Entry

ABOUT = "about.yaml"
EXTERNAL = {
    True: "The judged cases come from elsewhere than the training cases.",
    False: "There was no external test: the judged cases come from where the training cases come from.",
}


def fill(settings: Mapping[str, Any], findings: Sequence[Finding], about: Study | None = None) -> list[Entry]:
    """Answer every item from what is known, and from nothing else.

    Args:
        settings: ``settings`` of an audit; where there are any, ``deferral``, ``members``, ``explanations``,
            ``failures`` and ``robustness`` are mappings whose ``said`` is a sentence on what was done
            (``tested`` of ``explanations``: on how they were checked).
        findings: of the same audit.
        about: the study in its authors' words, or None.

    Returns:
        In the order of the lists. An item is reported when each of its parts is met, which says nothing of
        how well.

    >>> entries = fill({}, [], Study.parse({"funding": "none"}))
    >>> [entry.sentences for entry in entries if entry.status == "reported"]
    [['none']]
    """
    facts = Facts(settings, findings)
    written = {} if about is None else about.reported()
    filled = ((item, _met(item, facts, written)) for item in items())
    return [_entry(item, met, written) for item, met in filled if any(met) or not item.only_if_known]


def _met(item: Item, facts: Facts, written: Mapping[str, object]) -> list[list[Fact]]:
    """What is known of each part of an item."""
    return [
        [
            *([_statement(part.about, written)] if part.about in written else []),
            *([fact] if part.fact and (fact := FACTS[part.fact](facts)) else []),
        ]
        for part in item.parts
    ]


def _statement(key: str, written: Mapping[str, object]) -> Fact:
    value = written[key]
    return Fact(EXTERNAL[value] if isinstance(value, bool) else str(value), ABOUT)


def _entry(item: Item, met: Sequence[Sequence[Fact]], written: Mapping[str, object]) -> Entry:
    pairs = list(zip(item.parts, met, strict=True))
    missing = [part for part, answers in pairs if not answers and not part.extra]
    if any(answers and _enough(part, written) for part, answers in pairs):
        missing = []
    facts = list(dict.fromkeys(fact for answers in met for fact in answers))
    status = "partly" if facts and missing else "reported" if facts else "not_reported"
    return Entry(
        item=item.item,
        source=item.source,
        reference=item.reference,
        topic=item.topic,
        asks=item.asks,
        status=status,
        sentences=[fact.sentence for fact in facts],
        places=[fact.place for fact in facts],
        how_to_supply=_supply(missing),
    )


def _enough(part: Part, written: Mapping[str, object]) -> bool:
    """Whether this part answers its item alone; so does saying that there was no external test."""
    return part.enough or (part.about == "external_test" and written.get("external_test") is False)


def _supply(missing: Sequence[Part]) -> str:
    """What would complete an item; where one part is enough, the others complete it only in part."""
    alone = [_ways(part) for part in missing if part.enough]
    partial = [way for part in missing if not part.enough and (way := _ways(part))]
    if alone and partial:
        partial[0] = f"in part: {partial[0]}"
    return "; ".join(alone + partial)


def _ways(part: Part) -> str:
    ways = [f"{part.about} in {ABOUT}" if part.about else "", part.supply]
    return " or ".join(way for way in ways if way)
