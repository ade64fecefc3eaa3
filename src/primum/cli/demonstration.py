"""``primum demo``: real predictions audited in seconds, then two networks trained and compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from primum import tables
from primum.auditing.audits import audit
from primum.auditing.comparisons import Comparison, compare
from primum.cli.terminal.audits import show
from primum.cli.terminal.console import Bar, console
from primum.core import bounds, check
from primum.core.check import InputError
from primum.predictions import Predictions

if TYPE_CHECKING:
    from primum.data.images import ImageTable
    from primum.model.recipe import Recipe

DATA = ("phantom", "ham10000", "chest_xray", "brain_tumor_mri")
LOSSES = ("cross-entropy", "risk-calibrated")
MOST_GROUPS = 10
PICTURES = 10


def run(data: str, root: Path | None, out: Path, seed: int) -> None:
    """Audit the shipped chest X-ray predictions (with ``data`` phantom), then train, audit and compare.

    Writes ``out/report.html``, ``out/audit.json``, ``out/cases.parquet``, the two runs in ``out/runs/`` and,
    with phantom, ``out/chest_xray/``. Finished runs of the same recipe in ``out`` are used again.
    """
    check.one_of(data, DATA, "--data:")
    if data != "phantom" and root is None:
        raise InputError(f"--data {data} needs --root, the folder of that data set")
    if data == "phantom":
        example(out / "chest_xray")
    compared, images = trained(data, root, out, seed)
    compared.save(out, images)
    show(compared, out)


def example(out: Path) -> None:
    """Audit the shipped predictions for the official chest X-ray test cases."""
    console.print("[bold]Real predictions: 624 chest X-rays of the official test split[/bold]")
    with Bar("judging") as bar:
        result = audit(shipped("examples/chest_xray.parquet"), severity="chest_xray", progress=bar)
    result.save(out)
    show(result, out)


def trained(data: str, root: Path | None, out: Path, seed: int) -> tuple[Comparison, Path | None]:
    """Train with cross-entropy and risk-calibrated, and compare on the test split; where the images lie."""
    from primum.data.sets import load
    from primum.model.recipe import Recipe
    from primum.model.train import train

    recipes = [seeded(Recipe.read(shipped(f"recipes/{data}-{loss}.yaml")), root, seed) for loss in LOSSES]
    runs = []
    for loss, recipe in zip(LOSSES, recipes, strict=True):
        console.print(f"[bold]Training on {data}: {loss.replace('-', ' ')}[/bold]")
        folder = out / "runs" / loss
        runs.append(train(recipe, folder, resume=(folder / "recipe.yaml").exists()))
    table = load(data, root, recipes[0].data.seed)
    synthetic = table.pixels is not None
    tests = [
        named(folder / "predictions" / "test.parquet", loss, synthetic)
        for folder, loss in zip(runs, LOSSES, strict=True)
    ]
    cals = [tables.read(folder / "predictions" / "cal.parquet") for folder in runs]
    with Bar("comparing") as bar:
        compared = compare(
            tests[0], tests[1], severity=recipes[1].loss.severity, fit=(cals[0], cals[1]),
            by=few_groups(tests[0]), seed=seed, progress=bar,
        )  # fmt: skip
    if synthetic:
        draw(table, compared, out / "images")
        return compared, out / "images"
    return compared, table.root


def seeded(recipe: Recipe, root: Path | None, seed: int) -> Recipe:
    """The recipe with this root and seed, for data as well as for training."""
    bounds.seed(seed)
    data = recipe.data.model_copy(update={"root": root, "seed": seed})
    return recipe.model_copy(update={"data": data, "seed": seed})


def named(path: Path, loss: str, synthetic: bool) -> Predictions:
    """Test predictions called after their loss; made images get the file name they are drawn to."""
    table = replace(tables.read(path), name=loss)
    if not synthetic:
        return table
    return replace(table, metadata=table.metadata.with_columns((table.ids + ".png").alias("path")))


def few_groups(predictions: Predictions) -> tuple[str, ...]:
    """``("site",)`` where the cases come from a handful of sites."""
    if "site" not in predictions.metadata.columns:
        return ()
    return ("site",) if 1 < predictions.metadata["site"].n_unique() <= MOST_GROUPS else ()


def draw(table: ImageTable, compared: Comparison, folder: Path) -> None:
    """Write the made images of the first critical errors of both audits as PNG files."""
    worst = {
        case for audited in (compared.first, compared.second) for case in audited.cases.head(PICTURES)["id"]
    }
    folder.mkdir(parents=True, exist_ok=True)
    for row, case in enumerate(table.cases["id"]):
        if case in worst:
            table.image(row).save(folder / f"{case}.png")


def shipped(name: str) -> Path:
    """A file that comes with primum: inside the installed package, or in the checkout it runs from."""
    home = Path(__file__).parents[1]
    for folder in (home, home.parents[1]):
        if (folder / name).exists():
            return folder / name
    raise InputError(f"{name}: this file should have come with primum; install it again")
