"""``primum predict``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from primum.cli.arguments import Root, images_for
from primum.cli.outputs import file_out
from primum.core import bounds

if TYPE_CHECKING:
    from primum.predictions import Predictions

app = typer.Typer()


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
        bool, typer.Option("--embeddings", help="Store what the last layer and every stage see, too.")
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
    from primum.model import predict as prediction

    corruption = None if corrupt is None else parse(corrupt)
    bounds.whole_number(passes, "--passes", 0, bounds.PASSES)
    bounds.seed(seed)
    file_out(context, out)
    table, notes = images_for(run, data, root, split)
    predictions = prediction.predict(
        run, table, embeddings=embeddings, passes=passes, tta=tta, seed=seed, corruption=corruption
    )
    tables.write(predictions, out)
    for note in notes:
        print(note, file=sys.stderr)
    print(f"{out}: answers for {len(table)} cases written{_size(predictions)}")
    for note in predictions.notes:
        print(f"note: {note}")
    if predictions.source.get("mc_dropout", {}).get("where") == "head":
        print("dropout acts before the last layer only: a weak form of MC dropout")


def _size(predictions: Predictions) -> str:
    """Bytes that embeddings and stages take of an image, before the file is compressed."""
    if predictions.embeddings is None:
        return ""
    arrays = (predictions.embeddings, *(predictions.stages or ()))
    parts = "embeddings and stages" if predictions.stages else "embeddings"
    return f", {sum(4 * array.shape[1] for array in arrays):,} bytes of {parts} an image"
