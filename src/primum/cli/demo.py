"""``primum demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from primum.cli.arguments import Root, Seed
from primum.cli.outputs import folder_out

app = typer.Typer()


@app.command()
def demo(
    context: typer.Context,
    data: Annotated[
        str, typer.Option(help="phantom (made images), ham10000, chest_xray or brain_tumor_mri.")
    ] = "phantom",
    root: Root = None,
    out: Annotated[Path, typer.Option(help="Folder for the reports.")] = Path("demo-run"),
    seed: Seed = 0,
) -> None:
    """Audit real predictions, then train two networks and compare them.

    Example: [bold]primum demo --data ham10000 --root data/ham10000 --out ham-run[/bold]
    """
    from primum.cli.demonstration import run
    from primum.core import needs

    needs.verb("demo")
    run(data, root, folder_out(context, out), seed)
