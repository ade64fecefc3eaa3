"""Arguments that several verbs share, and how their texts are read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from primum.core.check import InputError

if TYPE_CHECKING:
    from primum.data.images import ImageTable

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
    list[str] | None,
    typer.Option(
        help="Names in your table: id=StudyUID,label=gt,prob_malignant=score. With two tables: once for "
        "both, or once for each."
    ),
]
Labels = Annotated[
    Path | None,
    typer.Option(
        help="A table of the true classes (CSV, Parquet), joined by id: label, or a column per class."
    ),
]
On = Annotated[str | None, typer.Option(help="Column of --labels that holds the ids; default id.")]
Classes = Annotated[
    str | None,
    typer.Option(
        help="The two classes, A,B, where one probability stands alone and no label tells the other."
    ),
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


def images_for(run: Path, data: str, root: Path | None, split: str) -> tuple[ImageTable, list[str]]:
    """One split of a data set as the run was cut, and what is to be told about it on standard error."""
    from primum.core import check
    from primum.data.images import SPLITS
    from primum.model.recipe import Recipe
    from primum.model.run_split import run_split

    check.one_of(split, SPLITS, "--split:")
    return run_split(run, Recipe.read(run / "recipe.yaml").data, data, root, split)


def mapping(text: str | None, option: str) -> dict[str, str]:
    """NAME=VALUE,NAME=VALUE as a dictionary."""
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


def mappings(texts: list[str] | None, tables: int, option: str = "--columns") -> list[dict[str, str]]:
    """What stands in an option that was given once for every table, or once for each of so many."""
    parsed = [mapping(text, option) for text in texts or []]
    if len(parsed) < 2:
        return (parsed or [{}]) * tables
    if len(parsed) != tables:
        raise InputError(
            f"{option}: it stands once, or once for each of {tables} tables, {len(parsed)} arrived"
            if tables > 1
            else f"{option}: once was expected for one table, {len(parsed)} arrived; part names by commas"
        )
    return parsed


def class_names(text: str | None) -> tuple[str, ...] | None:
    """A,B as a tuple; None where nothing was asked."""
    return None if text is None else tuple(part.strip() for part in text.split(",") if part.strip())


def priors(text: str | None) -> dict[str, float]:
    """CLASS=P,CLASS=P as a dictionary."""
    shares = {}
    for name, value in mapping(text, "--prior").items():
        try:
            shares[name] = float(value)
        except ValueError:
            raise InputError(f"--prior: a number was expected for {name}, {value!r} arrived") from None
    return shares
