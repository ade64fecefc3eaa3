"""What listens and what asks the network: two verbs on this machine alone, one more where a recipe says so.

``explore`` listens on loopback unless ``--host`` names another address (``tests/explore/test_ending.py``,
``tests/explore/app/test_hosts.py``); a bench with ``--engine ray`` starts a cluster on loopback, or joins the
one it is given (``tests/bench/test_cluster.py``). ``train`` asks the weights hub where a recipe says
``weights: hub``. The other verbs are run here, and open nothing.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

import primum
from tests.conftest import made_table
from tests.places import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sockets are read from /proc")
SOURCE = Path(primum.__file__).parent
NETWORK = {
    "aiohttp", "asyncio", "dash", "flask", "ftplib", "grpc", "http", "httpx", "huggingface_hub", "paramiko",
    "ray", "requests", "selectors", "smtplib", "socket", "socketserver", "urllib3", "urllib.request",
    "webbrowser", "websockets", "werkzeug", "xmlrpc",
}  # fmt: skip
ALLOWED = {
    "explore/app": {"dash", "flask", "socket", "werkzeug"},
    "bench/cluster.py": {"ray", "socket"},
    "model/weights.py": {"huggingface_hub"},
}
# what Python tells of sockets bound and connected and of names looked up, and what /proc tells of listeners
WATCHED = """
import json, os, socket, sys
seen = []
def hear(event, given):
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        seen.append([event, repr(given)])
    if event in ("socket.bind", "socket.connect", "socket.sendto") and given[0].family != socket.AF_UNIX:
        seen.append([event, repr(given)])
sys.addaudithook(hear)
from primum.cli import app
from tests.sockets import listeners
for verb in json.loads(sys.argv[1]):
    app(verb, standalone_mode=False)
    seen += [["listening", at] for at in listeners(os.getpid()).values()]
print("SEEN", json.dumps(seen))
"""
RECIPE = """
name: tiny
data: {name: folder, root: images}
network: {name: mobilenetv3_small_050, image_size: 32}
loss: {name: cross_entropy}
training: {epochs: 1, batch_size: 16, precision: 32-true}
"""


def watched(folder: Path, verbs: list[list[str]]) -> list[list[str]]:
    """The sockets that some verbs opened, run one after another in a process of their own."""
    paths = os.pathsep.join([str(SOURCE.parent), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, json.dumps(verbs)], cwd=folder, capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": paths, "XDG_CACHE_HOME": str(folder)}, timeout=300, check=False,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.startswith("SEEN ")]
    assert lines, done.stderr
    return list(json.loads(lines[0].removeprefix("SEEN ")))


def test_no_verb_that_judges_opens_a_socket(tmp_path):
    for seed, name in enumerate(("a", "b")):
        made_table(200, seed=0, skill=2.0 + seed).write_parquet(tmp_path / f"{name}.parquet")
    own = [("fit-" + pl.col(name)).alias(name) for name in ("id", "patient")]
    made_table(200, seed=1).drop("split").with_columns(own).write_parquet(tmp_path / "cal.parquet")
    some = ["--bootstrap", "100", "--critical", "melanoma:naevus"]
    verbs = [
        ["audit", "a.parquet", *some, "--out", "audit"],
        ["compare", "a.parquet", "b.parquet", *some, "--out", "comparison"],
        ["defer", "fit", "cal.parquet", "--capacity", "0.2", "--out", "policy.yaml"],
        ["defer", "apply", "policy.yaml", "b.parquet"],
        ["ensemble", "a.parquet", "b.parquet", "--out", "both.parquet"],
        ["severity", "check", "isic2018"],
        ["data", "list"],
    ]
    assert watched(tmp_path, verbs) == []
    assert (tmp_path / "audit" / "report.html").is_file()


def test_no_verb_that_trains_or_asks_a_network_opens_a_socket(tmp_path):
    pytest.importorskip("lightning", reason="training is not installed: pip install 'primum[train]'")
    rng = np.random.default_rng(0)
    for at in range(60):
        place = tmp_path / "images" / ("sick", "well")[at % 2]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(place / f"{at}.png")
    (tmp_path / "tiny.yaml").write_text(RECIPE)
    images = ["--root", "images"]
    verbs = [
        ["data", "check", "folder", *images, "--out", "check"],
        ["train", "tiny.yaml", "--out", "run"],
        ["predict", "run", "--data", "folder", *images, "--out", "again.parquet"],
        ["explain", "run", "--data", "folder", *images],
        ["data", "corrupt", "folder", *images, "--corrupt", "jpeg:3", "--out", "worse"],
    ]
    assert watched(tmp_path, verbs) == []
    assert (tmp_path / "run" / "network.json").is_file()


def test_what_is_watched_would_be_seen():
    server = "held = socket.create_server(('127.0.0.1', 0))\napp = lambda verb, **rest: None"
    code = WATCHED.replace("from primum.cli import app", server)
    done = subprocess.run(
        [sys.executable, "-c", code, '["x"]'],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "socket.bind" in done.stdout
    assert "listening" in done.stdout


def test_no_other_module_reaches_for_the_network():
    for path in SOURCE.rglob("*.py"):
        named: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                named |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                named |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        reached = {one for one in NETWORK for name in named if name == one or name.startswith(f"{one}.")}
        where = path.relative_to(SOURCE).as_posix()
        known = next((names for place, names in ALLOWED.items() if where.startswith(place)), set())
        assert reached <= known, f"{where} imports {sorted(reached - known)}"
