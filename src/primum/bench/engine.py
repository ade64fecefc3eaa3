"""Where the runs of a bench are trained: on processes of this machine, or on a Ray cluster."""

from __future__ import annotations

import os
import shutil
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import active_children, get_context
from pathlib import Path
from threading import Thread

from primum import check, files
from primum.check import InputError, PrimumError
from primum.recipe import Recipe

ENGINES = ("local", "ray")


@dataclass(frozen=True)
class Task:
    """One training: what, where to, where stored features lie, and how many threads it may use."""

    recipe: Recipe
    folder: Path
    features: Path
    threads: int


@dataclass(frozen=True)
class Done:
    """A task that is over: seconds it took, and what went wrong or ""."""

    task: Task
    seconds: float
    fault: str = ""


def carry_out(task: Task) -> Done:
    """Train one task, going on where it was interrupted; a fault is returned, not raised.

    Where going on fails, since what was left is damaged, the run is done anew. What is no sentence of ours is
    left whole in ``fault.txt`` of the run's folder.
    """
    began, fault = time.monotonic(), ""
    resume = (task.folder / "recipe.yaml").exists()
    try:
        try:
            _train(task, resume)
        except Exception as error:
            if not resume or isinstance(error, PrimumError):
                raise
            shutil.rmtree(task.folder)
            _train(task, False)
    except PrimumError as error:
        fault = str(error)
    except Exception as error:
        with files.whole(task.folder / "fault.txt") as draft:
            draft.write_text(traceback.format_exc(), encoding="utf-8")
        fault = f"{type(error).__name__}, see fault.txt in its folder"
    return Done(task, time.monotonic() - began, fault)


def _train(task: Task, resume: bool) -> None:
    import torch

    from primum.model.train import train

    torch.set_num_threads(task.threads)
    train(
        task.recipe, task.folder, resume=resume, progress=False, cache=task.features,
        embeddings=task.recipe.network.trunk == "trained",
    )  # fmt: skip


def cores() -> int:
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def jobs_here() -> int:
    """Trainings at once on this machine: one on an accelerator, else one per core."""
    from primum.model.features import device

    return 1 if device().type != "cpu" else cores()


def _live_with(parent: int) -> None:
    """End this process when its parent does, however that ended: nobody else may be writing to its run."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def local(tasks: Iterable[Task], jobs: int) -> Iterator[Done]:
    """Carry tasks out on ``jobs`` processes of this machine, each as it is over."""
    spawn = get_context("spawn")
    with ProcessPoolExecutor(jobs, spawn, initializer=_live_with, initargs=(os.getpid(),)) as pool:
        try:
            waiting = {pool.submit(carry_out, task): task for task in tasks}
            for future in as_completed(waiting):
                try:
                    yield future.result()
                except BrokenProcessPool:  # killed from outside, mostly for want of memory
                    yield Done(waiting[future], 0.0, "its process was killed; try fewer --jobs")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in active_children():  # else they would finish the runs they have begun
                process.terminate()
            raise


def engine(
    name: str, jobs: int | None, address: str | None
) -> tuple[Callable[[list[Task]], Iterator[Done]], int]:
    """The engine of that name, and how many threads each task may use.

    Raises InputError for an unknown name, an address without Ray, or a number of jobs below 1.
    """
    check.one_of(name, ENGINES, "--engine:")
    if address is not None and name != "ray":
        raise InputError("--address names a Ray cluster; add --engine ray")
    if jobs is not None and jobs < 1:
        raise InputError(f"--jobs: 1 or more is needed, {jobs} arrived")
    count = jobs or jobs_here()
    if name == "ray":
        from primum.bench.cluster import on_ray

        return (lambda tasks: on_ray(tasks, address)), max(1, cores() // count)
    return (lambda tasks: local(tasks, count)), max(1, cores() // count)
