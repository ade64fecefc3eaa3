"""Scenes of made predictions: three classes, 20-number embeddings, a corruption at two intensities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from primum.explore.scene import Domain, Scene, build_scene
from primum.predictions import Predictions
from primum.severity import SeverityMatrix

CLASSES = ("naevus", "melanoma", "carcinoma")
MATRIX = SeverityMatrix(
    CLASSES,
    np.array([[0.0, 2.0, 2.0], [10.0, 0.0, 1.0], [10.0, 1.0, 0.0]]),
    np.array([[False, False, False], [True, False, False], [True, False, False]]),
    name="made",
)


def predictions(
    n: int = 60, seed: int = 0, skill: float = 2.0, width: int = 20, who: str = "case", **rest: Any
) -> Predictions:
    """Made answers of n cases, two a patient; the embeddings of a class lie together."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    logits = rng.normal(size=(n, 3)) * 1.5
    logits[np.arange(n), labels] += skill
    embeddings = rng.normal(size=(n, width)) + 6 * np.eye(3, width)[labels]
    metadata = pl.DataFrame(
        {
            "patient": [f"{who}-p{i // 2}" for i in range(n)],
            "site": np.array(["A", "B"])[np.arange(n) % 2],
            "age": np.arange(n) % 90,
        }
    )
    made: dict[str, Any] = {
        "ids": pl.Series([f"{who}-{i}" for i in range(n)]),
        "classes": CLASSES,
        "labels": labels,
        "logits": logits.astype(np.float32),
        "embeddings": embeddings.astype(np.float32),
        "metadata": metadata,
        "name": "made",
    }
    return Predictions(**(made | rest))


@pytest.fixture
def made() -> Callable[..., Predictions]:
    return predictions


@pytest.fixture
def whole() -> Scene:
    """Test rows, two intensities of noise on the same images, fit and train rows of their own."""
    domains = [Domain("test", predictions())]
    for level, skill in ((3, 1.0), (1, 1.7)):  # not in order
        domains.append(Domain(f"gaussian_noise {level}", predictions(skill=skill), "gaussian_noise", level))
    fit = predictions(80, 1, who="fit")
    train = predictions(90, 2, who="train")
    return build_scene("made", domains, fit=fit, train=train, severity=MATRIX)
