"""One door to all data sets."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

from primum.data.sets import LOADERS, data_set, load


@pytest.mark.parametrize("name", LOADERS)
def test_every_loader_takes_root_and_seed(name: str) -> None:
    assert list(inspect.signature(LOADERS[name]).parameters) == ["root", "seed"]


def test_unknown_names_are_refused_with_the_nearest(refused) -> None:
    refused(
        lambda: load("chest_xrays"),
        "'chest_xrays'",
        "did you mean 'chest_xray'?",
        *list(LOADERS)[:8],
    )
    refused(lambda: load("medmnist_pathmnist_63"), "did you mean 'medmnist_pathmnist_64'?")
    refused(lambda: load("breakhis_50x"), "did you mean 'breakhis_40x'?")


@pytest.mark.parametrize("name", [name for name in LOADERS if data_set(name).needs])
def test_images_on_disk_need_a_root(refused, name: str) -> None:
    refused(lambda: load(name), name, "--root")


def test_importing_the_room_loads_neither_torch_nor_pillow() -> None:
    code = "import sys, primum.data.sets; print(sorted({'torch', 'PIL'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
