"""Ray addresses that cannot be used are one sentence, soon."""

from __future__ import annotations

import socket
import time

import pytest

from primum.bench import cluster
from primum.bench.cluster import on_ray
from primum.check import InputError

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
