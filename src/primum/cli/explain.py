"""The verb explain."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from primum.cli.arguments import Root, images_for
from primum.cli.outputs import file_out

app = typer.Typer()


@app.command()
def explain(
    context: typer.Context,
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run.")],
    data: Annotated[str, typer.Option(help="Data set, as primum data list names it.")],
    root: Root = None,
    split: Annotated[
        str, typer.Option(help="train, val, cal, test, shift, or new: what came after the run.")
    ] = "test",
    only: Annotated[
        str | None, typer.Option(help="failures: explain wrong answers alone, no ranking then.")
    ] = None,
    method: Annotated[
        str, typer.Option(help="grad_cam, or score_cam: no gradients, a pass per channel, slow.")
    ] = "grad_cam",
    out: Annotated[
        Path | None,
        typer.Option(help="Parquet file to write; default RUN/explanations/SPLIT-METHOD.parquet."),
    ] = None,
) -> None:
    """Show what a network looked at, and measure whether that holds still under mild changes.

    Writes a table with the scores of stability, ready for primum audit, and the maps in a folder beside it.

    An interrupted run goes on where it stopped.

    Example: [bold]primum explain runs/risk --data ham10000 --root data/ham10000 --split test[/bold]
    """
    from primum.core import needs

    needs.verb("explain", data=data, root=root)
    from primum.model.explain.run import explain as explained
    from primum.model.explain.stored import folder_of

    stem = f"{split}-{method}" + (f"-{only}" if only else "")
    path = file_out(context, out or run / "explanations" / f"{stem}.parquet")
    table, notes = images_for(run, data, root, split)
    predictions = explained(run, table, path, only=only, method=method)
    for note in notes:
        print(note, file=sys.stderr)
    rows, columns = predictions.source["explanation"]["grid"][:2]
    print(f"{path}: {len(predictions)} cases explained on a grid of {rows} × {columns}, "
          f"maps in {folder_of(path)}; next: primum audit {path}")  # fmt: skip
