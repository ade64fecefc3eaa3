"""From evidence to a score for each kind of failure, and to a name where one is clear."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from primum.core.arrays import Floats, Strings
from primum.judge.failures.evidence import (
    AMBIGUITY,
    BLINDNESS,
    CATEGORIES,
    NOISE,
    SPURIOUS,
    UNDETERMINED,
    Evidence,
)

CLEAR, LEAD = 0.65, 0.15
ALONE = 0.5


def scores(evidence: Iterable[Evidence], failures: int) -> dict[str, Floats]:
    """Category → (F,) score, 0 to 1, of what its sources say together; a reconstruction, not a probability.

    - clinical ambiguity: the mean of its sources, less what distance from training and a tied column
      explain: to hesitate over something never seen, or because of a marker, is not to see two readings.
    - annotation noise: the weakest of its sources, since all must speak against the label; 0 where neither
      members nor neighbours were there, since a model's own probabilities cannot convict a label.
    - model blindness: the stronger of distance and missing support, times how little the label was
      considered.
    - spurious feature: the tie to a column. A map off the lesion adds to it, at most half of what is left: it
      was never measured where the truth is known, so it cannot name a failure alone.
    """
    available = {source.name: source.score for source in evidence if source.score is not None}
    nothing = np.zeros(failures)

    def of(name: str) -> Floats:
        return available.get(name, nothing)

    def present(*names: str) -> list[Floats]:
        return [available[name] for name in names if name in available]

    ambiguity = present("close_call", "neighbouring_mass", "split_members", "mixed_neighbourhood")
    by_neighbours_or_members = present("members_against_label", "neighbours_against_label")
    by_model = present("label_unlikely", "confident_learning")
    unexplained = (1 - of("far_from_training")) * (1 - of("tied_to_column"))
    strange = np.maximum(of("far_from_training"), of("unsupported_region"))
    return {
        AMBIGUITY: np.mean(ambiguity, axis=0) * unexplained if ambiguity else nothing,
        NOISE: np.min(by_model + by_neighbours_or_members, axis=0) if by_neighbours_or_members else nothing,
        BLINDNESS: of("sureness") * strange,
        SPURIOUS: 1 - (1 - of("tied_to_column")) * (1 - ALONE * of("off_lesion")),
    }


def named(by_category: Mapping[str, Floats]) -> Strings:
    """(F,) the category of largest score where that is at least 0.65 and leads by 0.15 or ``undetermined``.

    Both numbers were chosen on made images of two seeds and measured on others (results/taxonomy.md).
    """
    table = np.stack([by_category[name] for name in CATEGORIES])
    ranked = np.sort(table, axis=0)
    clear = (ranked[-1] >= CLEAR) & (ranked[-1] - ranked[-2] >= LEAD)
    return np.where(clear, np.array(CATEGORIES)[table.argmax(axis=0)], UNDETERMINED)
