"""The verb explore."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from primum.cli.arguments import Severity

app = typer.Typer()


@app.command()
def explore(
    targets: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN_OR_AUDIT...",
            help="Folder of a run or of an audit, or a table of predictions; two or more can be compared.",
        ),
    ],
    images: Annotated[Path | None, typer.Option(help="Folder the path column is relative to.")] = None,
    train: Annotated[
        Path | None, typer.Option(help="Predictions of training rows, for the nearest known cases.")
    ] = None,
    severity: Severity = None,
    policy: Annotated[
        Path | None, typer.Option(help="Policy that accepts or defers a new image (YAML).")
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to serve on; others can look in unless it is 127.0.0.1.")
    ] = ("127.0.0.1"),
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port; the next free one if it is taken.")
    ] = 8050,
) -> None:
    """Look at the cases: where they lie, which fail silently, and what deferring would save.

    Opens no other address than its own and asks nothing of the network. Ctrl-C ends it.

    Example: [bold]primum explore runs/risk --severity isic2018 --images data/ham10000[/bold]
    """
    from primum.core import needs

    needs.verb("explore")
    from primum.explore.app.start import start

    start(targets, images=images, train=train, severity=severity, policy=policy, host=host, port=port)
