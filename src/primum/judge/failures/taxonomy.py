"""Give every failure its evidence and, where that is clear, a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from primum.core import check
from primum.core.arrays import Floats, Integers, Strings
from primum.core.check import InputError
from primum.judge.failures import categories, sources, spurious
from primum.judge.failures.evidence import Evidence
from primum.judge.failures.neighbours import neighbourhood
from primum.judge.failures.sources import Judged
from primum.judge.failures.spurious import Pull


@dataclass(frozen=True, eq=False)
class Taxonomy:
    """The failures of one model by kind. Names are hypotheses for a reader, not verdicts.

    Attributes:
        judged: the rows, and what is known of them.
        evidence: every source, with a score for each of F failures or with what it lacks.
        scores: category → (F,) 0 to 1.
        category: (F,) one of the four categories or ``undetermined``.
        pulls: values of metadata columns that answers depend on given the true class.
        which: (F,) index into ``pulls`` of the one behind a failure's tie, -1 for none.
        left_out: column → why it was not tested.
    """

    judged: Judged
    evidence: tuple[Evidence, ...]
    scores: Mapping[str, Floats]
    category: Strings
    pulls: tuple[Pull, ...] = ()
    which: Integers = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> Integers:
        """(F,) the failures among the N judged rows."""
        return self.judged.failures

    def score(self, name: str) -> Floats | None:
        """(F,) of the source of that name, or None where its needs are not met."""
        return next(source.score for source in self.evidence if source.name == name)


def taxonomy(
    labels: ArrayLike,
    predicted: ArrayLike,
    probs: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    embeddings: ArrayLike | None = None,
    train_embeddings: ArrayLike | None = None,
    train_labels: ArrayLike | None = None,
    members: ArrayLike | None = None,
    columns: Mapping[str, Sequence[object]] | None = None,
    lesion_energy: ArrayLike | None = None,
) -> Taxonomy:
    """Sort the failures of labelled rows by kind: ambiguity, annotation noise, blindness, spurious feature.

    A reconstruction: the four kinds are those of "Building Trustworthiness into Medical Vision Systems", the
    evidence and its combination are ours. The label is used throughout, so this runs on labelled rows only;
    neighbours never come from a case's own patient.

    Args:
        labels, predicted: (N,) class indices; a failure is a row where they differ.
        probs: (N, K) calibrated, of rows the model was not trained on.
        clusters: (N,) patient of each row.
        embeddings: (N, D). train_embeddings, train_labels: (M, D) and (M,) of the rows trained on.
        members: (S, N, K) probabilities of S ≥ 2 members of an ensemble; one member alone is left out.
        columns: name → N values of columns the diagnosis should not depend on.
        lesion_energy: (N,) share of map energy inside the lesion, 0 to 1.

    Raises:
        InputError: when shapes disagree.
    """
    true, answers, p = check.array(labels), check.array(predicted), check.array(probs).astype(np.float64)
    n, k = p.shape
    energy = None if lesion_energy is None else check.numbers(lesion_energy, "failures", "lesion energy")
    voices = None if members is None else check.array(members).astype(np.float64)
    # a single member cannot differ from anybody
    voices = None if voices is None or len(voices) < 2 else voices
    for kind, array, shape in (
        ("labels", true, (n,)), ("predicted", answers, (n,)), ("lesion energy", energy, (n,)),
        ("members", voices, (0 if voices is None else len(voices), n, k)),
    ):  # fmt: skip
        if array is not None and array.shape != shape:
            raise InputError(
                f"failures: {kind} must have shape {' × '.join(map(str, shape))} beside probabilities of {n} "
                f"rows and {k} classes, {' × '.join(map(str, array.shape))} arrived"
            )
    failures = np.flatnonzero(true != answers)
    around = None
    if embeddings is not None and len(failures):
        trained = (train_embeddings, train_labels)
        around = neighbourhood(embeddings, true, answers, k, clusters, *trained)
    pulls, left_out = spurious.pulls(true, answers, columns or {}, k, clusters)
    tie, which = spurious.pulled(true, answers, p, columns or {}, pulls)
    tested = columns is not None and len(left_out) < len(columns)
    judged = Judged(
        true,
        answers,
        probs=p,
        failures=failures,
        around=around,
        members=voices,
        pulled=tie if tested else None,
        energy=energy,
    )
    evidence = tuple(sources.sources(judged)) if len(failures) else ()
    by_category = categories.scores(evidence, len(failures))
    return Taxonomy(
        judged,
        evidence,
        scores=by_category,
        category=categories.named(by_category),
        pulls=tuple(pulls),
        which=which,
        left_out=left_out,
    )
