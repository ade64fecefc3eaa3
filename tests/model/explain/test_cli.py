"""The verb explain."""

from __future__ import annotations

import sys

import pytest

from primum import tables
from primum.cli import main
from primum.model import backbone
from tests.model.made import recipe


@pytest.fixture
def run(tmp_path, monkeypatch, table, serve):
    """A folder of a run, and the command line called on it."""
    folder = tmp_path / "run"
    backbone.save(backbone.build("mobilenetv3_small_050", table.classes, image_size=32), folder)
    (folder / "recipe.yaml").write_text(recipe().to_yaml())
    serve(table)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["primum", "explain", str(folder), "--data", "made", *arguments])
        try:
            main()
        except SystemExit as done:
            return folder, done.code or 0
        return folder, 0

    return call


def test_explain_writes_beside_the_run(run, capsys, table):
    folder, code = run("--split", "cal")
    assert code == 0
    found = tables.read(folder / "explanations" / "cal-grad_cam.parquet")
    assert len(found) == len(table.split("cal"))
    assert (folder / "explanations" / "cal-grad_cam.maps" / "maps.npy").exists()
    assert "next: primum audit" in capsys.readouterr().out


def test_a_typo_is_one_sentence(run, capsys):
    _, code = run("--method", "gradcam")
    assert code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "did you mean 'grad_cam'" in said
