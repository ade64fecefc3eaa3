"""The verbs severity check."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="What each mistake costs.")


@app.command("check")
def severity_check(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A YAML or CSV file, or a preset's name.")],
) -> None:
    """Print a severity matrix as a table, and what looks unintended in it.

    Example: [bold]primum severity check isic2018[/bold]
    """
    from primum.cli.terminal.severity import show_severity
    from primum.severity import read

    show_severity(read(file))
