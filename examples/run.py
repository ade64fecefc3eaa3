"""Run every cell of ``examples/audit.ipynb`` in order and store what each shows: ``python examples/run.py``.

A notebook is JSON; this needs neither Jupyter nor a kernel, so that the tests can run it too.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import tempfile
from pathlib import Path

NOTEBOOK = Path(__file__).with_name("audit.ipynb")


def run(notebook: dict[str, object], home: Path) -> dict[str, object]:
    """The notebook with the outputs of its cells, run in an empty folder; ``home`` is that of its data."""
    names: dict[str, object] = {"__name__": "__main__"}
    back = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.symlink(home / "chest_xray.parquet", "chest_xray.parquet")
        try:
            cells = [outputs(cell, names) for cell in notebook["cells"]]
        finally:
            os.chdir(back)
    return {**notebook, "cells": cells}


def outputs(cell: dict[str, object], names: dict[str, object]) -> dict[str, object]:
    """A cell with what it prints and what its last line is."""
    if cell["cell_type"] != "code":
        return cell
    tree = ast.parse("".join(cell["source"]))
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed, shown = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "cell", "exec"), names)
        if last is not None:
            shown = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
    entries: list[dict[str, object]] = []
    if printed.getvalue():
        entries.append({"output_type": "stream", "name": "stdout", "text": lines(printed.getvalue())})
    if shown is not None:
        data = {"text/plain": lines(repr(shown))}
        entries.append(
            {"output_type": "execute_result", "execution_count": None, "metadata": {}, "data": data}
        )
    return {**cell, "outputs": entries}


def lines(text: str) -> list[str]:
    """Text as a notebook stores it."""
    return text.splitlines(keepends=True)


if __name__ == "__main__":
    content = run(json.loads(NOTEBOOK.read_text(encoding="utf-8")), NOTEBOOK.parent)
    NOTEBOOK.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
