"""A made scene on stage, with images on disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from primum.explore.app.stage import Stage
from primum.explore.projection import project
from primum.explore.scene import Domain, Scene, build_scene
from tests.explore.conftest import MATRIX, predictions


def staged(shown: Scene, number: int = 0) -> Stage:
    return Stage(number, shown, {size: project(shown, "pca", size) for size in (2, 3)})


@pytest.fixture
def stage(whole: Scene) -> Stage:
    return staged(whole)


@pytest.fixture
def pictured(tmp_path: Path) -> Stage:
    """Three cases: an image, one that is gone, and a path that leads out of the folder."""
    (tmp_path / "images").mkdir()
    Image.fromarray(np.full((12, 20, 3), 90, dtype=np.uint8)).save(tmp_path / "images" / "here.png")
    Image.fromarray(np.zeros((9, 9, 3), dtype=np.uint8)).save(tmp_path / "secret.png")
    table = predictions(3)
    paths = pl.DataFrame({"path": ["here.png", "moved/away.png", "../secret.png"]})
    table = replace(table, metadata=paths)
    return staged(
        build_scene("pictured", [Domain("test", table)], severity=MATRIX, images_root=tmp_path / "images")
    )
