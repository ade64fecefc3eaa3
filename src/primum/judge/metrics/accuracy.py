"""How often the answer is right, and how well the scores rank."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from primum.core import check
from primum.core.arrays import Bools, Floats
from primum.core.check import InputError
from primum.judge.metrics.confusion import Confusion, ratio
from primum.judge.metrics.selective import Ranking, rank


def balanced_accuracy_of(counts: Confusion) -> Floats:
    """Balanced accuracy of each set of counts (...)."""
    recall = ratio(counts.hits, counts.totals)
    return np.asarray(recall.sum(axis=-1) / (counts.totals > 0).sum(axis=-1))


def macro_f1_of(counts: Confusion) -> Floats:
    """Macro F1 of each set of counts (...)."""
    # F1 = 2 TP / (2 TP + FN + FP), and TP + FN are the cases of a class, TP + FP the answers of it
    in_either = counts.totals + counts.answers
    return np.asarray(ratio(2 * counts.hits, in_either).sum(axis=-1) / (in_either > 0).sum(axis=-1))


def auroc_with_influence(labels: ArrayLike, probs: ArrayLike) -> tuple[float, Floats]:
    """Macro one-vs-rest AUROC and the influence (N,) of each case on it."""
    true, scores = check.array(labels), check.array(probs)
    present = [k for k in np.unique(true) if 0 < (true == k).sum() < len(true)]
    if not present:
        raise InputError("AUROC needs cases of at least two classes")
    if scores.shape[1] == 2:
        # of two classes one area is that of the other, if their scores sum to 1
        present = [1]
    total, influence = 0.0, np.zeros(len(true))
    for k in present:
        area, part = auroc_of_ranking(true == k, rank(scores[:, k]))
        total += area
        influence += part
    return total / len(present), influence / len(present)


def binary_auroc(positive: ArrayLike, score: ArrayLike) -> float:
    """Probability that a positive case scores above a negative one, ties counting half."""
    return auroc_of_ranking(check.array(positive).astype(bool), rank(score))[0]


def auroc_of_ranking(positive: Bools, ranking: Ranking) -> tuple[float, Floats]:
    """AUROC and each case's influence (N,): DeLong's placement values (Biometrics 1988).

    Args:
        positive: (N,) which cases should score high. ranking: of their scores.
    """
    n, n1 = len(positive), int(positive.sum())
    n0 = n - n1
    if n0 == 0 or n1 == 0:
        raise InputError("AUROC needs both positive and negative cases")
    order, sizes = ranking.order[::-1], ranking.sizes[::-1]
    hits, ends = positive[order], np.cumsum(sizes) - 1
    # a case of a tie group beats half of the group: placement values count ties as one half
    below1 = np.cumsum(hits)[ends].astype(np.float64)
    below0 = ends + 1 - below1
    group1, group0 = np.diff(below1, prepend=0.0), np.diff(below0, prepend=0.0)
    wins = (below0 - group0 / 2) / n0
    losses = 1 - (below1 - group1 / 2) / n1
    area = float(group1 @ wins) / n1
    influence = np.empty(n)
    influence[order] = np.where(
        hits, np.repeat(wins - area, sizes) * (n / n1), np.repeat(losses - area, sizes) * (n / n0)
    )
    return area, influence
