"""Where the runs of a bench are trained: on processes of this machine, or on a Ray cluster."""

from __future__ import annotations

import logging
import os
import socket
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from primum import check, files
from primum.check import InputError, MissingExtraError, PrimumError
from primum.recipe import Recipe

ENGINES = ("local", "ray")
PATIENCE = 10.0  # seconds a Ray address has to answer


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

    What is no sentence of ours is left whole in ``fault.txt`` of the run's folder.
    """
    began, fault = time.monotonic(), ""
    resume = (task.folder / "recipe.yaml").exists()
    try:
        import torch

        from primum.model.train import train

        torch.set_num_threads(task.threads)
        train(
            task.recipe, task.folder, resume=resume, progress=False, cache=task.features,
            embeddings=task.recipe.network.trunk == "trained",
        )  # fmt: skip
    except PrimumError as error:
        fault = str(error)
    except Exception as error:
        with files.whole(task.folder / "fault.txt") as draft:
            draft.write_text(traceback.format_exc(), encoding="utf-8")
        fault = f"{type(error).__name__}, see fault.txt in its folder"
    return Done(task, time.monotonic() - began, fault)


def cores() -> int:
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def jobs_here() -> int:
    """Trainings at once on this machine: one on an accelerator, else one per core."""
    from primum.model.features import device

    return 1 if device().type != "cpu" else cores()


def local(tasks: Iterable[Task], jobs: int) -> Iterator[Done]:
    """Carry tasks out on ``jobs`` processes of this machine, each as it is over."""
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        try:
            waiting = {pool.submit(carry_out, task): task for task in tasks}
            for future in as_completed(waiting):
                try:
                    yield future.result()
                except BrokenProcessPool:  # killed from outside, mostly for want of memory
                    yield Done(waiting[future], 0.0, "its process was killed; try fewer --jobs")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def on_ray(tasks: Iterable[Task], address: str | None) -> Iterator[Done]:
    """Carry tasks out on a Ray cluster; without an address one is started in this process.

    Every machine of the cluster needs primum installed and must see the folder of the bench and the data
    under the same paths.

    Raises:
        MissingExtraError: without Ray. InputError: when the address does not answer in 10 seconds.
    """
    try:
        import ray
    except ImportError:
        raise MissingExtraError("--engine ray needs Ray: pip install 'primum[scale]'") from None
    if address is not None:
        _answers(address)
    begun = not ray.is_initialized()
    if begun:
        quiet: dict[str, Any] = {"include_dashboard": False} if address is None else {}
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        try:
            ray.init(address=address or "local", log_to_driver=False, logging_level=logging.ERROR, **quiet)
        except (ConnectionError, RuntimeError, ValueError) as error:
            first = str(error).strip().splitlines()[0]
            raise InputError(f"--address {address}: Ray could not be reached there ({first})") from None
    try:
        nodes = ray.nodes()  # type: ignore[no-untyped-call]
        gpus = 1 if any(node["Resources"].get("GPU", 0) >= 1 for node in nodes) else 0
        wait: dict[Any, Task] = {}
        for task in tasks:
            remote = ray.remote(num_cpus=task.threads, num_gpus=gpus, max_retries=0)(carry_out)
            wait[remote.remote(task)] = task
        while wait:
            (ready,), _ = ray.wait(list(wait), num_returns=1)
            task = wait.pop(ready)
            try:
                yield ray.get(ready)
            except ray.exceptions.RayError as error:
                yield Done(task, 0.0, f"its worker was lost ({type(error).__name__})")
    finally:
        if begun:
            ray.shutdown()


def _answers(address: str) -> None:
    """Refuse a Ray address that nobody listens at."""
    if address in ("auto", "local"):
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        raise InputError(f"--address: HOST:PORT, ray://HOST:PORT or auto was expected, {address!r} arrived")
    try:
        socket.create_connection((host, int(port)), timeout=PATIENCE).close()
    except OSError as error:
        why = "no answer in 10 seconds" if isinstance(error, TimeoutError) else str(error.strerror or error)
        raise InputError(
            f"--address {address}: a Ray cluster was expected to answer there, {why.lower()}; start one with "
            "'ray start --head', or leave --address out to run Ray on this machine"
        ) from None


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
