"""The verbs data list, data check, data corrupt."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from primum.cli.arguments import Root
from primum.cli.outputs import folder_out

app = typer.Typer(no_args_is_help=True, help="Data sets: what there is, and whether yours is sound.")


@app.command("list")
def data_list() -> None:
    """List the data sets: classes, what must lie under --root, licence, severity preset.

    Example: [bold]primum data list[/bold]
    """
    from primum.cli.terminal.data import show_sets
    from primum.data.sets import DATA_SETS

    show_sets(DATA_SETS)


@app.command("check")
def data_check(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Data set, as primum data list names it.")],
    root: Root = None,
    seed: Annotated[int, typer.Option(help="Seed of the splits that are not official.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder for check.json, copies.csv and copies.html.")
    ] = None,
) -> None:
    """Check a data set: counts, unreadable files, grey values, copies and patients in two splits.

    Example: [bold]primum data check chest_xray --root data/chest_xray --out chest-check[/bold]
    """
    from primum.core import needs

    needs.verb("data check", data=name, root=root)
    folder = None if out is None else folder_out(context, out, "check.json", "copies.csv", "copies.html")
    from primum.cli.terminal.data import save_check, show_check
    from primum.data.checking import check as checked

    result = checked(name, root, seed, bar=sys.stderr.isatty())
    show_check(result.content)
    if folder is not None:
        save_check(result.content, result.copies, result.table.root, folder)


@app.command("corrupt")
def data_corrupt(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Data set, as primum data list names it.")],
    corrupt: Annotated[
        str,
        typer.Option(
            metavar="NAME:INTENSITY",
            help="A corruption such as motion_blur or jpeg (docs/shifts.md lists them) and an intensity "
            "from 1 to 5.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the images and manifest.csv.")],
    root: Root = None,
    split: Annotated[str, typer.Option(help="train, val, cal or test.")] = "test",
    seed: Annotated[
        int, typer.Option(help="Seed of the splits that are not official, and of the corruption.")
    ] = 0,
) -> None:
    """Corrupt one split of a data set, each image by its own seed, and write it with a manifest.

    An interrupted folder is gone on with; the manifest comes last.

    Example: [bold]primum data corrupt chest_xray --root data/chest --corrupt jpeg:3 --out chest-jpeg[/bold]
    """
    from primum.core import check, needs

    needs.verb("data corrupt", data=name, root=root)
    folder = folder_out(context, out, "manifest.csv", "corruption.json")
    from primum.core.columns import SPLITS
    from primum.data import pixels
    from primum.data.corruptions import folder as corrupted
    from primum.data.corruptions import parse
    from primum.data.sets import load

    kind, intensity = parse(corrupt)
    check.one_of(split, SPLITS, "--split:")
    images, bar = load(name, root, seed), sys.stderr.isatty()
    table = images.split(split)
    ranges = pixels.ranges(pixels.measure(images, bar=bar), pixels.trained_on(images))
    manifest = corrupted.write(table, kind, intensity, folder, seed, ranges=ranges, bar=bar)
    print(f"{manifest}: {len(table)} images under {kind} {intensity}; next: primum predict RUN "
          f"--data manifest --root {manifest} --out {kind}-{intensity}.parquet")  # fmt: skip
