"""The notebook of the examples shows what it shows."""

from __future__ import annotations

import json

import pytest

from examples.run import NOTEBOOK, run

STORED = json.loads(NOTEBOOK.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def executed():
    return run(STORED, NOTEBOOK.parent)


@pytest.mark.parametrize("at", range(len(STORED["cells"])))
def test_a_cell_shows_what_is_stored(executed, at: int) -> None:
    assert executed["cells"][at] == STORED["cells"][at]
