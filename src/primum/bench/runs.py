"""Carry out the runs of a plan: skip what is finished, go on with what is not, redo what is damaged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyarrow.parquet as parquet
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from primum import data, severity
from primum.bench.plan import Plan, Run
from primum.bench.tasks import Done, Task
from primum.check import InputError, PrimumError
from primum.recipe import Recipe

SPLITS = ("train", "val", "cal", "test")
Carry = Callable[[list[Task]], Iterator[Done]]


def finished(run: Run, out: Path) -> bool:
    """Whether a run is there whole; a damaged one is removed, to be done again.

    Raises InputError when another recipe was run in its folder.
    """
    folder = out / run.folder
    written = folder / "recipe.yaml"
    if not folder.exists():
        return False
    try:
        same = Recipe.read(written).fingerprint() == run.recipe.fingerprint()
    except PrimumError:
        shutil.rmtree(folder)
        return False
    if not same:
        raise InputError(
            f"{folder}: another recipe was run here than the bench file now asks for; "
            "name another --out, or remove this folder"
        )
    if not (folder / "network.json").exists():
        return False
    try:
        json.loads((folder / "network.json").read_text(encoding="utf-8"))
        for split in SPLITS:
            parquet.read_metadata(folder / "predictions" / f"{split}.parquet")
    except (OSError, ValueError):  # pyarrow's errors are of these kinds
        shutil.rmtree(folder)
        return False
    return True


def train(plan: Plan, out: Path, carry: Carry, threads: int, progress: bool = True) -> None:
    """Train every run that is not finished.

    Seed by seed, so that a bench that is stopped has every loss with fewer seeds. With a frozen trunk the
    first of every data set and network goes ahead and stores the features, so that no two runs compute them
    at once.

    Raises:
        InputError: after all runs were tried, naming those that failed.
    """
    missing = sorted((run for run in plan.runs if not finished(run, out)), key=lambda run: run.seed)
    _check(missing)
    frozen = [run for run in missing if run.recipe.network.trunk == "frozen"]
    ahead = list({run.setting: run for run in reversed(frozen)}.values())
    rest = [run for run in missing if run not in ahead]
    console, faults = Console(stderr=True, quiet=not progress), []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not progress or not console.is_terminal) as bar:
        shown = bar.add_task("training", total=len(plan.runs), completed=len(plan.runs) - len(missing))
        for batch in (ahead, rest):
            names = {out / run.folder: str(run.folder.relative_to("runs")) for run in batch}
            for done in carry(_tasks(batch, out, threads)):
                bar.advance(shown)
                name = names[done.task.folder]
                console.print(f"{name}: {done.fault or f'{done.seconds:.0f} s'}", highlight=False)
                if done.fault:
                    faults.append(f"{name} ({done.fault})")
    if faults:
        raise InputError(f"{len(faults)} of {len(plan.runs)} runs failed: {faults[0]}; the others are kept")


def _check(runs: Sequence[Run]) -> None:
    """Refuse, before anything is trained, data that are not there or a severity of other classes."""
    for run in {run.data: run for run in runs}.values():
        source = run.recipe.data
        table = data.load(source.name, source.root, source.seed)
        severity.read(run.severity).ordered(table.classes, table.name)


def _tasks(runs: Sequence[Run], out: Path, threads: int) -> list[Task]:
    return [Task(run.recipe, out / run.folder, out / ".features", threads) for run in runs]
