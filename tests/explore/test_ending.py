"""The explorer as a process: how it ends, and that nothing of it is left."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import primum
from tests.conftest import made_table
from tests.sockets import family, listeners

pytest.importorskip("dash", reason="the explorer is not installed: pip install 'primum[explore]'")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are read from /proc")


@pytest.fixture
def started(tmp_path):
    """An explorer over a table of thirty cases, without anything of its test run."""
    made_table(30).drop("split").write_parquet(tmp_path / "test.parquet")
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    code += "from primum.cli import main; main()"
    source = str(Path(primum.__file__).parents[1])
    process = subprocess.Popen(
        [sys.executable, "-c", code, "explore", str(tmp_path / "test.parquet"), "--port", "0"],
        env=os.environ | {"PYTHONPATH": source, "XDG_CACHE_HOME": str(tmp_path)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_ends_with_the_number_of_the_signal_and_leaves_nothing(started, number) -> None:
    address = started.stdout.readline().split()[0]
    port = int(address.rpartition(":")[2])
    socket.create_connection(("127.0.0.1", port)).close()
    held = listeners(started.pid)
    assert {pid: set(addresses) for pid, addresses in held.items()} == {started.pid: {"127.0.0.1"}}
    assert family(started.pid) == [started.pid]
    began = time.monotonic()
    started.send_signal(number)
    said = started.communicate(timeout=30)[1]
    assert started.returncode == 128 + number
    assert time.monotonic() - began < 20
    assert "Traceback" not in said
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    with pytest.raises(ProcessLookupError):  # its session was its own
        os.killpg(started.pid, 0)
