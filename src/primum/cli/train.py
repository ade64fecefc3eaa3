"""``primum train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from primum.cli.arguments import Root
from primum.cli.outputs import folder_out

app = typer.Typer()


@app.command()
def train(
    context: typer.Context,
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="What to train (YAML).")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run; default runs/NAME of the recipe.")
    ] = None,
    root: Root = None,
    resume: Annotated[bool, typer.Option(help="Go on with an interrupted run.")] = False,
    skip_corrupt: Annotated[
        bool, typer.Option(help="Leave out images that cannot be read, and list them.")
    ] = False,
    drop_leaks: Annotated[
        bool, typer.Option("--drop-leaks", help="Train on no image that has a copy in test, val or cal.")
    ] = False,
) -> None:
    """Train a network and write its predictions for every split.

    Example: [bold]primum train recipes/phantom-risk-calibrated.yaml --out runs/risk[/bold]
    """
    from primum.core import needs
    from primum.model.recipe import Recipe

    plan = Recipe.read(recipe).with_root(root)
    place = None if plan.data.root is None else Path(plan.data.root)
    needs.verb("train", data=plan.data.name, root=place, weights=plan.network.weights)
    from primum.model import train as training

    plan = plan.without_leaks() if drop_leaks else plan
    folder = folder_out(context, out or Path("runs") / plan.name)
    training.train(plan, folder, resume=resume, skip_corrupt=skip_corrupt)
    print(f"{folder}: network and predictions written; next: primum audit {folder}/predictions/test.parquet "
          f"--fit {folder}/predictions/cal.parquet")  # fmt: skip
