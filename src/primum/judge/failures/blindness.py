"""Has the model never learnt such a case? Evidence of model blindness."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from primum.core import check
from primum.core.arrays import Floats
from primum.judge.failures.neighbours import Neighbourhood

USUAL = 0.95


def sureness(labels: ArrayLike, predicted: ArrayLike, probs: ArrayLike) -> Floats:
    """(F,) how little the model considered the label: 1 − p_label / p_answer, 0 to 1.

    >>> sureness([0], [1], [[0.2, 0.8]]).tolist()
    [0.75]
    """
    rows, p = np.arange(len(check.array(labels))), check.array(probs)
    odds = p[rows, check.array(labels)] / np.maximum(p[rows, check.array(predicted)], 1e-12)
    return np.asarray(np.clip(1 - odds, 0, 1))


def far_from_training(far: ArrayLike) -> Floats:
    """(F,) 0 for a failure no farther than 95 % of right answers are, 1 for one farther than all.

    Args:
        far: (F,) share of right answers that lie nearer to the training rows.
    """
    return np.asarray(np.clip((check.array(far) - USUAL) / (1 - USUAL), 0, 1))


def unsupported_region(labels: ArrayLike, around: Neighbourhood) -> Floats:
    """(F,) share of judged neighbours mistaken in the same label, where no training neighbour carries it.

    Such failures lie together, away from anything of their class the network was trained on; a wrong label
    lies alone. Multiplied by the share of training neighbours with another label; 0 to 1.

    Args:
        labels: (F,) class indices of the failures. around: their neighbours, training rows among them.
    """
    assert around.trained is not None
    support = around.trained[np.arange(len(around.trained)), check.array(labels)]
    return np.asarray(around.pocket * (1 - support))
