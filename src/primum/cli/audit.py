"""``primum audit``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from primum.cli import arguments
from primum.cli.outputs import results_out
from primum.core.check import InputError

app = typer.Typer()


@app.command()
def audit(
    context: typer.Context,
    test: Annotated[Path, typer.Argument(metavar="TEST", help="Predictions: Parquet, CSV or NPZ.")],
    fit: arguments.Fit = None,
    severity: arguments.Severity = None,
    by: arguments.By = None,
    columns: arguments.Columns = None,
    classes: arguments.Classes = None,
    labels: arguments.Labels = None,
    on: arguments.On = None,
    critical: arguments.Critical = None,
    prior: arguments.Prior = None,
    limits: arguments.Limits = None,
    bootstrap: arguments.Bootstrap = 1000,
    seed: arguments.Seed = 0,
    images: arguments.Images = None,
    policy: Annotated[
        list[Path] | None,
        typer.Option(help="A deferral policy to judge (primum defer fit); may be repeated."),
    ] = None,
    members: Annotated[
        list[Path] | None,
        typer.Option(help="Another model's table of the same cases; may be repeated."),
    ] = None,
    train: Annotated[
        Path | None, typer.Option(help="Training rows with embeddings: what the model has seen.")
    ] = None,
    about: Annotated[
        Path | None, typer.Option(help="About the study (YAML), for the reporting checklist.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for audit.json, cases.parquet and report.html.")] = Path(
        "audit"
    ),
) -> None:
    """Judge a table of predictions from any framework.

    Example: [bold]primum audit predictions.csv --severity isic2018 --by site --out audit[/bold]
    """
    if fit is not None and len(fit) > 1:
        raise InputError(f"--fit: one table is expected, {len(fit)} arrived")
    names = arguments.mappings(columns, 2 if fit else 1) * (1 if fit else 2)
    folder = results_out(context, out)
    from primum.auditing import audits
    from primum.cli.terminal.audits import show
    from primum.cli.terminal.console import Bar

    with Bar("judging") as bar:
        result = audits.audit(
            test, severity, fit[0] if fit else None,
            by=by or (), columns=names, critical=critical or (), prior=arguments.priors(prior), limits=limits,
            bootstrap=bootstrap, seed=seed, progress=bar, policies=policy or (), members=members or (),
            train=train, about=about, classes=arguments.class_names(classes), labels=labels, on=on,
        )  # fmt: skip
    result.save(folder, images or test.parent, test.parent)
    show(result, folder)
