"""Carry out the runs of a plan: skip what is finished, go on with what is not, redo what is damaged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from primum import severity
from primum.bench.tasks import Done, Task
from primum.core import documents, files, parquet
from primum.core.check import InputError, PrimumError
from primum.data import cohort
from primum.data import sets as data
from primum.model.recipe import Recipe

SPLITS = ("train", "val", "cal", "test")
Carry = Callable[[list[Task]], Iterator[Done]]


class Run(Protocol):
    """One training of any bench; see :class:`primum.bench.losses.plan.Run`."""

    @property
    def data(self) -> str: ...
    @property
    def seed(self) -> int: ...
    @property
    def recipe(self) -> Recipe: ...
    @property
    def severity(self) -> str: ...
    @property
    def folder(self) -> Path: ...
    @property
    def setting(self) -> tuple[str, str]: ...


R = TypeVar("R", bound=Run)


def finished(run: Run, out: Path) -> bool:
    """Whether a run is there whole; a damaged one is set aside under another name, to be done again.

    Raises InputError when another recipe was run in its folder, or what was run there cannot be told.
    """
    folder = out / run.folder
    written = folder / "recipe.yaml"
    if files.bare(folder, "splits.parquet", "skipped.csv", "dropped.csv"):
        return False
    try:
        same = Recipe.read(written).fingerprint() == run.recipe.fingerprint()
    except PrimumError as error:
        raise InputError(
            f"{folder}: the recipe of this run cannot be told ({error}); name another --out, or move this "
            "folder away"
        ) from None
    if not same:
        raise InputError(
            f"{folder}: another recipe was run here than the bench file now asks for; "
            "name another --out, or remove this folder"
        )
    if not (folder / "network.json").exists():
        return False
    try:
        documents.read_json(folder / "network.json", "a trained network")
        for split in SPLITS:
            parquet.header(folder / "predictions" / f"{split}.parquet", "predictions of a run")
    except InputError as error:
        aside = files.set_aside(folder)
        Console(stderr=True).print(
            f"{folder}: damaged ({error}), kept as {aside.name} and trained again",
            highlight=False,
            markup=False,
        )
        return False
    return True


def train(runs: Sequence[Run], out: Path, carry: Carry, threads: int, progress: bool = True) -> None:
    """Train every run that is not finished.

    Seed by seed, so that a bench that is stopped has every loss with fewer seeds. With a frozen trunk the
    first of every data set and network goes ahead and stores the features, so that no two runs compute them
    at once. Runs of the same data are trained in the splits of the first of them that wrote its splits down,
    so that a bench that goes on after images were added compares networks on the same cases.

    Raises:
        InputError: after all runs were tried, naming those that failed.
    """
    unfinished = sorted((run for run in runs if not finished(run, out)), key=lambda run: run.seed)
    _check(unfinished)
    ahead = first_frozen(unfinished)
    others = [run for run in unfinished if run not in ahead]
    begun = first_begun(runs, out)
    batches = [
        [replace(task(run, out, threads), like=begun.get(str(run.recipe.data))) for run in batch]
        for batch in (ahead, others)
    ]
    carry_out(batches, out, carry, total=len(runs), title="training", noun="runs", progress=progress)


def first_frozen(runs: Sequence[R]) -> list[R]:
    """The first of the runs of every data set and network whose trunk is frozen."""
    frozen = [run for run in runs if run.recipe.network.trunk == "frozen"]
    return list({run.setting: run for run in reversed(frozen)}.values())


def first_begun(runs: Sequence[Run], out: Path) -> dict[str, Path]:
    """Data section of a recipe → folder of the first run of these data that tells its splits."""
    folders: dict[str, Path] = {}
    for run in runs:
        folder, key = out / run.folder, str(run.recipe.data)
        if key not in folders and cohort.read(folder) is not None:
            folders[key] = folder
    return folders


def task(
    run: Run, out: Path, threads: int, ask: Callable[[Task], None] | None = None, about: str = ""
) -> Task:
    """What an engine carries out: the training of a run, or what is asked of it."""
    return Task(
        run.recipe, out / run.folder, features=out / ".features", threads=threads, ask=ask, about=about
    )


def carry_out(
    batches: Sequence[Sequence[Task]],
    out: Path,
    carry: Carry,
    *,
    total: int,
    title: str,
    noun: str,
    progress: bool = True,
) -> None:
    """Carry out batches of tasks, one batch after the other, with a line for each task that is over.

    Args:
        total: tasks with those that were done before. title: of the bar. noun: of the tasks.

    Raises:
        InputError: after all tasks were tried, naming the first that failed.
    """
    console, faults = Console(stderr=True, quiet=not progress), []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not progress or not console.is_terminal) as bar:
        line = bar.add_task(title, total=total, completed=total - sum(len(batch) for batch in batches))
        for batch in batches:
            for done in carry(list(batch)):
                bar.advance(line)
                parts = (str(done.task.folder.relative_to(out / "runs")), done.task.about)
                name = " ".join(part for part in parts if part)
                console.print(f"{name}: {done.fault or f'{done.seconds:.0f} s'}", highlight=False)
                if done.fault:
                    faults.append(f"{name} ({done.fault})")
    if faults:
        raise InputError(f"{len(faults)} of {total} {noun} failed: {faults[0]}; the others are kept")


def _check(runs: Sequence[Run]) -> None:
    """Refuse, before anything is trained, data that are not there or a severity of other classes."""
    for run in {run.data: run for run in runs}.values():
        source = run.recipe.data
        table = data.load(source.name, source.root, source.seed)
        severity.read(run.severity).ordered(table.classes, table.name)
