"""Where the runs of a bench are trained: on processes of this machine, or on a Ray cluster."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context
from threading import Thread

from primum import check
from primum.bench.cluster import on_ray
from primum.bench.tasks import Done, Task, carry_out
from primum.check import InputError

ENGINES = ("local", "ray")


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
        return (lambda tasks: on_ray(tasks, address)), max(1, cores() // count)
    return (lambda tasks: local(tasks, count)), max(1, cores() // count)
