"""A made image table, small enough to train on in a second."""

from __future__ import annotations

import pytest
import torch
from PIL import Image

from primum.data.images import ImageTable
from tests.model.made import CLASSES, made


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """These networks are too small to share among threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def table():
    cases, pixels = made()
    return ImageTable(name="made", classes=CLASSES, cases=cases, root=None, pixels=pixels)


@pytest.fixture
def folder_table(tmp_path):
    """The same images as files."""
    cases, pixels = made()
    root = tmp_path / "images"
    root.mkdir()
    for path, image in zip(cases["path"], pixels, strict=True):
        Image.fromarray(image).save(root / path)
    return ImageTable(name="made", classes=CLASSES, cases=cases, root=root, pixels=None)


@pytest.fixture
def serve(monkeypatch):
    """Let ``data.load`` give this table, whatever it is asked for."""

    def put(table):
        monkeypatch.setattr("primum.data.sets.load", lambda name, root=None, seed=0: table)

    return put


@pytest.fixture
def severity_file(tmp_path):
    path = tmp_path / "made.yaml"
    path.write_text(
        "classes: [carcinoma, naevus, melanoma]\n"  # another order than the images'
        "groups: {benign: [naevus], malignant: [melanoma, carcinoma]}\n"
        "cost: {fine: 1, false_alarm: 2, critical: 10}\ncritical: [[malignant, benign]]\n"
    )
    return path
