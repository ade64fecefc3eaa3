"""One source of evidence for one kind of failure."""

from __future__ import annotations

from dataclasses import dataclass

from primum.core.arrays import Floats

AMBIGUITY, NOISE = "clinical_ambiguity", "annotation_noise"
BLINDNESS, SPURIOUS = "model_blindness", "spurious_feature"

UNDETERMINED = "undetermined"
CATEGORIES = (AMBIGUITY, NOISE, BLINDNESS, SPURIOUS)


@dataclass(frozen=True, eq=False)
class Evidence:
    """What one source says of each of F failures.

    Attributes:
        name: of the source. category: the kind of failure it speaks for.
        score: (F,) 0 (nothing of the kind) to 1, or None where its needs are not met.
        why_not: what it needs that was missing, or empty.
    """

    name: str
    category: str
    score: Floats | None
    why_not: str = ""
