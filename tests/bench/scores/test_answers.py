"""Small networks trained and asked: what is stored, and that nothing is computed twice."""

from __future__ import annotations

import numpy as np
import pytest

from primum import tables
from primum.bench import runs
from primum.bench.scores import bench as benches
from primum.bench.scores.answers import Trained
from primum.bench.scores.names import gambled
from primum.bench.scores.plan import GAMBLERS, build
from primum.bench.tasks import carry_out
from primum.judge.confidence import RANKED
from primum.model import backbone
from primum.model.material import finished
from primum.model.predict import predict
from tests.bench.scores.conftest import content, few_images


def here(tasks):
    """Carry tasks out in this process, where the data set is made."""
    for task in tasks:
        done = carry_out(task)
        assert not done.fault, done.fault
        yield done


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A bench of one seed, trained and asked about one corruption and a source left out."""
    out = tmp_path_factory.mktemp("trained")
    given = content() | {"seeds": [0], "training": {"epochs": 2, "batch_size": 32, "precision": "32-true"}}
    given["networks"] = {
        "tiny": {"name": "mobilenetv3_small_050", "trunk": "frozen", "image_size": 32, "dropout": 0.4}
    }
    given["data"]["one"]["corruptions"]["intensities"] = [4]
    made = build(given, "b.yaml")
    runs.train(made.runs, out, here, 1, progress=False)
    benches.ask(made, out, here, 1, progress=False)
    return made, out


def run_of(made, loss, variant):
    return next(run for run in made.runs if (run.loss == GAMBLERS) == loss and bool(run.variant) == variant)


def test_every_run_is_asked_about_every_shift_once(trained):
    made, out = trained
    for run in made.runs:
        for shift in run.shifts:
            told = tables.read(run.stored(out, shift))
            named = set(told.scores) | set(told.source["not_applicable"])
            assert named >= {name for name in RANKED if gambled(name) == (run.loss == GAMBLERS)}
            assert set(told.metadata["shift"]) == {shift.name}
            assert told.embeddings is None
            assert told.ids.is_sorted()
    assert len(list((out / ".features").glob("*.npy"))) == 2  # of the images, and of the changed ones
    benches.ask(made, out, lambda tasks: pytest.fail("asked again") if tasks else iter(()), 1, progress=False)


def test_what_is_stored_is_what_the_network_says(trained):
    made, out = trained
    run, table = run_of(made, False, False), few_images().split("test")
    for shift, corruption in ((run.shifts[1], None), (run.shifts[2], ("gaussian_noise", 4))):
        told = tables.read(run.stored(out, shift))
        asked = {"progress": False, "corruption": corruption}
        once, mean = (
            predict(out / run.folder, table, **asked),
            predict(out / run.folder, table, passes=4, **asked),
        )
        assert told.ids.to_list() == once.ids.to_list()
        assert told.logits == pytest.approx(once.logits, abs=1e-4)
        assert told.scores["confidnet"] == pytest.approx(once.scores["confidnet"], abs=1e-5)
        for name in ("mcd_msr", "mcd_mi", "mcd_waic", "mcd_confidnet"):
            assert told.scores[name] == pytest.approx(mean.scores[name], abs=1e-5)
        names = np.array(told.classes)
        assert told.metadata["mcd_answer"].to_list() == names[mean.predicted].tolist()
        assert told.source["mc_dropout"]["passes"] == 4


def test_stages_of_a_frozen_trunk_are_those_of_its_stored_features(trained):
    made, out = trained
    run = run_of(made, False, False)
    folder = out / run.folder
    asked = Trained(backbone.load(folder), run, *finished(run.recipe, folder), out / ".features")
    for shift, corruption in ((run.shifts[1], None), (run.shifts[2], ("gaussian_noise", 4))):
        straight = predict(folder, few_images().split("test"), corruption=corruption, progress=False)
        answers = asked.answer(shift, passes=4)
        assert answers.once.ids.to_list() == straight.ids.to_list()
        for answered in (answers.once, answers.mean):
            np.testing.assert_allclose(np.hstack(answered.stages), np.hstack(straight.stages), atol=1e-4)
        assert tables.read(run.stored(out, shift)).stages is None  # kept once for all runs
    train = asked.train_rows(folder)
    straight = predict(folder, few_images().split("train"), progress=False)
    at = {name: row for row, name in enumerate(straight.ids)}
    rows = [at[name] for name in train.ids]
    np.testing.assert_allclose(np.hstack(train.stages), np.hstack(straight.stages)[rows], atol=1e-4)


def test_the_reservation_network_gives_its_own_two_scores(trained):
    made, out = trained
    run = run_of(made, True, False)
    told = tables.read(run.stored(out, run.shifts[1]))
    assert set(told.scores) == {"dg", "dg_mcd_msr"}
    assert ((told.scores["dg"] > 0) & (told.scores["dg"] < 1)).all()


def test_what_is_left_out_is_all_there_and_never_trained_on(trained):
    made, out = trained
    run = run_of(made, False, True)
    held = few_images().cases.filter(few_images().cases["site"] == "B")["id"]
    told = tables.read(run.stored(out, run.shifts[2]))
    assert set(told.ids) == set(held)
    for name in ("train", "val", "cal", "test"):
        seen = tables.read(out / run.folder / "predictions" / f"{name}.parquet")
        assert not set(seen.ids) & set(held)
    for shift in run.shifts[:2]:
        assert not set(tables.read(run.stored(out, shift)).ids) & set(held)


def test_scores_that_cannot_be_computed_say_why(trained):
    made, out = trained
    run = run_of(made, False, True)
    why = tables.read(run.stored(out, run.shifts[1])).source["not_applicable"]
    assert "at least 50" in why["knn"]  # 32 training rows of one site
    assert "vim" in why


def test_a_whole_network_is_asked_with_dropout_inside_it(tmp_path):
    given = content() | {"seeds": [0], "training": {"epochs": 1, "batch_size": 32, "precision": "32-true"}}
    given["networks"] = {
        "vit": {
            "name": "vit_tiny_patch16_224", "trunk": "trained", "trunk_dropout": 0.1, "dropout": 0.1,
            "image_size": 32,
        }
    }  # fmt: skip
    given |= {"confidnet": {"epochs": 1, "finetune_epochs": 1}, "deep_gamblers": None, "passes": 2}
    own = {"name": "phantom", "severity": "phantom", "elsewhere": ["phantom_failures"]}
    given["data"] = {"one": own | {"corruptions": {"names": ["stain"], "intensities": [2]}}}
    made = build(given, "b.yaml")
    (run,) = made.runs
    runs.train(made.runs, tmp_path, here, 1, progress=False)
    benches.ask(made, tmp_path, here, 1, progress=False)
    told = {shift.name: tables.read(run.stored(tmp_path, shift)) for shift in run.shifts}
    assert set(told) == {"cal", "test", "stain", "phantom_failures"}
    assert len(told["phantom_failures"]) == 160  # every image of the other data set
    assert told["stain"].embeddings is not None
    assert len(told["stain"].stages) == 5
    mean = predict(tmp_path / run.folder, few_images().split("test"), passes=2, progress=False)
    assert told["test"].scores["mcd_confidnet"] == pytest.approx(mean.scores["mcd_confidnet"], abs=1e-5)
    assert told["test"].scores["mcd_msr"] == pytest.approx(mean.scores["mcd_msr"], abs=1e-5)
    assert not np.allclose(told["stain"].logits, told["test"].logits)
    assert told["test"].source["mc_dropout"]["where"] == "trunk and head"
