"""The items of the reporting checklists, read from the YAML files beside this module."""

from __future__ import annotations

from functools import cache
from importlib import resources

from pydantic import BaseModel, ConfigDict, Field

from primum.core import documents

FILES = ("tripod_ai.yaml", "claim.yaml")


class Part(BaseModel):
    """One thing an item asks for.

    Attributes:
        about: field of ``about.yaml`` that meets it. fact: the audit's, ``known`` in the files.
        enough: it answers the item alone. extra: nobody misses it.
        supply: what to do where it is missing, besides writing the field.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    about: str = ""
    fact: str = Field("", alias="known")
    enough: bool = False
    extra: bool = False
    supply: str = ""


class Item(BaseModel):
    """One item of a checklist in our own words.

    Attributes:
        item: its number. source, reference: the checklist. topic: where it stands in the report.
        asks: what it asks, completing "The reader is told …". parts: what that takes.
        only_if_known: left out where nothing is known of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    item: str
    source: str
    reference: str
    topic: str
    asks: str
    parts: tuple[Part, ...]
    only_if_known: bool = False


@cache
def items() -> tuple[Item, ...]:
    """Every item of TRIPOD+AI, then of CLAIM."""
    entries = []
    for name in FILES:
        text = (resources.files("primum.auditing.checklist") / name).read_text(encoding="utf-8")
        content = documents.yaml_values(text, name)
        head = {key: content[key] for key in ("source", "reference")}
        entries += [Item(**head, **entry) for entry in content["items"]]
    return tuple(entries)
