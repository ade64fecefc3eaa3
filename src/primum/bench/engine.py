"""Where the runs of a bench are trained: on processes of this machine, or on a Ray cluster."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context
from queue import Queue
from threading import Thread

from primum.bench.cluster import on_ray
from primum.bench.tasks import Done, Task, carry_out
from primum.core import bounds, check
from primum.core.check import InputError

ENGINES = ("local", "ray")
LOOK = 0.5  # seconds until Ctrl-C is seen: Polars makes an endless wait go on after it


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
    """Carry tasks out on ``jobs`` processes of this machine, each as it is over.

    Each process is a pool of its own: one that is killed breaks its pool, and with it every task given to it.
    That is why this is not joblib's: there one killed worker of two left no result of five tasks.
    """
    pools: Queue[ProcessPoolExecutor] = Queue()
    for _ in range(jobs):
        pools.put(_pool())
    with ThreadPoolExecutor(jobs) as hands:
        try:
            waiting = {hands.submit(_carried, task, pools) for task in tasks}
            while waiting:
                done, waiting = wait(waiting, LOOK, FIRST_COMPLETED)
                yield from (future.result() for future in done)
        except BaseException:
            for future in waiting:
                future.cancel()
            for process in active_children():  # else they would finish the runs they have begun
                process.terminate()
            raise
        finally:
            while not pools.empty():
                pools.get().shutdown(wait=False)


def _pool() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, get_context("spawn"), initializer=_live_with, initargs=(os.getpid(),))


def _carried(task: Task, pools: Queue[ProcessPoolExecutor]) -> Done:
    """A task carried out by the next free process; a new one takes its place where it was killed."""
    pool = pools.get()
    try:
        return pool.submit(carry_out, task).result()
    except BrokenProcessPool:  # killed from outside, mostly for want of memory
        pool.shutdown(wait=False)
        pool = _pool()
        return Done(task, 0.0, "its process was killed; try fewer --jobs")
    finally:
        pools.put(pool)


def engine(
    name: str, jobs: int | None, address: str | None
) -> tuple[Callable[[list[Task]], Iterator[Done]], int]:
    """The engine of that name, and how many threads each task may use.

    Raises InputError for an unknown name, an address without Ray, or a number of jobs below 1.
    """
    check.one_of(name, ENGINES, "--engine:")
    if address is not None and name != "ray":
        raise InputError("--address names a Ray cluster; add --engine ray")
    if jobs is not None:
        bounds.whole_number(jobs, "--jobs", 1, bounds.JOBS)
    count = jobs or jobs_here()
    if name == "ray":
        return (lambda tasks: on_ray(tasks, address)), max(1, cores() // count)
    return (lambda tasks: local(tasks, count)), max(1, cores() // count)
