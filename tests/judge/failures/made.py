"""Rows of two features and three classes, right but for failures whose kind is known."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import softmax

CENTRES = np.array([[1.0, 0.0, 0.2], [0.0, 1.0, 0.2], [0.2, 0.2, 1.0]])
KINDS = ("clinical_ambiguity", "annotation_noise", "model_blindness", "spurious_feature")


def made(seed: int = 0, each: int = 20) -> tuple[dict[str, Any], np.ndarray]:
    """Arguments of ``taxonomy``, and the kind put into each row ("" for ordinary ones).

    Class 2 has a look that training never showed; a marker adds to the logit of class 1 in rows of class 0.
    """
    rng = np.random.default_rng(seed)
    train_labels = rng.integers(0, 3, 400)
    train = CENTRES[train_labels] + 0.08 * rng.normal(size=(400, 3))
    labels = rng.integers(0, 3, 600)
    points = CENTRES[labels] + 0.08 * rng.normal(size=(600, 3))
    kind = np.full(600, "", dtype="<U20")
    logits = np.zeros((600, 3))
    marker = rng.random(600) < 0.35
    for number, name in enumerate(KINDS[:3]):
        at = np.arange(number * each, (number + 1) * each)
        kind[at] = name
        if name == "clinical_ambiguity":  # halfway between class 0 and 1, where training is mixed too
            labels[at] = 0
            points[at] = (CENTRES[0] + CENTRES[1]) / 2 + 0.03 * rng.normal(size=(each, 3))
            logits[at] = np.array([3.0, 3.2, 0.0])
            marker[at] = False
        elif name == "annotation_noise":
            labels[at], true = 1, 0
            points[at] = CENTRES[true] + 0.08 * rng.normal(size=(each, 3))
            logits[at] = np.array([7.0, 0.0, 0.0])
        else:
            labels[at] = 2
            points[at] = np.array([1.0, -1.0, 0.0]) + 0.05 * rng.normal(size=(each, 3))
            logits[at] = np.array([5.0, 0.0, 0.0])
    ordinary = np.flatnonzero(kind == "")
    logits[ordinary] = np.array([4.0, 2.4, 0.0])[(np.arange(3) - labels[ordinary][:, None]) % 3]
    follows = ordinary[marker[ordinary] & (labels[ordinary] == 0)]
    logits[follows, 1] += rng.uniform(1.0, 2.4, len(follows))
    kind[follows[logits[follows].argmax(axis=1) == 1]] = KINDS[3]
    between = np.tile((CENTRES[0] + CENTRES[1]) / 2, (40, 1)) + 0.03 * rng.normal(size=(40, 3))
    train, train_labels = np.r_[train, between], np.r_[train_labels, np.tile([0, 1], 20)]
    second = logits.copy()
    second[kind == "clinical_ambiguity"] = np.array([3.3, 3.0, 0.0])
    probs = softmax(logits, axis=1)
    arguments = {
        "labels": labels,
        "predicted": probs.argmax(axis=1),
        "probs": probs,
        "clusters": np.arange(600),
        "embeddings": points,
        "train_embeddings": train,
        "train_labels": train_labels,
        "members": np.stack([probs, softmax(second, axis=1)]),
        "columns": {"marker": marker.tolist(), "site": rng.integers(0, 2, 600).tolist()},
    }
    return arguments, kind
