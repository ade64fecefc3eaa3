"""The verbs audit, compare."""

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
from primum.cli.outputs import folder_out
from primum.core.check import InputError

app = typer.Typer()


@app.command()
def audit(
    context: typer.Context,
    test: Annotated[Path, typer.Argument(metavar="TEST", help="Predictions: Parquet, CSV or NPZ.")],
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
    images: Images = None,
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
    names = mappings(columns, 2 if fit else 1) * (1 if fit else 2)
    folder = _own_folder(context, out)
    from primum.auditing.audits import audit as judge
    from primum.cli.terminal import Bar, show

    with Bar("judging") as bar:
        found = judge(
            test, severity, fit[0] if fit else None, by or (), names, critical or (),
            priors(prior), limits, bootstrap, seed, bar, policy or (), members or (), train, about,
            class_names(classes), labels, on,
        )  # fmt: skip
    found.save(folder, images or test.parent, test.parent)
    show(found.to_dict(), folder)


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
    folder = _own_folder(context, out)
    from primum.auditing.comparisons import compare as judge
    from primum.cli.terminal import Bar, show

    with Bar("comparing") as bar:
        found = judge(
            first, second, severity, (fit[0], fit[1]) if fit else None, by or (),
            mappings(columns, 2), critical or (), priors(prior), limits, bootstrap, seed, bar,
            (policy[0], policy[1]) if policy else None, class_names(classes),
            labels, on,
        )  # fmt: skip
    found.save(folder, images or first.parent)
    show(found.to_dict(), folder)


def _own_folder(context: typer.Context, out: Path) -> Path:
    """The folder of the results, in which nothing but results of this kind is replaced."""
    from primum.auditing.output import PARTS, refuse_foreign

    folder = folder_out(context, out, *PARTS)
    refuse_foreign(folder)
    return folder
