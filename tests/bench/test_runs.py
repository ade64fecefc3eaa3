"""Only what is missing is trained; what is damaged is done again; what differs is refused."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import yaml

from primum.bench import runs
from primum.bench.losses import plan as plans
from primum.bench.tasks import Done
from primum.core.check import InputError
from tests.bench.conftest import CLASSES, content


def carried(plan, out, fault="", classes=CLASSES):
    """Folders that a bench would train, in their order; the data set has these classes, or is really read."""
    seen = []
    loaded = SimpleNamespace(classes=classes, name="made")

    def carry(tasks):
        for task in tasks:
            seen.append(str(task.folder.relative_to(out)))
            yield Done(task, 1.0, fault)

    try:
        with pytest.MonkeyPatch.context() as patch:
            if classes is not None:
                patch.setattr("primum.data.sets.load", lambda name, root, seed: loaded)
            runs.train(plan.runs, out, carry, 1, progress=False)
    except InputError as error:
        return seen, str(error)
    return seen, ""


def test_nothing_is_left_to_do(done):
    assert carried(*done) == ([], "")


def test_the_first_of_a_setting_goes_ahead_then_seed_by_seed(tmp_path, bench_file):
    plan = plans.read(bench_file)
    seen, _ = carried(plan, tmp_path / "empty")
    assert seen[0] == "runs/one/tiny/plain/seed-0"
    assert [folder[-1] for folder in seen] == ["0", "0", "0", "1", "1", "1"]


@pytest.mark.parametrize("name", ["network.json", "predictions/test.parquet"])
def test_a_damaged_run_is_set_aside_with_all_notes_in_it_and_done_again(done, name):
    plan, out = done
    broken = plan.runs[2]
    folder = out / broken.folder
    (folder / "notes.txt").write_text("mine")
    path = folder / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 - 7])
    assert carried(plan, out)[0] == [str(broken.folder)]
    assert not folder.exists()
    assert (folder.with_name(f"{folder.name}.damaged-1") / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("change", ["further: key\n", "!!int abc", ""])
def test_a_run_whose_recipe_cannot_be_told_is_refused_by_name_and_kept(done, change):
    plan, out = done
    folder = out / plan.runs[2].folder
    (folder / "notes.txt").write_text("mine")
    recipe = folder / "recipe.yaml"
    recipe.write_text(recipe.read_text() + change if change else "")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    _, said = carried(plan, out)
    assert str(folder)[:100] in said
    assert "cannot be told" in said
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_an_unfinished_run_goes_on(done):
    plan, out = done
    (out / plan.runs[0].folder / "network.json").unlink()
    assert carried(plan, out)[0] == [str(plan.runs[0].folder)]
    assert (out / plan.runs[0].folder / "predictions" / "val.parquet").exists()


def test_runs_of_another_recipe_are_not_touched(done, bench_file):
    plan, out = done
    changed = yaml.safe_load(bench_file.read_text())
    changed["training"]["epochs"] = 2
    other = plans.build(changed, "b.yaml")
    _, said = carried(other, out)
    assert "another recipe was run here" in said
    assert (out / plan.runs[0].folder / "network.json").exists()


def test_faults_are_told_after_all_were_tried(tmp_path, bench_file):
    plan = plans.read(bench_file)
    seen, said = carried(plan, tmp_path / "empty", "the disk is full")
    assert len(seen) == 6
    assert said.startswith("6 of 6 runs failed: one/tiny/plain/seed-0 (the disk is full)")


def test_data_of_other_classes_than_the_severity_are_refused_before_training(tmp_path, bench_file):
    plan = plans.read(bench_file)
    seen, said = carried(plan, tmp_path / "empty", classes=("a", "b", "c"))
    assert seen == []
    assert "class names must match" in said


def test_data_that_are_not_there_are_refused_before_training(tmp_path, severity_file):
    given = content(severity_file)
    given["data"]["one"] |= {"name": "chest_xray", "root": str(tmp_path / "nowhere")}
    seen, said = carried(plans.build(given, "b.yaml"), tmp_path / "empty", classes=None)
    assert seen == []
    assert "nowhere" in said
