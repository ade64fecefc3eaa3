"""Ray addresses that cannot be used are one sentence, soon."""

from __future__ import annotations

import os
import socket
import sys
import time

import pytest

from primum.bench import cluster
from primum.bench.cluster import on_ray
from primum.bench.tasks import Task
from primum.core.check import InputError
from tests.model.made import recipe
from tests.sockets import listeners

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'primum[scale]'")


@pytest.mark.parametrize("address", ["nonsense", "ray://nowhere"])
def test_what_is_no_ray_address_is_refused(address):
    with pytest.raises(InputError, match="HOST:PORT"):
        list(on_ray([], address))


def test_a_ray_address_that_does_not_answer_is_one_sentence():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    began = time.monotonic()
    with pytest.raises(InputError, match="was expected to answer there"):
        list(on_ray([], f"127.0.0.1:{port}"))
    assert time.monotonic() - began < 12


def test_a_listener_that_is_not_ray_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    monkeypatch.setattr(ray, "init", lambda **rest: time.sleep(5))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        began = time.monotonic()
        with pytest.raises(InputError, match="something listens, but Ray did not answer"):
            list(on_ray([], f"127.0.0.1:{listener.getsockname()[1]}"))
    assert time.monotonic() - began < 4


def test_what_ray_says_is_passed_on(monkeypatch):
    def refuse(**rest):
        raise ConnectionError("Version mismatch\nmany lines")

    monkeypatch.setattr(ray, "init", refuse)
    with pytest.raises(InputError, match="version mismatch; start one"):
        list(on_ray([], "auto"))


@pytest.fixture
def cluster_here(tmp_path, monkeypatch):
    """A cluster that ``on_ray`` started, as long as its second task is not asked for."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "1")
    wrong = recipe(data__name="folder", data__root=str(tmp_path / "nowhere"))
    tasks = [Task(wrong, tmp_path / f"run-{at}", tmp_path / "features", 1) for at in range(2)]
    running = on_ray(tasks, None)
    assert "nowhere" in next(running).fault
    yield
    running.close()


@pytest.mark.skipif(sys.platform != "linux", reason="sockets are read from /proc")
def test_a_cluster_that_is_started_here_listens_to_this_machine_alone(cluster_here):
    held = listeners(os.getpid())
    assert len(held) > 2  # the driver, the daemons of Ray and a worker
    assert {address for addresses in held.values() for address in addresses} <= {"127.0.0.1", "::1"}
    assert any(held.values())


def test_a_cluster_that_is_started_here_reports_no_usage(cluster_here):
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


def test_a_ray_that_opens_its_ports_is_refused(monkeypatch):
    ended = []
    monkeypatch.setattr(ray, "init", lambda **rest: None)
    monkeypatch.setattr(ray, "nodes", lambda: [{"NodeManagerAddress": "192.0.2.7", "Resources": {}}])
    monkeypatch.setattr(ray, "shutdown", lambda: ended.append(True))
    with pytest.raises(InputError, match="opens its ports to others; take engine="):
        list(on_ray([], None))
    assert ended
