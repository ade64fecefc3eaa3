"""Reliability diagrams as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field


@dataclass(frozen=True, kw_only=True)
class Bin:
    """The cases whose probability lies in one interval.

    Attributes:
        low, high: its ends. confidence: mean probability. n: cases.
        accuracy, accuracy_low, accuracy_high: share in which it came true, with its interval.
    """

    low: float
    high: float
    confidence: float
    accuracy: float
    accuracy_low: float | None = None
    accuracy_high: float | None = None
    n: int


@dataclass(frozen=True, kw_only=True)
class Diagram:
    """Filled bins of one group, of the answer or of one class.

    Attributes:
        group: ``"all"`` or ``"column=value"``. label: the class held against all others, or None for the
            answer itself. calibrated: name of the recalibrator, or ``"none"``. bins: the filled ones.
    """

    group: str = "all"
    label: Annotated[str | None, Field(alias="class")] = None
    calibrated: str | None = None
    bins: Sequence[Bin] = ()

    @property
    def state(self) -> str:
        """The recalibrator, ``"none"`` for probabilities as supplied."""
        return self.calibrated or "none"
