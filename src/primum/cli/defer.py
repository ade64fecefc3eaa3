"""The verbs defer fit, defer apply, defer check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from primum.cli.arguments import (
    By,
    Classes,
    Columns,
    Critical,
    Labels,
    On,
    Seed,
    Severity,
    class_names,
    mappings,
)
from primum.cli.exits import SUSPENDED
from primum.cli.outputs import file_out
from primum.core import bounds, check
from primum.core.check import InputError

app = typer.Typer(no_args_is_help=True, help="Which answers are used, and which go to a reader.")


@app.command("fit")
def defer_fit(
    context: typer.Context,
    table: Annotated[
        Path, typer.Argument(metavar="CAL", help="Predictions to fit on: rows of neither train nor test.")
    ],
    severity: Severity = None,
    score: Annotated[
        list[str] | None,
        typer.Option(
            help="Confidence score, default msr: any of an audit, critical_mass, expected_cost, or a score_ "
            "column. Several: see --several."
        ),
    ] = None,
    several: Annotated[
        str,
        typer.Option(
            help="Several scores: learn one from them (default), or try each for the promise, at delta over "
            "their number."
        ),
    ] = "learn",
    capacity: Annotated[float | None, typer.Option(help="Defer at most this share of cases.")] = None,
    reader_cost: Annotated[
        float | None, typer.Option(help="Cost of one deferral, in the unit of the severity.")
    ] = None,
    reader_error: Annotated[
        str | None,
        typer.Option(help="Share of deferred cases the reader gets wrong: 0.05, or CLASS:P,CLASS:P."),
    ] = None,
    certify: Annotated[
        str | None, typer.Option(help="Promise to certify: cer (critical errors) or expected_cost.")
    ] = None,
    alpha: Annotated[
        float | None, typer.Option(help="Promised at most: a rate, or a cost over the largest; default 0.02.")
    ] = None,
    delta: Annotated[
        float | None, typer.Option(help="Chance that the promise is broken; default 0.05.")
    ] = None,
    denominator: Annotated[
        str | None,
        typer.Option(
            help="The promise counts among all cases (default), a deferred one being safe, or the accepted."
        ),
    ] = None,
    method: Annotated[
        str | None, typer.Option(help="Thresholds among accepted: a fixed sequence (default), or bonferroni.")
    ] = None,
    unit: Annotated[
        str | None, typer.Option(help="With patients: one case each (default), or each one's worst.")
    ] = None,
    decision: Annotated[str, typer.Option(help="Whose answers: argmax, bayes or given.")] = "argmax",
    by: Annotated[str | None, typer.Option(help="A threshold for each group of this column.")] = None,
    learn: Annotated[
        str, typer.Option(help="What a learned score foresees: error or critical_error.")
    ] = "error",
    train: Annotated[
        Path | None,
        typer.Option(
            help="Rows the network was trained on, with embeddings: for mahalanobis, knn, vim, combined."
        ),
    ] = None,
    veto: Annotated[
        str | None,
        typer.Option(
            help="Ask first whether such a case was seen: auto, or a score of training rows. Needs --train."
        ),
    ] = None,
    veto_rate: Annotated[
        float | None, typer.Option(help="Known-like patients it may send away; default 0.05.")
    ] = None,
    tolerate: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME:INTENSITY", help="A corruption that promise and veto cover too. Repeatable."
        ),
    ] = None,
    changed: Annotated[
        list[Path] | None,
        typer.Option(help="Fit rows, or training rows, under such a change (predict --corrupt). Repeatable."),
    ] = None,
    columns: Columns = None,
    classes: Classes = None,
    labels: Labels = None,
    on: On = None,
    critical: Critical = None,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(help="Policy file to write.")] = Path("policy.yaml"),
) -> None:
    """Fit a policy by capacity, by cost, or with a promise: give one of --capacity, --reader-cost, --certify.

    With --veto two questions are asked: have I seen such an image, and am I sure?

    Example: [bold]primum defer fit cal.parquet --severity isic2018 --capacity 0.18 --out policy.yaml[/bold]
    """
    wishes: dict[str, Any] = {
        "alpha": alpha, "delta": delta, "denominator": denominator, "method": method, "unit": unit
    }  # fmt: skip
    terms = {name: value for name, value in wishes.items() if value is not None}
    if terms and certify is None:
        raise InputError(f"--{next(iter(terms))}: this belongs to a promise; add --certify cer")
    if veto_rate is not None and veto is None:
        raise InputError("--veto-rate: this belongs to a veto; add --veto auto")
    file_out(context, out)
    bounds.amount(reader_cost, "--reader-cost")
    from primum.auditing.policy.document import arrays_beside
    from primum.auditing.policy.fit import fit
    from primum.auditing.policy.terms import Promise, StatedReader
    from primum.cli.terminal.defer import show_policy
    from primum.judge.deferral.veto import RATE

    for name, options in {
        "denominator": ("accepted", "all"), "method": ("sequence", "bonferroni"), "unit": ("one", "worst")
    }.items():  # fmt: skip
        if name in terms:
            check.one_of(terms[name], options, f"--{name}:")
    promise = None
    if certify is not None:
        check.one_of(certify, ("cer", "expected_cost"), "--certify: promise")
        promise = Promise(risk=certify, **terms)  # type: ignore[arg-type]
    reader = None
    if reader_cost is not None or reader_error is not None:
        reader = StatedReader(reader_cost or 0.0, _rates(reader_error))
    policy = fit(
        table, severity, score or "msr", capacity=capacity, reader=reader, promise=promise,
        decision=decision, by=by, learn_from=learn, several=several,  # type: ignore[arg-type]
        critical=critical or (), columns=mappings(columns, 1)[0], seed=seed,
        classes=class_names(classes), labels=labels, on=on, train=train,
        veto=veto, veto_rate=RATE if veto_rate is None else veto_rate, tolerate=tolerate or (),
        changed=changed or (),
    )  # fmt: skip
    arrays = None if policy.training is None else file_out(context, arrays_beside(out))
    policy.to_yaml(out)
    show_policy(policy.to_dict(), policy.said, policy.question, out=out, arrays=arrays)


@app.command("apply")
def defer_apply(
    context: typer.Context,
    policy: Annotated[Path, typer.Argument(metavar="POLICY", help="A policy file.")],
    test: Annotated[Path, typer.Argument(metavar="TEST", help="Predictions: Parquet, CSV or NPZ.")],
    severity: Severity = None,
    reader_cost: Annotated[
        float | None, typer.Option(help="Cost of one deferral to count; default that of the policy.")
    ] = None,
    by: By = None,
    columns: Columns = None,
    out: Annotated[
        Path, typer.Option(help="Table to write: id, decision, confidence, action, reason.")
    ] = Path("decisions.csv"),
) -> None:
    """Accept or defer every case of a table, and count what that achieves where labels are known.

    Example: [bold]primum defer apply policy.yaml test.parquet --severity isic2018 --out decisions.csv[/bold]
    """
    file_out(context, out)
    bounds.amount(reader_cost, "--reader-cost")
    from primum.auditing.policy.application import apply
    from primum.auditing.policy.terms import StatedReader
    from primum.cli.terminal.defer import show_applied
    from primum.core import files

    applied = apply(policy, test, mappings(columns, 1)[0])
    reader = None
    if reader_cost is not None:
        stated = applied.policy.reader
        reader = StatedReader(reader_cost, None if stated is None else stated.error)
    findings = applied.findings(severity, reader, by or ())
    frame = applied.frame()
    with files.whole(out) as draft:
        frame.write_csv(draft)
    accepted = int(applied.decided.accepted.sum())
    show_applied(
        findings, description=applied.policy.said, accepted=accepted, n=len(frame),
        name=applied.table.name, out=out,
    )  # fmt: skip


@app.command("check")
def defer_check(
    context: typer.Context,
    policy: Annotated[Path, typer.Argument(metavar="POLICY", help="A policy file, fitted with --veto.")],
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="Predictions of a new site or month, no labels needed.")
    ],
    by: Annotated[
        str | None, typer.Option(help="Check each value of this column alone, p adjusted for their number.")
    ] = None,
    columns: Columns = None,
    out: Annotated[Path | None, typer.Option(help="Also write the check as JSON.")] = None,
) -> None:
    """Whether a policy may be used on rows of a new site or month. Exit code 3 where it is suspended.

    Example: [bold]primum defer check policy.yaml march.parquet --by site --out march.json[/bold]
    """
    if out is not None:
        file_out(context, out)
    from primum.auditing.policy.application import check as check_policy
    from primum.cli.terminal.site import show_check

    checked = check_policy(policy, table, mappings(columns, 1)[0], by)
    checked.to_json(out)
    show_check(checked, out)
    if checked.suspended:
        raise typer.Exit(SUSPENDED)


def _rates(text: str | None) -> float | dict[str, float] | None:
    """A number, or CLASS:P,CLASS:P."""
    if text is None:
        return None
    rates: dict[str, float] = {}
    try:
        if ":" not in text:
            return float(text)
        for part in text.split(","):
            name, _, rate = part.rpartition(":")
            rates[name.strip()] = float(rate)
    except ValueError:
        raise InputError(f"--reader-error: P or CLASS:P,CLASS:P was expected, {text!r} arrived") from None
    return rates
