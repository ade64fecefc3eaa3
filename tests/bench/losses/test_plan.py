"""A bench file: what it asks for, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from primum.bench.losses.plan import build, candidates, read
from primum.core.check import InputError
from tests.bench.conftest import content
from tests.places import ROOT

COMMITTED = sorted((ROOT / "results" / "losses").glob("*.yaml"))


def test_every_combination_is_one_run_in_a_folder_of_its_own(bench_file):
    found = read(bench_file)
    assert len(found.runs) == 2 + 2 * 2
    assert len({run.folder for run in found.runs}) == 6
    assert str(found.runs[-1].folder) == "runs/one/tiny/risky/strength=10/seed-1"
    assert found.runs[-1].recipe.loss.strength == 10
    assert found.runs[-1].recipe.seed == 1
    assert all(run.recipe.loss.severity == run.severity for run in found.runs)
    assert found.settings == [("one", "tiny")]


def test_several_lists_give_every_choice_among_them():
    found = dict(candidates({"name": "x", "strength": [1, 3], "beta": [0, 1]}))
    assert list(found) == ["strength=1,beta=0", "strength=1,beta=1", "strength=3,beta=0", "strength=3,beta=1"]
    assert found["strength=3,beta=0"] == {"name": "x", "strength": 3, "beta": 0}
    assert candidates({"name": "x"}) == [("", {"name": "x"})]


def test_the_root_goes_to_data_sets_without_one(severity_file):
    given = content(severity_file)
    given["data"]["two"] = {**given["data"]["one"], "root": "mine"}
    found = build(given, "b.yaml", Path("theirs"))
    assert {run.data: str(run.recipe.data.root) for run in found.runs} == {"one": "theirs", "two": "mine"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"datas": {}}, r"key 'datas' is not known \(did you mean 'data'\?\)"),
        ({"data": {}}, "'data' must name at least one entry"),
        ({"data": {"one": {"name": "fantom", "severity": "phantom"}}}, "did you mean 'phantom'"),
        ({"data": {"one": {"name": "phantom"}}}, "needs 'severity'"),
        ({"data": {"a/b": {"name": "phantom", "severity": "phantom"}}}, "'a/b' arrived"),
        ({"losses": {"plain": {"name": "fokal"}}}, "did you mean 'focal'"),
        ({"losses": {"plain": "focal"}}, "needs keys and values"),
        ({"losses": {"plain": {"name": "risk_calibrated", "strength": -1}}}, "greater than or equal to 0"),
        ({"losses": {"plain": {"name": "label_smoothing", "smoothing": [0, 0.1]}}}, "must be one loss"),
        ({"reference": "plane"}, "did you mean 'plain'"),
        ({"training": {"epoch": 3}}, "did you mean 'epochs'"),
        ({"seeds": [0, 0]}, "different whole numbers"),
        ({"seeds": 3}, "3 arrived"),
    ],
)
def test_a_wrong_file_is_one_sentence(severity_file, change, said):
    with pytest.raises(InputError, match=said) as error:
        build(content(severity_file) | change, "b.yaml")
    assert str(error.value).startswith("b.yaml")
    assert "\n" not in str(error.value)


def test_a_bench_without_its_reference_loss_says_how_to_name_one(severity_file):
    given = content(severity_file) | {"losses": {"ours": {"name": "focal"}}}
    given.pop("reference", None)
    with pytest.raises(InputError, match="add 'reference: ours'"):
        build(given, "b.yaml")


def test_a_severity_without_critical_cells_is_refused(tmp_path, severity_file):
    bare = yaml.safe_load(severity_file.read_text())
    del bare["critical"]
    (tmp_path / "bare.yaml").write_text(yaml.safe_dump(bare))
    with pytest.raises(InputError, match="no critical cells"):
        build(content(tmp_path / "bare.yaml"), "b.yaml")


@pytest.mark.parametrize("text", ["", "- 1", "a: ["])
def test_what_is_no_bench_is_refused(tmp_path, text):
    path = tmp_path / "b.yaml"
    path.write_text(text)
    with pytest.raises(InputError):
        read(path)


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_the_committed_benches_are_whole(path):
    found = read(path, Path("data"))
    assert found.reference == "cross-entropy"
    assert len(found.runs) >= 3
