"""The verbs demo, train, predict."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from primum.cli.arguments import Root, Seed, images_for
from primum.cli.outputs import file_out, folder_out
from primum.core import bounds

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
    from primum.cli.demo import run
    from primum.core import needs

    needs.verb("demo")
    run(data, root, folder_out(context, out), seed)


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

    read = Recipe.read(recipe).with_root(root)
    place = None if read.data.root is None else Path(read.data.root)
    needs.verb("train", data=read.data.name, root=place, weights=read.network.weights)
    from primum.model.train import train as run

    read = read.without_leaks() if drop_leaks else read
    folder = folder_out(context, out or Path("runs") / read.name)
    run(read, folder, resume=resume, skip_corrupt=skip_corrupt)
    print(f"{folder}: network and predictions written; next: primum audit {folder}/predictions/test.parquet "
          f"--fit {folder}/predictions/cal.parquet")  # fmt: skip


@app.command()
def predict(
    context: typer.Context,
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run.")],
    data: Annotated[str, typer.Option(help="Data set, as primum data list names it.")],
    out: Annotated[Path, typer.Option(help="Parquet file to write.")],
    root: Root = None,
    split: Annotated[
        str,
        typer.Option(
            help="train, val, cal, test, shift (what the run held out) or new (what came after it)."
        ),
    ] = "test",
    embeddings: Annotated[
        bool, typer.Option("--embeddings", help="Store what the last layer sees, too.")
    ] = False,
    passes: Annotated[
        int, typer.Option(metavar="S", help="Stochastic passes with dropout on (50, say); 0 for none.")
    ] = 0,
    tta: Annotated[
        bool, typer.Option("--tta", help="Look at mild changes of each image too: mirrored, moved, darker.")
    ] = False,
    corrupt: Annotated[
        str | None, typer.Option(metavar="NAME:INTENSITY", help="Corrupt the images: motion_blur:3, say.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the dropout, and of the corruption.")] = 0,
) -> None:
    """Predict a data set with the network of a run, in the splits that the run was trained with.

    With --passes or --tta the answer is the mean over the passes; how much they differ is stored as scores.

    Predict the rows to fit on in the same way. With --corrupt the columns shift and shift_level say how.

    Example: [bold]primum predict runs/risk --data chest_xray --root chest --passes 50 --out n.parquet[/bold]
    """
    from primum import tables
    from primum.core import needs

    needs.verb("predict", data=data, root=root)
    from primum.data.corruptions import parse
    from primum.model.predict import predict as answers

    corruption = None if corrupt is None else parse(corrupt)
    bounds.whole(passes, "--passes", 0, bounds.PASSES)
    bounds.seed(seed)
    file_out(context, out)
    table, notes = images_for(run, data, root, split)
    found = answers(
        run, table, embeddings=embeddings, passes=passes, tta=tta, seed=seed, corruption=corruption
    )
    tables.write(found, out)
    for note in notes:
        print(note, file=sys.stderr)
    print(f"{out}: answers for {len(table)} cases written")
    for note in found.notes:
        print(f"note: {note}")
    if found.source.get("mc_dropout", {}).get("where") == "head":
        print("dropout acts before the last layer only: a weak form of MC dropout")
