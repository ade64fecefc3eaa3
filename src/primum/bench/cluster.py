"""The runs of a bench on a Ray cluster."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from typing import Any

from primum.bench.tasks import Done, Task, carry_out
from primum.core.check import InputError, MissingExtraError

LOOK = 0.5  # seconds until Ctrl-C is seen
PATIENCE = 10.0  # seconds an address has to answer


def on_ray(tasks: Iterable[Task], address: str | None) -> Iterator[Done]:
    """Carry tasks out on a Ray cluster; without an address one is started in this process.

    What is started here listens on this machine's loopback address alone, and Ray reports no usage.

    Every machine of the cluster needs primum installed and must see the working directory, the folder of the
    bench and the data under the same paths.

    Raises:
        MissingExtraError: without Ray.
        InputError: when the address does not answer in 10 seconds, or this Ray cannot be kept to loopback.
    """
    try:
        import ray
    except ImportError:
        raise MissingExtraError("--engine ray needs Ray: pip install 'primum[scale]'") from None
    begun = not ray.is_initialized()
    if begun and address is None:
        _start()
    elif begun:
        _connect(str(address))
    try:
        nodes = ray.nodes()  # type: ignore[no-untyped-call]
        gpus = 1 if any(node["Resources"].get("GPU", 0) >= 1 for node in nodes) else 0
        waiting: dict[Any, Task] = {}
        for task in tasks:
            remote = ray.remote(num_cpus=task.threads, num_gpus=gpus, max_retries=0)(_carry_out_in)
            waiting[remote.remote(task, Path.cwd())] = task
        while waiting:
            done, _ = ray.wait(list(waiting), num_returns=1, timeout=LOOK)
            for ready in done:
                task = waiting.pop(ready)
                try:
                    yield ray.get(ready)
                except ray.exceptions.RayError as error:
                    yield Done(task, 0.0, f"its worker was lost ({type(error).__name__})")
    finally:
        if begun:
            ray.shutdown()


def _start() -> None:
    """Start a cluster whose every port, those of its workers and agents too, is bound to loopback.

    Ray has no setting for this: a loopback address given to ``ray.init`` is turned into one that others
    reach. It does stay on loopback where it starts no clusters of several machines, macOS and Windows, and
    that is told to it here.
    """
    import ray
    from ray._private import ray_constants

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    several = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        ray.init(address="local", include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = several
    addresses = [node["NodeManagerAddress"] for node in ray.nodes()]  # type: ignore[no-untyped-call]
    if not all(ip_address(address).is_loopback for address in addresses):
        ray.shutdown()
        raise InputError(
            f"--engine ray: a cluster on this machine alone was expected, Ray {ray.__version__} opens its "
            "ports to others; take --engine local, or start a cluster yourself and name it with --address"
        )


def _carry_out_in(task: Task, home: Path) -> Done:
    """Carry out a task whose relative paths start from ``home``."""
    os.chdir(home)
    return carry_out(task)


def _connect(address: str) -> None:
    """Join the cluster at an address; refuse one that does not answer in 10 seconds."""
    import ray

    _listening(address)
    faults: list[Exception] = []

    def join() -> None:
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        except Exception as error:  # Ray raises many kinds
            faults.append(error)

    thread = Thread(target=join, daemon=True)  # Ray itself goes on trying for minutes
    thread.start()
    thread.join(PATIENCE)
    if thread.is_alive():
        hint = "where the cluster asks for a token, set RAY_AUTH_MODE=token"
        raise _silent(address, f"something listens, but Ray did not answer in 10 seconds ({hint})")
    if faults:
        raise _silent(address, str(faults[0]).strip().splitlines()[0])


def _listening(address: str) -> None:
    if address in ("auto", "local"):
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        raise InputError(f"--address: HOST:PORT, ray://HOST:PORT or auto was expected, {address!r} arrived")
    try:
        socket.create_connection((host, int(port)), timeout=PATIENCE).close()
    except OSError as error:
        late = isinstance(error, TimeoutError)
        raise _silent(address, "no answer in 10 seconds" if late else str(error.strerror or error)) from None


def _silent(address: str, why: str) -> InputError:
    reason = f"{why[:1].lower()}{why[1:]}"
    return InputError(
        f"--address {address}: a Ray cluster was expected to answer there, {reason}; start one with "
        "'ray start --head', or leave --address out to run Ray on this machine"
    )
