"""A small run on disk, the explorer over it as its own process, and a headless Chromium that looks at it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

import primum
from primum import tables
from primum.data.images import ImageTable
from tests.model.made import CLASSES, made, recipe

BROWSER, DRIVER = (shutil.which(name) for name in ("chromium", "chromedriver"))
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
# 3-D without a graphics card, and every name but this machine's leads nowhere
FLAGS += ("--enable-unsafe-swiftshader", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
SEVERITY = """classes: [naevus, melanoma, carcinoma]
groups: {malignant: [melanoma, carcinoma], benign: [naevus]}
cost: {fine: 1, false_alarm: 2, critical: 10}
critical: [[malignant, benign]]
"""
WAIT = 60


@pytest.fixture(autouse=True, scope="session")
def chromium_is_here() -> None:
    if BROWSER is None or DRIVER is None:
        pytest.skip("BROWSER TESTS DID NOT RUN: install chromium and chromedriver (Debian: chromium-driver)")


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained run ``one`` and another ``two``, their images in ``images``, and a severity file."""
    import primum.data.sets
    from primum.model.predict import predict
    from primum.model.train import train

    folder = tmp_path_factory.mktemp("explored")
    cases, pixels = made(300)
    (folder / "images").mkdir()
    for path, image in zip(cases["path"], pixels, strict=True):
        Image.fromarray(image).resize((96, 96)).save(folder / "images" / path)
    (folder / "severity.yaml").write_text(SEVERITY)
    table = ImageTable("made", CLASSES, cases, folder / "images")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(primum.data.sets, "load", lambda *_: table)
        run = train(recipe(training__epochs=1), folder / "one", progress=False)
        judged = replace(table, cases=cases.filter(pl.col("split") == "test"))
        for level in (1, 5):
            found = predict(run, judged, progress=False, corruption=("gaussian_noise", level))
            tables.write(found, run / "predictions" / f"gaussian_noise_{level}.parquet")
    shutil.copytree(run, folder / "two")
    for file in (folder / "two" / "predictions").iterdir():  # a second model, which answers otherwise
        answers = tables.read(file)
        noise = np.random.default_rng(0).normal(0, answers.logits.std(), answers.logits.shape)
        tables.write(replace(answers, logits=answers.logits + noise), file)
    return folder


class Explorer:
    """``primum explore`` as a process of its own."""

    def __init__(self, *arguments: str, cache: Path) -> None:
        source = Path(primum.__file__).parents[1]
        paths = [str(source), *filter(None, [os.environ.get("PYTHONPATH")])]
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from primum.cli import main; main()", "explore", *arguments],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths), "XDG_CACHE_HOME": str(cache)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # as from a terminal
        )  # fmt: skip
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.process.communicate()[1])
        self.address = line.split()[0]

    def interrupt(self) -> tuple[int, str]:
        """Press Ctrl-C: the exit code, and what stood on standard error."""
        self.process.send_signal(signal.SIGINT)
        said = self.process.communicate(timeout=WAIT)[1]
        return self.process.returncode, said


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def explorer(runs: Path, cache: Path) -> Iterator[Explorer]:
    """The explorer over both runs."""
    arguments = [str(runs / "one"), str(runs / "two"), "--severity", str(runs / "severity.yaml")]
    started = Explorer(*arguments, "--images", str(runs / "images"), "--port", "0", cache=cache)
    yield started
    started.process.kill()
    started.process.communicate()


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One headless Chromium that keeps what it downloads in ``chromium.kept``."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(BROWSER)
    for flag in (*FLAGS, "--window-size=1400,1000"):
        options.add_argument(flag)
    kept = tmp_path_factory.mktemp("downloads")
    options.add_experimental_option("prefs", {"download.default_directory": str(kept)})
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(DRIVER)))
    driver.kept = kept
    yield driver
    driver.quit()
