"""What the terminal shows of imported tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from primum.cli.terminal import console, titled

if TYPE_CHECKING:
    from primum.tables.fd_shifts.folder import Imported


def show_import(imported: Imported, paths: Sequence[Path]) -> None:
    """One line per table that was written: cases and what is known of them; then what must be known."""
    table = titled("imported", ("file", "cases", "labelled", "passes", "embedding", "scores"))
    for path, one in zip(paths, imported.tables.values(), strict=True):
        table.add_row(
            escape(str(path)), str(len(one)), str(int((one.labels >= 0).sum())),
            str(0 if one.passes is None else len(one.passes)),
            str(0 if one.embeddings is None else one.embeddings.shape[1]),
            escape(", ".join(one.scores)) or "–",
        )  # fmt: skip
    console.print(table)
    for note in imported.notes:
        console.print(f"[yellow]note:[/yellow] {escape(note)}")
