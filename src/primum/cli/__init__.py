"""The command line: one module per verb."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from primum.cli import (
    audit,
    bench,
    compare,
    data,
    defer,
    demo,
    ensemble,
    explain,
    explore,
    importing,
    predict,
    severity,
    train,
)
from primum.cli.exits import BAD_INPUT, INTERRUPTED
from primum.core.check import PrimumError, sentence
from primum.core.version import __version__

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Primum non nocere: fewer fatal errors in medical image classification, "
    "and an honest account of when an answer may be used.",
)
app.add_typer(demo.app)
app.add_typer(train.app)
app.add_typer(predict.app)
app.add_typer(explain.app)
app.add_typer(explore.app)
app.add_typer(ensemble.app)
app.add_typer(audit.app)
app.add_typer(compare.app)
app.add_typer(severity.app, name="severity")
app.add_typer(data.app, name="data")
app.add_typer(importing.app, name="import")
app.add_typer(bench.app, name="bench")
app.add_typer(defer.app, name="defer")


def main() -> None:
    """Run the command line; bad input is one sentence on stderr and exit code 2."""
    try:
        app(prog_name="primum")
    except PrimumError as error:
        _fail(error.terminal)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        reason = error.strerror or str(error) or "this cannot be used"
        _fail(f"{where}{reason.lower()}; nothing was written there, earlier results stand as they were")
    except MemoryError:
        _fail("more memory is needed than this machine has; part the table, and give each part alone")
    except KeyboardInterrupt:
        _interrupted()
        sys.exit(INTERRUPTED)
    except SystemExit as done:
        if done.code == INTERRUPTED:
            _interrupted()
        raise


def _interrupted() -> None:
    print("primum: interrupted; earlier results stand as they were", file=sys.stderr)


def _fail(text: str) -> None:
    print(f"primum: {sentence(text)}", file=sys.stderr)
    sys.exit(BAD_INPUT)


def _version(requested: bool) -> None:
    if requested:
        print(f"primum {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None: ...
