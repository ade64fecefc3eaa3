"""Every source of evidence for the failures of one model, each used only where its needs are met."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from primum.core.arrays import Floats, Integers
from primum.judge.failures import ambiguity, annotation, blindness, spurious
from primum.judge.failures.evidence import AMBIGUITY, BLINDNESS, NOISE, SPURIOUS, Evidence
from primum.judge.failures.neighbours import Neighbourhood

NO_EMBEDDINGS = "embeddings of the judged rows"
NO_TRAINING = "embeddings and labels of the training rows"
NO_MEMBERS = "probabilities of at least two members of an ensemble"
NO_CLEANLAB = "cleanlab: pip install 'primum[noise]'"
NO_COLUMNS = "a metadata column to test"
NO_ENERGY = "maps and lesion masks, for the share of map energy inside the lesion"


@dataclass(frozen=True, eq=False)
class Judged:
    """Labelled rows of one model, and which of them failed.

    Attributes:
        labels, predicted: (N,) class indices. probs: (N, K) calibrated.
        failures: (F,) rows where they differ.
        around: neighbours of the failures, or None without embeddings.
        members: (M, N, K) or None. energy: (N,) or None.
        pulled: (F,) of :func:`~primum.judge.failures.spurious.pulled`, or None without columns.
    """

    labels: Integers
    predicted: Integers
    probs: Floats
    failures: Integers
    around: Neighbourhood | None
    members: Floats | None
    pulled: Floats | None
    energy: Floats | None


def sources(judged: Judged) -> Iterator[Evidence]:
    """Each source in turn, with its scores or with what it needs."""
    rows, around = judged.failures, judged.around
    y, d, p = judged.labels[rows], judged.predicted[rows], judged.probs[rows]
    likeness = ambiguity.class_likeness(judged.labels, judged.probs)
    members = None if judged.members is None else judged.members[:, rows]
    yield Evidence("close_call", AMBIGUITY, ambiguity.close_call(y, d, p))
    yield Evidence("neighbouring_mass", AMBIGUITY, ambiguity.neighbouring_mass(d, p, likeness))
    if members is None:
        yield Evidence("split_members", AMBIGUITY, None, NO_MEMBERS)
    else:
        yield Evidence("split_members", AMBIGUITY, ambiguity.split_members(y, d, members))
    if around is None:
        yield Evidence("mixed_neighbourhood", AMBIGUITY, None, NO_EMBEDDINGS)
    else:
        shares = around.judged if around.trained is None else around.trained
        yield Evidence("mixed_neighbourhood", AMBIGUITY, ambiguity.mixed_neighbourhood(y, d, shares))

    yield Evidence("label_unlikely", NOISE, annotation.label_unlikely(y, d, p))
    if annotation.available():
        learned = annotation.confident_learning(judged.labels, judged.predicted, judged.probs)
        yield Evidence("confident_learning", NOISE, learned)
    else:
        yield Evidence("confident_learning", NOISE, None, NO_CLEANLAB)
    if members is None:
        yield Evidence("members_against_label", NOISE, None, NO_MEMBERS)
    else:
        yield Evidence("members_against_label", NOISE, annotation.members_against_label(y, d, members))
    if around is None:
        yield Evidence("neighbours_against_label", NOISE, None, NO_EMBEDDINGS)
    else:
        weakest = annotation.neighbours_against_label(y, d, around.judged)
        if around.trained is not None:
            weakest = np.minimum(weakest, annotation.neighbours_against_label(y, d, around.trained))
        yield Evidence("neighbours_against_label", NOISE, weakest)

    yield Evidence("sureness", BLINDNESS, blindness.sureness(y, d, p))
    if around is None or around.trained is None or around.far is None:
        why = NO_EMBEDDINGS if around is None else NO_TRAINING
        yield Evidence("far_from_training", BLINDNESS, None, why)
        yield Evidence("unsupported_region", BLINDNESS, None, why)
    else:
        yield Evidence("far_from_training", BLINDNESS, blindness.far_from_training(around.far))
        yield Evidence("unsupported_region", BLINDNESS, blindness.unsupported_region(y, around))

    yield Evidence("tied_to_column", SPURIOUS, judged.pulled, "" if judged.pulled is not None else NO_COLUMNS)
    if judged.energy is None:
        yield Evidence("off_lesion", SPURIOUS, None, NO_ENERGY)
    else:
        off = spurious.off_lesion(judged.labels, judged.predicted, judged.energy)
        yield Evidence("off_lesion", SPURIOUS, off)
