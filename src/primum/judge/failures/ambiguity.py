"""Could the picture be read either way? Evidence of clinical ambiguity."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from primum.core import check
from primum.core.arrays import Floats


def close_call(labels: ArrayLike, predicted: ArrayLike, probs: ArrayLike) -> Floats:
    """(F,) how nearly label and answer were equally probable: 2 p_label / (p_label + p_answer), 0 to 1.

    Args:
        labels, predicted: (F,) class indices of the failures. probs: (F, K) calibrated.
    """
    return balance(labels, predicted, probs)


def neighbouring_mass(predicted: ArrayLike, probs: ArrayLike, likeness: ArrayLike) -> Floats:
    """(F,) twice the probability left to classes that look like the answer, each weighed by its likeness.

    0 to 1; 1 where the answer kept no more than half.

    Args:
        predicted: (F,) class index. probs: (F, K) calibrated. likeness: (K, K) of :func:`class_likeness`.
    """
    answers, p = check.array(predicted), check.array(probs)
    weight = np.array(check.array(likeness)[answers])
    weight[np.arange(len(answers)), answers] = 0
    return np.asarray(np.minimum(1.0, 2 * (weight * p).sum(axis=1)))


def class_likeness(labels: ArrayLike, probs: ArrayLike) -> Floats:
    """(K, K) how much alike two classes look to the model: 1 for the pair a class is most mixed up with.

    The mean probability that rows of the one class give to the other, taken both ways, over the largest such
    mean of either class; 1 on the diagonal. Every row of N enters, right or wrong.

    Args:
        labels: (N,) class indices. probs: (N, K) calibrated.
    """
    true, p = check.array(labels), check.array(probs)
    k = p.shape[1]
    mean = np.stack([p[true == c].mean(axis=0) if (true == c).any() else np.zeros(k) for c in range(k)])
    mutual = (mean + mean.T) / 2
    np.fill_diagonal(mutual, 0)
    closest = mutual.max(axis=1)
    # over the smaller of both largest means: the pair that each is most mixed up with has 1
    likeness = mutual / np.maximum(np.minimum(closest[:, None], closest[None, :]), 1e-12)
    np.fill_diagonal(likeness, 1)
    return np.asarray(np.minimum(1.0, likeness))


def split_members(labels: ArrayLike, predicted: ArrayLike, members: ArrayLike) -> Floats:
    """(F,) how evenly the members' mean probability is split between label and answer, 0 to 1.

    Counting votes was tried instead and told less: members that differ at a boundary are as often weak as the
    case is ambiguous.

    Args:
        labels, predicted: (F,) class indices. members: (M, F, K) probabilities.
    """
    return balance(labels, predicted, check.array(members).mean(axis=0))


def mixed_neighbourhood(labels: ArrayLike, predicted: ArrayLike, shares: ArrayLike) -> Floats:
    """(F,) how evenly label and answer occur among the nearest rows, 0 to 1; 0 where neither does.

    Args:
        labels, predicted: (F,) class indices. shares: (F, K) share of each label among the neighbours.
    """
    return balance(labels, predicted, shares)


def balance(labels: ArrayLike, predicted: ArrayLike, shares: ArrayLike) -> Floats:
    """(F,) 2 min(a, b) / (a + b) of the shares (F, K) of label and answer.

    >>> balance([0], [1], [[0.25, 0.75]]).tolist()
    [0.5]
    """
    rows, table = np.arange(len(check.array(labels))), check.array(shares)
    of_label, of_answer = table[rows, check.array(labels)], table[rows, check.array(predicted)]
    total = of_label + of_answer
    return np.asarray(2 * np.minimum(of_label, of_answer) / np.where(total > 0, total, 1))
