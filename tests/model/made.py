"""Made images and a small recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from primum.model.recipe import Recipe

CLASSES = ("naevus", "melanoma", "carcinoma")
SPLITS = ("train",) * 6 + ("val", "val", "cal", "test")


def made(n=80, side=32):
    """n images (n, side, side, 3) whose colour tells the class, and their cases, patients of two."""
    rng = np.random.default_rng(3)
    labels = np.arange(n) % 3
    base = np.array([[200, 90, 60], [60, 200, 90], [90, 60, 200]])[labels]
    pixels = np.clip(base[:, None, None, :] + rng.normal(0, 40, (n, side, side, 3)), 0, 255).astype(np.uint8)
    cases = pl.DataFrame(
        {
            "id": [f"c{i:03d}" for i in range(n)],
            "label": [CLASSES[label] for label in labels],
            "patient": [f"p{i // 2}" for i in range(n)],
            "site": ["clinic"] * n,
            "split": [SPLITS[(i // 2) % len(SPLITS)] for i in range(n)],
            "path": [f"c{i:03d}.png" for i in range(n)],
        }
    )
    return cases, pixels


def recipe(**changes):
    """A recipe of a small network, 2 epochs; ``section__key=value`` changes it."""
    content = {
        "name": "small",
        "data": {"name": "made"},
        "network": {"name": "mobilenetv3_small_050", "image_size": 32},
        "loss": {"name": "cross_entropy"},
        "training": {"epochs": 2, "batch_size": 16, "precision": "32-true"},
    }
    for key, value in changes.items():
        *section, name = key.split("__")
        (content[section[0]] if section else content)[name] = value
    return Recipe.parse(content)


class Running:
    """A pickle of it makes a file when it is loaded."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.file,)


def hostile(folder: Path, name: str, zipped: bool = True) -> Path:
    """A PyTorch file that makes ``was-run`` in its folder where it is loaded carelessly."""
    import torch

    content = {"state_dict": {"weight": torch.zeros(2)}, "epoch": 0, "more": Running(folder / "was-run")}
    torch.save(content, folder / name, _use_new_zipfile_serialization=zipped)
    return folder / name
