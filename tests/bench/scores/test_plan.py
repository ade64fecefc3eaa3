"""A bench file of scores: what it asks for, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from primum.bench.scores.plan import FIT, build, read
from primum.bench.scores.shifts import Shift
from primum.core.check import InputError
from tests.bench.scores.conftest import content
from tests.places import ROOT

COMMITTED = sorted((ROOT / "results" / "silent").glob("*.yaml"))


def test_every_training_is_one_run_in_a_folder_of_its_own():
    found = build(content(), "b.yaml")
    assert (
        len(found.runs) == 2 * 2 * 2
    )  # whole or without a source, cross-entropy or Deep Gamblers, two seeds
    assert len({run.folder for run in found.runs}) == 8
    assert str(found.runs[-1].folder) == "runs/one/tiny/without-site-B/deep-gamblers/seed-1"
    assert found.settings == [("one", "tiny")]
    whole, without = found.runs[0], found.runs[-1]
    assert [shift.slug for shift in whole.shifts] == ["cal", "test", "gaussian_noise-1", "gaussian_noise-4"]
    assert without.shifts == (FIT, Shift("iid", "test"), Shift("left_out", "site=B"))
    assert (whole.recipe.data.leave_out, without.recipe.data.leave_out) == (None, {"site": "B"})
    assert whole.recipe.confidnet is not None
    assert without.recipe.confidnet is None  # ConfidNet belongs to the cross-entropy network
    assert without.recipe.loss.name == "deep_gamblers"


def test_several_values_of_a_column_are_left_out_together():
    given = content()
    given["data"]["one"]["leave_out"] = [{"site": ["B", "A"]}]
    run = build(given, "b.yaml").runs[-1]
    assert run.recipe.data.leave_out == {"site": ["A", "B"]}
    assert run.shifts[-1].name == "site=A,B"
    assert "without-site-A-B" in str(run.folder)


def changed(**entry):
    given = content()
    given["data"]["one"] |= entry
    return given


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (content() | {"pases": 3}, "did you mean 'passes'"),
        (content() | {"passes": 1}, "a whole number from 2, or 0"),
        (content() | {"scores": ["msr", "mcd_mrs"]}, "score 'mcd_mrs' is not known .did you mean 'mcd_msr'"),
        (content() | {"scores": ["msr"], "reference": "pe"}, "reference 'pe' is not known"),
        (content() | {"confidnet": True}, "'confidnet' needs keys and values"),
        (content() | {"deep_gamblers": {"reward": 0.5}}, "greater than 1"),
        (changed(corruptions={"names": ["gausian_noise"]}), "did you mean 'gaussian_noise'"),
        (changed(corruptions={"names": ["stain"], "intensities": [0]}), "from 1 to 5"),
        (changed(corruptions={"names": ["stain"], "intensities": [6]}), "from 1 to 5"),
        (changed(corruptions=["stain"]), "'corruptions' is"),
        (changed(leave_out={"site": "A"}), "'leave_out' is a list"),
        (changed(leave_out=[{"site": []}]), "an empty list arrived"),
        (changed(leave_out=[{"site": "A"}, {"site": "A"}]), "names a value twice"),
        (changed(elsewhere=["chest_xray_nhi"]), "did you mean 'chest_xray_nih'"),
        (changed(elsewhere=["phantom"]), "the data set the networks are trained on"),
        (changed(elsewhere="phantom"), "is a list of data sets"),
    ],
)
def test_a_wrong_file_is_one_sentence(given, said):
    with pytest.raises(InputError, match=said) as error:
        build(given, "b.yaml")
    assert str(error.value).startswith("b.yaml")
    assert "\n" not in str(error.value)


def test_a_severity_without_critical_cells_is_refused(tmp_path):
    names = ["naevus", "keratosis", "melanoma", "carcinoma"]
    cost = [[int(row != column) for column in range(4)] for row in range(4)]
    path = tmp_path / "bare.yaml"
    path.write_text(f"classes: {names}\ncost: {cost}\n")
    with pytest.raises(InputError, match="no critical cells"):
        build(changed(severity=str(path)), "b.yaml")


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_the_committed_benches_are_whole(path):
    found = read(path, Path("data"))
    assert found.passes == 50
    assert all(run.drops for run in found.runs)
