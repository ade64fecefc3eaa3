"""Make ``examples/chest_xray.parquet``: our own network's answers for real chest X-rays, without the images.

python examples/make.py FOLDER_OF_CHEST_XRAY

Trains ``recipes/chest_xray-cross-entropy.yaml`` (a few minutes on two cores) and keeps the logits and
metadata of the official 624 test cases and of the calibration split.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from primum import tables
from primum.model.recipe import Recipe
from primum.model.train import train
from primum.predictions import Predictions

HERE = Path(__file__).parent


def main(root: Path) -> None:
    """Train, predict, join both splits, write."""
    recipe = Recipe.read(HERE.parent / "recipes" / "chest_xray-cross-entropy.yaml").with_root(root)
    with tempfile.TemporaryDirectory() as folder:
        run = train(recipe, Path(folder) / "run")
        parts = [tables.read(run / "predictions" / f"{split}.parquet") for split in ("test", "cal")]
    tables.write(joined(parts), HERE / "chest_xray.parquet")


def joined(parts: list[Predictions]) -> Predictions:
    """The rows of all parts as one table, without embeddings."""
    return replace(
        parts[0],
        ids=pl.concat([part.ids for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
        logits=np.concatenate([part.logits for part in parts]),
        embeddings=None,
        metadata=pl.concat([part.metadata for part in parts]),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
