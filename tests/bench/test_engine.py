"""Trainings on processes of this machine and on Ray, from one file."""

from __future__ import annotations

import polars as pl
import pytest
import yaml
from PIL import Image

from primum.bench.engine import Done, Task, engine, local
from primum.bench.losses import bench
from primum.check import InputError
from primum.model import train as training
from tests.model.made import CLASSES, made, recipe


@pytest.fixture
def small(tmp_path):
    """A bench of two losses on 240 made images in class folders, and where it writes."""
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


def test_a_bench_trains_chooses_judges_and_then_has_nothing_to_do(small, tmp_path, monkeypatch):
    file, images = small
    content = bench(file, tmp_path / "out", images, jobs=1, progress=False)
    assert {row["loss"] for row in content["settings"][0]["rows"]} == {"cross-entropy", "focal"}
    assert len(list((tmp_path / "out" / ".features").glob("*.npy"))) == 1
    stored = tmp_path / "out" / "runs" / "made" / "tiny" / "focal" / "seed-0" / "predictions" / "test.parquet"
    assert "embedding" not in pl.read_parquet_schema(stored)
    monkeypatch.setattr("primum.bench.engine.carry_out", None)
    again = bench(file, tmp_path / "out", images, jobs=1, progress=False)
    assert again == content


def test_ray_gives_what_this_machine_gives(small, tmp_path):
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'primum[scale]'")
    file, images = small
    ours = bench(file, tmp_path / "ours", images, jobs=1, progress=False)
    theirs = bench(file, tmp_path / "theirs", images, engine_name="ray", jobs=1, progress=False)
    assert theirs["settings"] == ours["settings"]


def test_a_fault_is_told_not_raised(tmp_path):
    wrong = recipe(data__name="folder", data__root=str(tmp_path / "nowhere"))
    task = Task(wrong, tmp_path / "run", tmp_path / "features", 1)
    (done,) = local([task], 1)
    assert isinstance(done, Done)
    assert "nowhere" in done.fault


def test_a_fault_that_is_ours_leaves_its_trace_in_the_folder(tmp_path, monkeypatch):
    from primum.bench.engine import carry_out

    def broken(*args, **rest):
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(training, "train", broken)
    done = carry_out(Task(recipe(), tmp_path / "run", tmp_path / "features", 1))
    assert done.fault == "ZeroDivisionError, see fault.txt in its folder"
    assert "oops" in (tmp_path / "run" / "fault.txt").read_text()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("lokal", None, None), "did you mean 'local'"),
        (("local", 0, None), "--jobs: 1 or more"),
        (("local", None, "head:6379"), "add --engine ray"),
    ],
)
def test_wrong_engines_are_refused(asked, said):
    with pytest.raises(InputError, match=said):
        engine(*asked)
