"""The verbs of the command line."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from primum import __version__
from primum.check import InputError, PrimumError

INTERRUPTED = 130

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Primum non nocere: fewer fatal errors in medical image classification, "
    "and an honest account of when an answer may be used.",
)
severity_app = typer.Typer(no_args_is_help=True, help="What each mistake costs.")
app.add_typer(severity_app, name="severity")

Fit = Annotated[
    list[Path] | None,
    typer.Option(
        help="Rows to recalibrate on; default the rows of TEST marked split=cal. For compare: twice."
    ),
]
Severity = Annotated[
    str | None, typer.Option(help="Severity matrix: a YAML or CSV file, or a preset's name.")
]
By = Annotated[list[str] | None, typer.Option(help="Judge the groups of this column too; may be repeated.")]
Columns = Annotated[
    str | None, typer.Option(help="Names in your table: id=StudyUID,label=gt,prob_malignant=score.")
]
Critical = Annotated[
    list[str] | None,
    typer.Option(help="A fatal mistake, TRUE:PREDICTED; may be repeated; replaces those of --severity."),
]
Prior = Annotated[str | None, typer.Option(help="Prevalence at deployment: CLASS=P,CLASS=P.")]
Limits = Annotated[Path | None, typer.Option(help="Your limits, YAML lines such as 'cer: {max: 0.05}'.")]
Bootstrap = Annotated[int, typer.Option(help="Bootstrap replicates.")]
Seed = Annotated[int, typer.Option(help="Seed of everything drawn.")]
Images = Annotated[
    Path | None, typer.Option(help="Folder the path column is relative to; default the folder of the table.")
]
Root = Annotated[Path | None, typer.Option(help="Folder of the data set.")]


def main() -> None:
    """Run the command line; bad input is one sentence on stderr and exit code 2."""
    try:
        app(prog_name="primum")
    except PrimumError as error:
        _fail(str(error))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        what = error.strerror or str(error) or "this cannot be used"
        _fail(f"{where}{what.lower()}; nothing was written there")
    except SystemExit as done:
        if done.code == INTERRUPTED:
            print("primum: interrupted; earlier results stand as they were", file=sys.stderr)
        raise


def _fail(sentence: str) -> None:
    print(f"primum: {' '.join(sentence.split())}", file=sys.stderr)
    sys.exit(2)


def _version(shown: bool) -> None:
    if shown:
        print(f"primum {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None: ...


@app.command()
def demo(
    data: Annotated[
        str, typer.Option(help="phantom (made images), ham10000, chest_xray or brain_tumor_mri.")
    ] = "phantom",
    root: Root = None,
    out: Annotated[Path, typer.Option(help="Folder for the reports.")] = Path("demo-run"),
    seed: Seed = 0,
) -> None:
    """Audit real predictions, then train two networks and compare them.

    Example: [bold]primum demo --data ham10000 --root data/ham10000 --out ham-run[/bold]
    """
    from primum.demo import run

    run(data, root, out, seed)


@app.command()
def train(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="What to train (YAML).")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run; default runs/NAME of the recipe.")
    ] = None,
    root: Root = None,
    resume: Annotated[bool, typer.Option(help="Go on with an interrupted run.")] = False,
    skip_corrupt: Annotated[
        bool, typer.Option(help="Leave out images that cannot be read, and list them.")
    ] = False,
) -> None:
    """Train a network and write its predictions for every split.

    Example: [bold]primum train recipes/phantom-risk-calibrated.yaml --out runs/risk[/bold]
    """
    from primum.model.train import train as run
    from primum.recipe import Recipe

    read = Recipe.read(recipe).with_root(root)
    folder = run(read, out or Path("runs") / read.name, resume=resume, skip_corrupt=skip_corrupt)
    print(f"{folder}: network and predictions written; next: primum audit {folder}/predictions/test.parquet "
          f"--fit {folder}/predictions/cal.parquet")  # fmt: skip


@app.command()
def predict(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run.")],
    data: Annotated[str, typer.Option(help="Data set.")],
    out: Annotated[Path, typer.Option(help="Parquet file to write.")],
    root: Root = None,
    split: Annotated[str, typer.Option(help="train, val, cal or test.")] = "test",
    embeddings: Annotated[
        bool, typer.Option("--embeddings", help="Store what the last layer sees, too.")
    ] = False,
) -> None:
    """Predict a data set with the network of a run, cut into splits with the run's own seed.

    Example: [bold]primum predict runs/risk --data chest_xray --root data/chest_xray --out new.parquet[/bold]
    """
    from primum import check, tables
    from primum.data import load
    from primum.frames import SPLITS
    from primum.model.predict import predict as answers
    from primum.recipe import Recipe

    check.one_of(split, SPLITS, "--split:")
    seed = Recipe.read(run / "recipe.yaml").data.seed  # another would put training images into test
    table = load(data, root, seed).split(split)
    tables.write(answers(run, table, embeddings=embeddings), out)
    print(f"{out}: answers for {len(table)} cases written")


@app.command()
def audit(
    test: Annotated[Path, typer.Argument(metavar="TEST", help="Predictions: Parquet, CSV or NPZ.")],
    fit: Fit = None,
    severity: Severity = None,
    by: By = None,
    columns: Columns = None,
    critical: Critical = None,
    prior: Prior = None,
    limits: Limits = None,
    bootstrap: Bootstrap = 1000,
    seed: Seed = 0,
    images: Images = None,
    out: Annotated[Path, typer.Option(help="Folder for audit.json, cases.parquet and report.html.")] = Path(
        "audit"
    ),
) -> None:
    """Judge a table of predictions from any framework.

    Example: [bold]primum audit predictions.csv --severity isic2018 --by site --out audit[/bold]
    """
    if fit is not None and len(fit) > 1:
        raise InputError(f"--fit: one table is expected, {len(fit)} arrived")
    folder = _folder(out)
    from primum.auditing import audit as judge
    from primum.terminal import Bar, show

    with Bar("judging") as bar:
        found = judge(
            test, severity, fit[0] if fit else None, by or (), _mapping(columns, "--columns"), critical or (),
            _priors(prior), limits, bootstrap, seed, bar,
        )  # fmt: skip
    found.save(folder, images or test.parent)
    show(found.to_dict(), folder)


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="Predictions of the first model.")],
    second: Annotated[
        Path, typer.Argument(metavar="B", help="Predictions of the second model, on the same cases.")
    ],
    fit: Fit = None,
    severity: Severity = None,
    by: By = None,
    columns: Columns = None,
    critical: Critical = None,
    prior: Prior = None,
    limits: Limits = None,
    bootstrap: Bootstrap = 1000,
    seed: Seed = 0,
    images: Images = None,
    out: Annotated[Path, typer.Option(help="Folder for audit.json, cases.parquet and report.html.")] = Path(
        "comparison"
    ),
) -> None:
    """Compare two models on the same cases, with paired intervals of every difference.

    Example: [bold]primum compare plain.parquet risk.parquet --fit plain-cal.parquet --fit risk-cal.parquet
    --severity isic2018[/bold]
    """
    if fit and len(fit) != 2:
        raise InputError(
            f"--fit: a table for the first model and one for the second are expected, {len(fit)} arrived"
        )
    folder = _folder(out)
    from primum.comparing import compare as judge
    from primum.terminal import Bar, show

    with Bar("comparing") as bar:
        found = judge(
            first, second, severity, (fit[0], fit[1]) if fit else None, by or (),
            _mapping(columns, "--columns"), critical or (), _priors(prior), limits, bootstrap, seed, bar,
        )  # fmt: skip
    found.save(folder, images or first.parent)
    show(found.to_dict(), folder)


@severity_app.command("check")
def severity_check(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A YAML or CSV file, or a preset's name.")],
) -> None:
    """Print a severity matrix as a table, and what looks unintended in it.

    Example: [bold]primum severity check isic2018[/bold]
    """
    from primum.severity import read
    from primum.terminal import show_severity

    show_severity(read(file))


def _mapping(text: str | None, option: str) -> dict[str, str]:
    pairs = {}
    for part in (text or "").split(","):
        if not part.strip():
            continue
        name, sign, value = part.partition("=")
        if not sign or not name.strip() or not value.strip():
            raise InputError(f"{option}: NAME=VALUE,NAME=VALUE was expected, {part!r} arrived")
        if name.strip() in pairs:
            raise InputError(f"{option}: {name.strip()} stands twice; name each once")
        pairs[name.strip()] = value.strip()
    return pairs


def _priors(text: str | None) -> dict[str, float]:
    found = {}
    for name, value in _mapping(text, "--prior").items():
        try:
            found[name] = float(value)
        except ValueError:
            raise InputError(f"--prior: a number was expected for {name}, {value!r} arrived") from None
    return found


def _folder(out: Path) -> Path:
    """The folder to write to, checked before anything is computed."""
    standing = next(place for place in (out, *out.parents, Path()) if place.exists())
    if not standing.is_dir():
        raise InputError(f"--out {out}: a folder was expected, {standing} is a file; name another")
    if not os.access(standing, os.W_OK | os.X_OK):
        raise InputError(f"--out {out}: {standing} may not be written to; name another folder")
    return out
