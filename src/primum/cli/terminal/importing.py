"""What the terminal shows of imported tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from primum.cli.terminal.console import console, titled

if TYPE_CHECKING:
    from primum.tables.fd_shifts.folder import Imported


def show_import(imported: Imported, paths: Sequence[Path]) -> None:
    """One line per table that was written: cases and what is known of them; then what must be known."""
    table = titled("imported", ("file", "cases", "labelled", "passes", "embedding", "scores"))
    for path, predictions in zip(paths, imported.tables.values(), strict=True):
        table.add_row(
            escape(str(path)), str(len(predictions)), str(int((predictions.labels >= 0).sum())),
            str(0 if predictions.passes is None else len(predictions.passes)),
            str(0 if predictions.embeddings is None else predictions.embeddings.shape[1]),
            escape(", ".join(predictions.scores)) or "–",
        )  # fmt: skip
    console.print(table)
    for note in imported.notes:
        console.print(f"[yellow]note:[/yellow] {escape(note)}")
