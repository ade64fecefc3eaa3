"""The verb import fd-shifts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from primum.cli.outputs import folder_out

app = typer.Typer(no_args_is_help=True, help="Results of other programs as tables of predictions.")


@app.callback()
def _several() -> None: ...


@app.command("fd-shifts")
def fd_shifts(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Folder with raw_logits.npz or raw_output.npz.")
    ],
    classes: Annotated[
        str | None, typer.Option(help="Names of the classes, in their order: benign,malignant.")
    ] = None,
    external: Annotated[
        str, typer.Option(help="What external_confids.npz holds: confidnet, dg or another name.")
    ] = "external",
    validation: Annotated[
        int | None, typer.Option(help="Index of the validation set: its rows become split cal, others test.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for one Parquet file per data set.")] = Path("imported"),
) -> None:
    """Import a result folder of the benchmark tool fd-shifts, one table for each of its data sets.

    Example: [bold]primum import fd-shifts test_results --classes benign,malignant --external confidnet[/bold]
    """
    place = folder_out(context, out)
    from rich.console import Console

    from primum.cli.terminal.importing import show_import
    from primum.tables.fd_shifts.folder import read, write

    names = tuple(name.strip() for name in classes.split(",")) if classes else ()
    with Console(stderr=True).status(f"reading {folder.name}"):
        imported = read(folder, names, external, validation)
        paths = write(imported, place)
    show_import(imported, paths)
