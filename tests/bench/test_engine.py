"""Trainings on processes of this machine and on Ray, from one file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import polars as pl
import pytest
import yaml
from PIL import Image

from primum.bench.engine import engine, local
from primum.bench.losses.bench import bench
from primum.bench.losses.plan import read
from primum.bench.tasks import Done, Task, carry_out
from primum.core.check import InputError
from primum.model import train as training
from tests.model.made import CLASSES, made, recipe


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A bench of two losses on 240 made images in class folders, and where it writes."""
    tmp_path = tmp_path_factory.mktemp("small")
    cases, pixels = made(240)
    for row, (label, split) in enumerate(zip(cases["label"], cases["split"], strict=True)):
        folder = tmp_path / "images" / split / label
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels[row]).save(folder / f"{row}.png")
    severity = {
        "classes": list(CLASSES),
        "groups": {"malignant": ["melanoma", "carcinoma"], "benign": ["naevus"]},
        "cost": {"fine": 1, "false_alarm": 2, "critical": 10},
        "critical": [["malignant", "benign"]],
    }
    (tmp_path / "severity.yaml").write_text(yaml.safe_dump(severity))
    content = {
        "data": {"made": {"name": "folder", "severity": str(tmp_path / "severity.yaml")}},
        "networks": {"tiny": {"name": "mobilenetv3_small_050", "image_size": 32, "trunk": "frozen"}},
        "losses": {"cross-entropy": {"name": "cross_entropy"}, "focal": {"name": "focal"}},
        "training": {"epochs": 1, "batch_size": 16, "precision": "32-true"},
        "seeds": [0],
    }
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(content))
    return tmp_path / "small.yaml", tmp_path / "images"


@pytest.fixture(scope="module")
def ours(small):
    """What the bench says when it is carried out on a process of this machine, and its folder."""
    file, images = small
    return bench(file, images.parent / "ours", images, jobs=1, progress=False), images.parent / "ours"


def test_a_bench_trains_chooses_judges_and_then_has_nothing_to_do(small, ours, monkeypatch):
    file, images = small
    content, out = ours
    assert {row["loss"] for row in content["settings"][0]["rows"]} == {"cross-entropy", "focal"}
    assert len(list((out / ".features").glob("*.npy"))) == 1
    stored = out / "runs" / "made" / "tiny" / "focal" / "seed-0" / "predictions" / "test.parquet"
    assert "embedding" not in pl.read_parquet_schema(stored)
    monkeypatch.setattr("primum.bench.engine.carry_out", None)
    assert bench(file, out, images, jobs=1, progress=False) == content


def test_ray_gives_what_this_machine_gives(small, ours, tmp_path):
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'primum[scale]'")
    file, images = small
    theirs = bench(file, tmp_path, images, engine_name="ray", jobs=1, progress=False)
    assert theirs["settings"] == ours[0]["settings"]


def test_a_fault_is_told_not_raised(tmp_path):
    wrong = recipe(data__name="folder", data__root=str(tmp_path / "nowhere"))
    task = Task(wrong, tmp_path / "run", tmp_path / "features", 1)
    done = carry_out(task)
    assert isinstance(done, Done)
    assert "nowhere" in done.fault


def test_a_fault_that_is_ours_leaves_its_trace_in_the_folder(tmp_path, monkeypatch):
    def broken(*args, **rest):
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(training, "train", broken)
    done = carry_out(Task(recipe(), tmp_path / "run", tmp_path / "features", 1))
    assert done.fault == "ZeroDivisionError, see fault.txt in its folder"
    assert "oops" in (tmp_path / "run" / "fault.txt").read_text()


def test_an_interrupted_run_that_is_damaged_is_done_anew(small, tmp_path):
    file, images = small
    run = read(file, images).runs[0]
    task = Task(run.recipe, tmp_path / "run", tmp_path / "features", 1)
    (task.folder / "checkpoints").mkdir(parents=True)
    (task.folder / "recipe.yaml").write_text(run.recipe.to_yaml())
    (task.folder / "checkpoints" / "last.ckpt").write_bytes(b"half a checkpoint")
    assert carry_out(task).fault == ""
    assert (task.folder / "network.json").exists()


def die(task):
    os.kill(os.getpid(), signal.SIGKILL)


def rest(task):
    time.sleep(0.2)


def test_a_killed_worker_fails_its_own_run_only(tmp_path):
    asked = [die, rest, rest, die, rest, rest]
    tasks = [Task(recipe(), tmp_path / str(k), tmp_path, 1, ask) for k, ask in enumerate(asked)]
    faults = {done.task.folder.name: done.fault for done in local(tasks, 2)}
    assert {name for name, fault in faults.items() if fault} == {"0", "3"}
    assert set(faults.values()) == {"", "its process was killed; try fewer --jobs"}
    assert len(faults) == 6


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("lokal", None, None), "did you mean 'local'"),
        (("local", 0, None), "^jobs: a whole number from 1 to 1024 was expected"),
        (("local", None, "head:6379"), "add engine=.ray."),
    ],
)
def test_wrong_engines_are_refused(asked, said):
    with pytest.raises(InputError, match=said):
        engine(*asked)


ORPHAN = """
import os, time
from primum.bench.engine import _live_with
if os.fork() == 0:
    _live_with(os.getppid())
    print(os.getpid(), flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are watched on POSIX only")
def test_a_worker_ends_with_the_bench_however_that_ends():
    parent = subprocess.Popen([sys.executable, "-c", ORPHAN], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    parent.kill()
    try:
        parent.communicate(timeout=10)  # ends when the last holder of the pipe does
    except subprocess.TimeoutExpired:
        os.kill(worker, signal.SIGKILL)
        pytest.fail("the worker outlived its bench")
