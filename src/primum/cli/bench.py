"""The verbs bench losses and scores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from primum.cli.outputs import folder_out

app = typer.Typer(no_args_is_help=True, help="Compare many trainings, honestly.")


@app.command("losses")
def bench_losses(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="BENCH", help="What to compare (YAML).")],
    out: Annotated[Path, typer.Option(help="Folder of the bench; a stopped one goes on.")] = Path("bench"),
    root: Annotated[Path | None, typer.Option(help="Folder that holds the data sets.")] = None,
    engine: Annotated[str, typer.Option(help="Where runs are trained: local or ray.")] = "local",
    jobs: Annotated[
        int | None, typer.Option(help="Trainings at once; default one per core, or one on an accelerator.")
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="Ray cluster, HOST:PORT; default Ray on this machine.")
    ] = None,
    choose_only: Annotated[
        bool,
        typer.Option("--choose-only", help="Stop once choices are made on validation; read no test row."),
    ] = False,
) -> None:
    """Train losses x strengths x seeds, choose on validation rows, read test rows once, and tabulate.

    Example: [bold]primum bench losses results/losses/frozen.yaml --root data --out bench-run[/bold]
    """
    from primum.core import needs

    needs.verb("bench", engine=engine)
    folder = folder_out(context, out)
    from primum.bench.losses.bench import bench
    from primum.cli.terminal.bench import show_bench

    show_bench(bench(file, folder, root, engine, jobs, address, choose_only), folder)


@app.command("scores")
def bench_scores(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="BENCH", help="What to compare (YAML).")],
    out: Annotated[Path, typer.Option(help="Folder of the bench; a stopped one goes on.")] = Path("bench"),
    root: Annotated[Path | None, typer.Option(help="Folder that holds the data sets.")] = None,
    engine: Annotated[str, typer.Option(help="Where runs are trained and asked: local or ray.")] = "local",
    jobs: Annotated[
        int | None, typer.Option(help="Runs at once; default one per core, or one on an accelerator.")
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="Ray cluster, HOST:PORT; default Ray on this machine.")
    ] = None,
) -> None:
    """Train networks x seeds, ask about every shift, and tell which confidence score still finds failures.

    Example: [bold]primum bench scores results/silent/chest.yaml --root data --out bench-silent[/bold]
    """
    from primum.core import needs

    needs.verb("bench scores", engine=engine)
    folder = folder_out(context, out)
    from primum.bench.scores.bench import bench
    from primum.cli.terminal.bench_scores import show_bench_scores

    show_bench_scores(bench(file, folder, root, engine, jobs, address), folder)
