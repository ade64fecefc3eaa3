"""One item of a reporting checklist, answered or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An item and what is known of it.

    Attributes:
        item: its number. source, reference: the checklist. topic: where it stands in the report.
        asks: what it asks. status: ``reported``, ``partly`` or ``not_reported``.
        sentences: what is known. places: of each sentence, ``about.yaml`` or a section of the report.
        how_to_supply: what is missing; empty when reported.
    """

    item: str
    source: str
    reference: str
    topic: str
    asks: str
    status: str
    sentences: Annotated[Sequence[str], Field(alias="said")] = ()
    places: Annotated[Sequence[str], Field(alias="where")] = ()
    how_to_supply: str = ""
