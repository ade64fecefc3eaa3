"""``primum compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from primum.cli import arguments
from primum.cli.outputs import results_out
from primum.core.check import InputError

app = typer.Typer()


@app.command()
def compare(
    context: typer.Context,
    first: Annotated[Path, typer.Argument(metavar="A", help="Predictions of the first model.")],
    second: Annotated[
        Path, typer.Argument(metavar="B", help="Predictions of the second model, on the same cases.")
    ],
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
    policy: Annotated[
        list[Path] | None,
        typer.Option(help="A deferral policy of the first model, and again one of the second."),
    ] = None,
    images: arguments.Images = None,
    out: Annotated[Path, typer.Option(help="Folder for audit.json, cases.parquet and report.html.")] = Path(
        "comparison"
    ),
) -> None:
    """Compare two models on the same cases, with paired intervals of every difference.

    Example: [bold]primum compare plain.csv risk.csv --fit plain-cal.csv --fit risk-cal.csv[/bold]
    """
    if fit and len(fit) != 2:
        raise InputError(
            f"--fit: a table for the first model and one for the second are expected, {len(fit)} arrived"
        )
    if policy and len(policy) != 2:
        raise InputError(
            f"--policy: one for the first model and one for the second are expected, {len(policy)} arrived"
        )
    folder = results_out(context, out)
    from primum.auditing import comparisons
    from primum.cli.terminal.audits import show
    from primum.cli.terminal.console import Bar

    with Bar("comparing") as bar:
        result = comparisons.compare(
            first, second, severity, (fit[0], fit[1]) if fit else None,
            by=by or (), columns=arguments.mappings(columns, 2), critical=critical or (),
            prior=arguments.priors(prior), limits=limits, bootstrap=bootstrap, seed=seed, progress=bar,
            policies=(policy[0], policy[1]) if policy else None, classes=arguments.class_names(classes),
            labels=labels, on=on,
        )  # fmt: skip
    result.save(folder, images or first.parent)
    show(result, folder)
