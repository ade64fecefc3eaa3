"""The verb ensemble."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from primum.cli.arguments import (
    Classes,
    Columns,
    Seed,
    class_names,
    mappings,
)
from primum.cli.outputs import file_out
from primum.core.check import InputError

if TYPE_CHECKING:
    from primum.predictions import Predictions

app = typer.Typer()


@app.command()
def ensemble(
    context: typer.Context,
    members: Annotated[list[Path], typer.Argument(metavar="A B …", help="Predictions on the same cases.")],
    out: Annotated[Path, typer.Option(help="Parquet file to write.")],
    fit: Annotated[
        list[Path] | None,
        typer.Option(help="Fit rows of each member, in the order of the members; needed for stacking."),
    ] = None,
    how: Annotated[
        str, typer.Option(help="mean (of the probabilities) or stacking (fitted on the fit rows).")
    ] = "mean",
    out_fit: Annotated[
        Path | None,
        typer.Option(help="Parquet file for the answers to the fit rows; of a stacking out of fold."),
    ] = None,
    columns: Columns = None,
    classes: Classes = None,
    seed: Seed = 0,
) -> None:
    """Make one table of predictions out of several models'.

    The fit rows of a stacking are answered out of fold, so the result can be audited with them.

    Example: [bold]primum ensemble a.csv b.csv --fit a-cal.csv --fit b-cal.csv --out both.parquet[/bold]
    """
    if out_fit is not None and not fit:
        raise InputError("--out-fit: answers to fit rows need fit rows, give them with --fit, one per member")
    if out_fit == out:
        raise InputError(f"--out-fit {out_fit}: another file than --out is needed")
    for file in (out, out_fit or out):
        file_out(context, file)
    from rich.console import Console

    from primum import tables
    from primum.auditing import ensembles
    from primum.tables.alignment import called

    def read(paths: list[Path]) -> list[Predictions]:
        return [
            tables.read(path, names, name, class_names(classes))
            for path, name, names in zip(paths, called(paths), mappings(columns, len(paths)), strict=True)
        ]

    with Console(stderr=True).status(how):
        combined = ensembles.ensemble(read(members), read(fit) if fit else None, how, seed)
    written = {out: combined.answers} if out_fit is None or combined.fit is None else {
        out: combined.answers, out_fit: combined.fit
    }  # fmt: skip
    tables.write_together(written)
    print(f"{out}: answers of {len(members)} members to {len(combined.answers)} cases written")
    if combined.comparison:
        print(combined.comparison)
    if out_fit is not None and combined.fit is not None:
        print(
            f"{out_fit}: answers to {len(combined.fit)} fit rows written; "
            f"next: primum audit {out} --fit {out_fit}"
        )
