"""``docs/shifts.md`` and its picture are what the code makes: ``python docs/shifts.py``."""

from __future__ import annotations

import importlib.util
import shutil

import numpy as np
from PIL import Image

from primum.data.corruptions import CORRUPTIONS, table
from tests.places import DOCS


def test_the_documents_hold_every_parameter_and_show_every_corruption(tmp_path):
    shutil.copy(DOCS / "shifts.md", tmp_path)
    spec = importlib.util.spec_from_file_location("made_here", DOCS / "shifts.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    made.HERE = tmp_path
    made.main()
    assert (tmp_path / "shifts.md").read_text() == (DOCS / "shifts.md").read_text()
    drawn, stored = (
        np.asarray(Image.open(folder / "shifts.png").convert("RGB"), dtype=float)
        for folder in (tmp_path, DOCS)
    )
    assert drawn.shape == stored.shape
    assert np.abs(drawn - stored).mean() < 1  # fonts and JPEG differ a little between versions


def test_the_table_lists_five_values_of_each():
    lines = {line.split("`")[1]: line for line in table.markdown().splitlines() if "`" in line}
    assert set(lines) == set(CORRUPTIONS)
    for name, line in lines.items():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert [float(cell) for cell in cells[3:8]] == list(CORRUPTIONS[name].values)
