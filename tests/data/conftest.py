"""Where the real images lie, and small made trees of the official layouts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import primum.data.sets
from primum.data.images import ImageTable
from tests.places import ROOT

SHARED = ROOT.resolve() / ".." / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Folder of a real data set; the test is skipped where it is not there."""
    root = Path(os.environ.get("PRIMUM_DATA", SHARED))

    def holding(name: str) -> Path:
        if not (root / name).is_dir():
            pytest.skip(
                f"the folder {name} of real images is missing; set PRIMUM_DATA to the folder above it"
            )
        return root / name

    return holding


@pytest.fixture(scope="session")
def real(shared_data: Callable[[str], Path]) -> Callable[[str], ImageTable]:
    """A real data set, loaded once however many tests ask."""
    loaded: dict[str, ImageTable] = {}

    def load(name: str) -> ImageTable:
        if name not in loaded:
            loaded[name] = primum.data.sets.load(name, shared_data(name).parent, seed=0)
        return loaded[name]

    return load


@pytest.fixture(scope="session")
def phantom() -> ImageTable:
    return primum.data.sets.load("phantom", seed=0)


@pytest.fixture
def picture() -> Callable[[Path, int], None]:
    """Write one image of 10 × 12 pixels to a path; another seed gives another image."""

    def write(path: Path, seed: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(seed).integers(0, 256, (12, 10, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)

    return write


@pytest.fixture
def draw() -> Callable[[Path, Iterable[str]], None]:
    """Write a small image of its own at each path below a folder."""

    def write(root: Path, paths: Iterable[str]) -> None:
        rng = np.random.default_rng(0)
        for path in paths:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            pixels = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / path)

    return write
