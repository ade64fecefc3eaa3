"""From the command line to a page: read, place, bind, say where, serve."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from primum.auditing.policy.document import Policy
from primum.explore import runs
from primum.explore.app import hosts, server
from primum.explore.app.stage import Stage
from primum.explore.projection import Projection, project
from primum.explore.scene import Scene
from primum.explore.storage import default_cache

DIMENSIONS = (3, 2)


def start(
    targets: Sequence[Path],
    *,
    images: Path | None = None,
    train: Path | None = None,
    severity: str | None = None,
    policy: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 8050,
) -> None:
    """Serve the explorer until Ctrl-C, SIGTERM or the end of its terminal (SIGHUP).

    Args:
        targets: run folders, audit folders or tables. images, train, severity: see ``runs.read``.
        policy: a policy file. host, port: where to serve; the next free port where it is taken.

    Raises:
        InputError: for anything that cannot be read, an address this machine has not, or no free port.
        SystemExit: at the end, with 128 and the number of the signal, 130 for Ctrl-C.
    """
    console = Console(stderr=True, highlight=False)
    decision_policy = None if policy is None else Policy.read(policy)
    server.bind(host, 0).close()  # an address this machine has not is refused before anything takes long
    with console.status("reading") as status:
        scenes = runs.read(targets, images, train, severity, default_cache())

        def say(step: str) -> None:
            status.update(step)
            if not console.is_terminal:
                console.print(step)

        stages = [
            Stage(number, scene, _projections(scene, say), decision_policy)
            for number, scene in enumerate(scenes)
        ]
        app = server.make_app(stages, host)
    listening = server.bind(host, port)
    got = listening.getsockname()[1]
    if port not in (0, got):
        console.print(f"port {port} is in use, taking {got}")
    if not hosts.is_loopback(host):
        console.print(
            f"warning: everyone who reaches this machine at {host} can see these cases and their images; "
            "there is no password"
        )
    address = "127.0.0.1" if hosts.is_every(host) else host
    with listening:
        serving = server.open_server(app, listening)
        print(f"http://{f'[{address}]' if ':' in address else address}:{got}  (Ctrl-C ends it)", flush=True)
        with _ending():
            serving.serve_forever()


@contextmanager
def _ending() -> Iterator[None]:
    """Turn the signals that end a server into an exit with 128 and their number."""
    signals = {signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)}
    before = {kind: signal.getsignal(kind) for kind in signals}

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    for kind in signals:
        if before[kind] is not signal.SIG_IGN:  # as nohup leaves it
            signal.signal(kind, end)
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


def _projections(scene: Scene, say: Callable[[str], object]) -> dict[int, Projection]:
    """Both maps of a scene, kept for the next start."""
    cache = default_cache()
    return {size: project(scene, dimensions=size, cache=cache, progress=say) for size in DIMENSIONS}
