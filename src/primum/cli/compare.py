"""``primum compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from primum.cli.arguments import (
    Bootstrap,
    By,
    Classes,
    Columns,
    Critical,
    Fit,
    Images,
    Labels,
    Limits,
    On,
    Prior,
    Seed,
    Severity,
    class_names,
    mappings,
    priors,
)
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
    fit: Fit = None,
    severity: Severity = None,
    by: By = None,
    columns: Columns = None,
    classes: Classes = None,
    labels: Labels = None,
    on: On = None,
    critical: Critical = None,
    prior: Prior = None,
    limits: Limits = None,
    bootstrap: Bootstrap = 1000,
    seed: Seed = 0,
    policy: Annotated[
        list[Path] | None,
        typer.Option(help="A deferral policy of the first model, and again one of the second."),
    ] = None,
    images: Images = None,
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
            by=by or (), columns=mappings(columns, 2), critical=critical or (), prior=priors(prior),
            limits=limits, bootstrap=bootstrap, seed=seed, progress=bar,
            policies=(policy[0], policy[1]) if policy else None, classes=class_names(classes),
            labels=labels, on=on,
        )  # fmt: skip
    result.save(folder, images or first.parent)
    show(result, folder)
