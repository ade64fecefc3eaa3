"""Commands that are killed, at random moments and at every rename: earlier results whole, or new ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import polars as pl
import pytest

from primum.auditing.audits import Audit
from primum.auditing.policy.document import Policy
from primum.core import drafts, files
from primum.tables import read
from tests.conftest import CLASSES, made_table
from tests.fuzz import inputs

MOMENTS = 60
DYING = """
import os, sys
from primum import cli
replace, left = os.replace, int(os.environ["RENAMES"])
def dying(source, target):
    global left
    if left == 0:
        os.kill(os.getpid(), 9)
    left -= 1
    replace(source, target)
os.replace = dying
cli.main()
"""
PROBS = [f"prob_{name}" for name in CLASSES]
AUDIT = "audit {0}.csv --bootstrap 100 --severity severity.yaml --out out"
ENSEMBLE = (
    "ensemble {0}.csv {0}-other.csv --fit cal.csv --fit cal-other.csv --out out/test.parquet "
    "--out-fit out/cal.parquet"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two tables of other cases, ``first`` and ``second``, and results of ``first`` in ``out``."""
    monkeypatch.chdir(tmp_path)
    inputs.write(tmp_path)
    for seed, name in enumerate(("first", "second", "cal")):
        made_table(80, seed).drop("split").with_columns(
            id=pl.lit(f"{name}-") + pl.col("id"), patient=pl.lit(f"{name}-") + pl.col("patient")
        ).write_csv(f"{name}.csv")
        rotated = dict(zip(PROBS, PROBS[1:] + PROBS[:1], strict=True))
        pl.read_csv(f"{name}.csv").rename(rotated).write_csv(f"{name}-other.csv")
    return tmp_path


def start(line: str, renames: int = -1) -> subprocess.Popen[bytes]:
    """A command that kills itself before the rename of that number; with -1 at none."""
    return subprocess.Popen(
        [sys.executable, "-c", DYING, *line.split()],
        env=os.environ | {"RENAMES": str(renames)}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


def finish(line: str, renames: int = -1) -> int:
    process = start(line, renames)
    _, err = process.communicate(timeout=300)
    assert process.returncode in (0, -signal.SIGKILL), err.decode()
    return process.returncode


def judged_of(out: Path) -> set[str]:
    """Which tables the parts of an audit speak of."""
    names = {str(Audit.from_json(files.existing(out / "audit.json", "an audit")).settings["name"])}
    ids = pl.read_parquet(files.existing(out / "cases.parquet", "cases"))["id"]
    page = files.existing(out / "report.html", "a page").read_text(encoding="utf-8")
    return {name.removesuffix(".csv") for name in names} | set(ids.str.split("-").list.first()) | {
        name for name in ("first", "second") if f"{name}.csv" in page
    }  # fmt: skip


def combined_of(out: Path) -> set[str]:
    """Which tables the parts of an ensemble speak of; both have fit rows of one table."""
    assert len(read(out / "cal.parquet")) == 80
    return set(read(out / "test.parquet").ids.str.split("-").list.first())


def whole(out: Path, parts: Callable[[Path], set[str]]) -> None:
    """The parts of a result are of one table, and nothing else is there after the next writer."""
    assert parts(out) in ({"first"}, {"second"})


@pytest.mark.parametrize(("line", "parts"), [(AUDIT, judged_of), (ENSEMBLE, combined_of)])
def test_at_every_rename(line: str, parts: Callable[[Path], set[str]], folder: Path) -> None:
    out, seen = folder / "out", []
    for renames in range(20):
        assert finish(line.format("first")) == 0
        code = finish(line.format("second"), renames)
        whole(out, parts)
        seen.append(parts(out))
        if code == 0:
            break
    assert code == 0, "there were more renames than were tried"
    assert seen[0] == {"first"}
    assert seen[-1] == {"second"}
    assert not [name for name in os.listdir(out) if drafts.is_draft(name) or name == "PRIMUM-UNFINISHED.txt"]


def test_at_random_moments(folder: Path) -> None:
    line, out, rng = AUDIT, folder / "out", Random(0)
    began = time.monotonic()
    assert finish(line.format("first")) == 0
    lasts = time.monotonic() - began
    killed = 0
    for moment in range(MOMENTS):
        process = start(line.format(("second", "first")[moment % 2]))
        time.sleep(lasts * rng.uniform(0.2, 1.1))
        process.kill()
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        whole(out, judged_of)
    assert killed > MOMENTS / 2
    assert finish(line.format("first")) == 0
    assert judged_of(out) == {"first"}
    assert sorted(os.listdir(out)) == ["audit.json", "cases.parquet", "report.html"]


LONG = {
    "corrupt": ("data corrupt manifest --root manifest.csv --corrupt jpeg:3 --out out", "out/manifest.csv"),
    "policy": ("defer fit cal.csv --capacity 0.2 --out out/p.yaml", "out/p.yaml"),
    "import": ("import fd-shifts fd --out out", "out/dataset-1.parquet"),
    "check": ("data check manifest --root manifest.csv --out out", "out/check.json"),
}


@pytest.mark.parametrize("name", LONG)
def test_what_was_killed_is_gone_on_with(name: str, folder: Path) -> None:
    line, last = LONG[name]
    assert finish(line) == 0
    content = {path: path.read_bytes() for path in (folder / "out").rglob("*") if path.is_file()}
    for renames in range(40):
        for path in sorted((folder / "out").rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        code = finish(line, renames)
        assert code == 0 or not (folder / last).exists() or name in ("import", "check")
        assert finish(line) == 0
        assert {path: path.read_bytes() for path in (folder / "out").rglob("*") if path.is_file()} == content
        if code == 0:
            break
    assert code == 0, "there were more renames than were tried"
    if name == "policy":
        Policy.read(folder / last)


RECIPE = (
    "name: run\ndata: {name: manifest, root: manifest.csv}\n"
    "network: {name: mobilenetv3_small_050, image_size: 32}\n"
    "training: {epochs: 2, batch_size: 8, precision: 32-true}\n"
)


def test_a_training_that_was_killed_resumes_to_the_same_answers(folder: Path) -> None:
    Path("small.yaml").write_text(RECIPE)
    assert finish("train small.yaml --out whole") == 0
    answers = read(folder / "whole" / "predictions" / "test.parquet").logits
    for renames in range(40):
        code = finish("train small.yaml --out killed", renames)
        begun = (folder / "killed" / "recipe.yaml").exists()
        assert finish(f"train small.yaml --out killed{' --resume' if begun else ''}") == 0
        assert (read(folder / "killed" / "predictions" / "test.parquet").logits == answers).all()
        (folder / "killed").rename(folder / f"killed-{renames}")
        if code == 0:
            break
    assert code == 0, "there were more renames than were tried"


# What goes on long enough to be interrupted on any machine, and the seconds it is left alone.
INTERRUPTED = {
    "audit first.csv --bootstrap 100000 --severity severity.yaml --out o": 4,
    "compare first.csv first-other.csv --bootstrap 100000 --severity severity.yaml --out o": 4,
    "train recipe.yaml --out o": 20,
    "bench losses bench.yaml --root . --out o": 20,
    "explore first.csv --port 0": 12,
}


@pytest.mark.parametrize("line", INTERRUPTED)
def test_ctrl_c_ends_with_130(line: str, folder: Path) -> None:
    Path("recipe.yaml").write_text(RECIPE.replace("epochs: 2", "epochs: 9999, patience: 9999"))
    Path("bench.yaml").write_text(
        "data: {own: {name: manifest, root: manifest.csv, severity: two.yaml}}\n"
        "networks: {small: {name: mobilenetv3_small_050, image_size: 32}}\n"
        "losses: {cross-entropy: {name: cross_entropy}}\n"
        "training: {epochs: 9999, patience: 9999, batch_size: 8, precision: 32-true}\nseeds: [0]\n"
    )
    Path("two.yaml").write_text(
        "classes: [benign, malignant]\ncost: [[0, 1], [9, 0]]\ncritical: [[malignant, benign]]\n"
    )
    process = start(line)
    try:
        time.sleep(INTERRUPTED[line])
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, err.decode()
    assert b"Traceback" not in err
    assert not [path for path in folder.rglob("*") if drafts.is_draft(path.name)]
