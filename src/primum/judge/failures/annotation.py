"""Does everything but the label point to the answer? Evidence of annotation noise."""

from __future__ import annotations

import importlib.util

import numpy as np
from numpy.typing import ArrayLike

from primum.core import check, ties
from primum.core.arrays import Floats
from primum.core.check import MissingExtraError

UNLIKELY = 0.1


def available() -> bool:
    """Whether cleanlab (extra ``noise``) is installed."""
    return importlib.util.find_spec("cleanlab") is not None


def confident_learning(labels: ArrayLike, predicted: ArrayLike, probs: ArrayLike) -> Floats:
    """(F,) lead of the answer over the label where confident learning counts the label as an error, else 0.

    cleanlab flags a row whose probability of another class reaches the mean that rows of that class have of
    their own (Northcutt et al., JAIR 2021, "confident joint"). It looks at probabilities alone, so a model
    that is sure and wrong is flagged too: one source among others.

    Args:
        labels, predicted: (N,) class indices. probs: (N, K), predicted for rows the model was not trained on.

    Raises:
        MissingExtraError: without cleanlab.
    """
    if not available():
        raise MissingExtraError("confident learning needs cleanlab: pip install 'primum[noise]'")
    from cleanlab.filter import find_label_issues

    true, answers, p = check.array(labels), check.array(predicted), check.array(probs)
    flagged = find_label_issues(true, p, filter_by="confident_learning", n_jobs=1)
    failures = np.flatnonzero(true != answers)
    lead = p[failures, answers[failures]] - p[failures, true[failures]]
    return np.asarray(np.where(flagged[failures], np.clip(lead, 0, 1), 0.0))


def label_unlikely(labels: ArrayLike, predicted: ArrayLike, probs: ArrayLike) -> Floats:
    """(F,) 1 where the label is impossible beside the answer, 0 from a tenth of the answer's probability on.

    Args:
        labels, predicted: (F,) class indices of the failures. probs: (F, K) calibrated.

    >>> label_unlikely([0, 0], [1, 1], [[0.0, 1.0], [0.5, 0.5]]).tolist()
    [1.0, 0.0]
    """
    rows, p = np.arange(len(check.array(labels))), check.array(probs)
    odds = p[rows, check.array(labels)] / np.maximum(p[rows, check.array(predicted)], 1e-12)
    return np.asarray(np.clip(1 - odds / UNLIKELY, 0, 1))


def members_against_label(labels: ArrayLike, predicted: ArrayLike, members: ArrayLike) -> Floats:
    """(F,) :func:`label_unlikely` for the member that doubts the label least; 0 unless all give the answer.

    Args:
        labels, predicted: (F,) class indices of the failures. members: (M, F, K) probabilities.
    """
    p = check.array(members)
    agreed = (ties.first_largest(p) == check.array(predicted)).all(axis=0)
    mildest = np.min([label_unlikely(labels, predicted, member) for member in p], axis=0)
    return np.asarray(np.where(agreed, mildest, 0.0))


def neighbours_against_label(labels: ArrayLike, predicted: ArrayLike, shares: ArrayLike) -> Floats:
    """(F,) share of neighbours with the answer as label, 0 where as many or more carry the failure's label.

    Args:
        labels, predicted: (F,) class indices. shares: (F, K) share of each label among the neighbours.
    """
    rows, table = np.arange(len(check.array(labels))), check.array(shares)
    of_label, of_answer = table[rows, check.array(labels)], table[rows, check.array(predicted)]
    return np.asarray(np.clip(of_answer - of_label, 0, 1))
