"""A folder that changes while a run is interrupted, or after it: the splits stay those the run began with."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from primum import tables
from primum.bench.losses.plan import Run
from primum.data import sets
from primum.model import fit as fitting
from primum.model.train import train
from tests.model.made import made, recipe

COUNT = 90
SEED = 3
LEARNED = ("train", "val", "cal")


@pytest.fixture
def images(tmp_path):
    """Ninety made images in one folder per class, none of them in a split folder."""
    cases, pixels = made(COUNT)
    for label, image, path in zip(cases["label"], pixels, cases["path"], strict=True):
        (tmp_path / "images" / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(tmp_path / "images" / label / path)
    return tmp_path / "images"


@pytest.fixture
def asked(images):
    section = {"name": "folder", "root": str(images), "seed": SEED}
    return recipe(data=section, network__trunk="frozen", training__epochs=3)


@pytest.fixture
def interrupted(asked, tmp_path, monkeypatch):
    """A run that was stopped in its second epoch, and id → split of what it had learned from until then."""
    step = fitting.Fit.training_step

    def cut(self, batch, batch_idx):
        if self.current_epoch == 1:
            raise KeyboardInterrupt
        return step(self, batch, batch_idx)

    monkeypatch.setattr(fitting.Fit, "training_step", cut)
    with pytest.raises(KeyboardInterrupt):
        train(asked, tmp_path / "run", progress=False)
    monkeypatch.setattr(fitting.Fit, "training_step", step)
    return tmp_path / "run", split_of(asked)


def split_of(asked) -> dict[str, str]:
    cases = sets.load("folder", asked.data.root, asked.data.seed).cases
    return dict(zip(cases["id"], cases["split"], strict=True))


def add(images: Path, count: int = 6, label: str = "melanoma") -> list[str]:
    """New images whose names sort before, among and after those that are there."""
    rng = np.random.default_rng(9)
    (images / label).mkdir(exist_ok=True)
    names = [f"{label}/{'abdz'[number % 4]}{number:03d}x.png" for number in range(count)]
    for name in names:
        Image.fromarray(rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)).save(images / name)
    return names


def predicted(run: Path) -> dict[str, str]:
    """Id → split of every answer of a run."""
    answers = [(file.stem, tables.read(file).ids) for file in (run / "predictions").iterdir()]
    return {one: split for split, ids in answers for one in ids}


def test_images_added_to_an_interrupted_run_move_no_case(asked, interrupted, images, capsys):
    run, before = interrupted
    add(images)
    train(asked, run, resume=True)
    assert predicted(run) == before
    assert len(before) == COUNT
    assert "6 images came after" in " ".join(capsys.readouterr().err.split())


def test_an_older_cut_would_have_tested_on_what_was_trained_on(asked, interrupted, images):
    """The cut of a release, which sees all images at once, is none for a folder that grows."""
    from primum.data.split import WITHOUT_TEST, assign

    def of() -> dict[str, str]:
        cases = sets.load("folder", images, SEED).cases
        cut = assign(cases["label"].to_numpy(), cases["id"].to_numpy(), SEED, WITHOUT_TEST)
        return dict(zip(cases["id"], cut, strict=True))

    before = of()
    add(images)
    after = of()
    assert any(after[one] == "test" and split == "train" for one, split in before.items())


def test_a_new_class_is_no_part_of_an_interrupted_run(asked, interrupted, images):
    run, before = interrupted
    add(images, label="angioma")
    train(asked, run, resume=True, progress=False)
    assert predicted(run) == before
    assert tables.read(run / "predictions" / "test.parquet").classes == ("carcinoma", "melanoma", "naevus")


@pytest.mark.parametrize("change", ["missing", "renamed", "changed", "moved to another class"])
def test_missing_and_changed_images_of_an_interrupted_run_are_refused(
    asked, interrupted, images, refused, change
):
    run, before = interrupted
    one, other = [images / name for name, split in before.items() if split == "test"][:2]
    if change == "missing":
        one.unlink()
        texts = ["1 missing, "]
    elif change == "renamed":
        one.rename(one.with_name("zz.png"))
        other.unlink()
        texts = ["2 missing (1 lie there under another name)"]
    elif change == "changed":
        shutil.copyfile(other, one)
        texts = ["1 of 90 hold something else now"]
    else:
        target = images / ("naevus" if one.parent.name != "naevus" else "melanoma") / one.name
        one.rename(target)
        texts = ["1 missing (1 lie there under another name)"]
    first = one.relative_to(images).as_posix()
    refused(lambda: train(asked, run, resume=True, progress=False), f"{first} for one", *texts)
    assert not (run / "network.json").exists()


def test_a_label_changed_in_a_manifest_is_refused(asked, images, tmp_path, refused, monkeypatch):
    listed = [
        {"path": file.relative_to(images).as_posix(), "label": file.parent.name}
        for file in sorted(images.glob("*/*.png"))
    ]
    pl.DataFrame(listed).write_csv(images / "list.csv")
    section = {"name": "manifest", "root": str(images / "list.csv"), "seed": SEED}
    by_list = recipe(data=section, network__trunk="frozen", training__epochs=1)

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("primum.model.train._fit", interrupt)
        with pytest.raises(KeyboardInterrupt):
            train(by_list, tmp_path / "run", progress=False)
    listed[0]["label"] = "melanoma"
    pl.DataFrame(listed).write_csv(images / "list.csv")
    refused(
        lambda: train(by_list, tmp_path / "run", resume=True, progress=False),
        "1 of 90 bear another label now",
    )


def test_an_interrupted_run_of_an_older_version_is_refused(asked, interrupted, refused):
    run, _ = interrupted
    (run / "splits.parquet").unlink()
    refused(lambda: train(asked, run, resume=True, progress=False), "an older version began this run")


def test_splits_that_do_not_read_are_refused(asked, interrupted, refused):
    run, _ = interrupted
    (run / "splits.parquet").write_bytes(b"half")
    refused(lambda: train(asked, run, resume=True, progress=False), "splits.parquet", "does not read")


@pytest.fixture
def finished(asked, tmp_path):
    return train(asked, tmp_path / "run", progress=False), split_of(asked)


def answers(command, run, images, *arguments):
    """Ids and splits that ``primum predict`` writes, and what it says on standard error."""
    out = run.parent / "p.parquet"
    code, _, said = command("predict", run, "--data", "folder", "--root", images, "--out", out, *arguments)
    assert code == 0, said
    found = tables.read(out)
    return list(found.ids), set(found.metadata["split"]), said


def test_what_is_written_down(finished, images):
    run, before = finished
    listed = pl.read_parquet(run / "splits.parquet")
    assert listed.columns == ["id", "patient", "label", "split", "path", "sha256"]
    assert dict(zip(listed["id"], listed["split"], strict=True)) == before
    assert listed["sha256"].n_unique() == COUNT
    assert listed["sha256"].str.len_chars().unique().to_list() == [64]


def test_predict_and_explain_keep_the_splits_of_the_run(finished, images, command, tmp_path):
    run, _ = finished
    stored = {split: list(tables.read(run / "predictions" / f"{split}.parquet").ids) for split in LEARNED}
    test = list(tables.read(run / "predictions" / "test.parquet").ids)
    new = add(images)
    ids, _, said = answers(command, run, images)
    assert ids == test
    assert "6 images of folder are not part of the run" in said
    assert "--split new" in said
    for split, expected in stored.items():
        assert answers(command, run, images, "--split", split)[0] == expected
    code, _, said = command(
        "explain", run, "--data", "folder", "--root", images, "--out", tmp_path / "e.parquet"
    )
    assert code == 0, said
    assert list(tables.read(tmp_path / "e.parquet").ids) == test
    assert "6 images" in said

    ids, split, said = answers(command, run, images, "--split", "new")
    assert sorted(ids) == sorted(new)
    assert split == {"test"}
    assert not said.strip()


def test_copies_of_what_was_learned_from_are_not_new(finished, images, command):
    run, before = finished
    learned = next(name for name, split in before.items() if split == "val")
    tested = next(name for name, split in before.items() if split == "test")
    new = add(images, 2)
    shutil.copyfile(images / learned, images / "naevus" / "again.png")
    shutil.copyfile(images / tested, images / "naevus" / "anew.png")
    ids, _, said = answers(command, run, images, "--split", "new")
    assert sorted(ids) == sorted([*new, "naevus/anew.png"])
    assert "1 more new images are left out" in said


def test_predict_refuses_what_is_missing_or_changed_in_the_split_it_is_asked_about(
    finished, images, command, tmp_path
):
    run, before = finished
    train_one = next(name for name, split in before.items() if split == "train")
    one, other = [name for name, split in before.items() if split == "test"][:2]
    (images / train_one).unlink()
    assert len(answers(command, run, images)[0]) == sum(split == "test" for split in before.values())
    shutil.copyfile(images / other, images / one)
    ask = ("predict", run, "--data", "folder", "--root", images, "--out", tmp_path / "q.parquet")
    code, _, said = command(*ask)
    assert code == 2
    assert "1 of" in said
    assert "hold something else now" in said
    (images / one).unlink()
    code, _, said = command(*ask)
    assert code == 2
    assert f"1 missing, {one} for one" in said
    assert not (tmp_path / "q.parquet").exists()


def test_a_run_of_an_older_version_is_asked_in_the_splits_of_its_predictions(
    finished, images, command, tmp_path
):
    run, _ = finished
    (run / "splits.parquet").unlink()
    # An older version cut otherwise: exchange the ids of train and test, as far as they go.
    test = tables.read(run / "predictions" / "test.parquet").ids
    for split in ("train", "test"):
        file = run / "predictions" / f"{split}.parquet"
        frame = pl.read_parquet(file)
        swapped = (test if split == "train" else pl.Series(sorted(split_ids(finished, "train"))))[: len(test)]
        frame[: len(test)].with_columns(swapped.alias("id")).write_parquet(file)
    ids, _, said = answers(command, run, images)
    assert ids == sorted(split_ids(finished, "train"))[: len(test)]
    assert "an older version began run" in said
    (run / "predictions" / "train.parquet").unlink()
    code, _, said = command(
        "predict", run, "--data", "folder", "--root", images, "--out", tmp_path / "q.parquet"
    )
    assert code == 2
    assert "nothing here says which images it was trained on" in said


def split_ids(finished, split: str) -> list[str]:
    return [name for name, found in finished[1].items() if found == split]


def test_the_same_folder_elsewhere_is_known_again(finished, images, command, tmp_path):
    run, _ = finished
    shutil.copytree(images, tmp_path / "copy")
    add(tmp_path / "copy")
    ids, _, said = answers(command, run, tmp_path / "copy")
    assert ids == split_ids(finished, "test")
    assert "6 images" in said


def test_others_data_lose_what_the_run_learned_from(finished, images, command, tmp_path):
    run, before = finished
    other = tmp_path / "other"
    for number, (name, split) in enumerate(before.items()):
        if split in ("train", "test"):
            (other / "test" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(images / name, (other / "test" / name).with_name(f"{number}.png"))
    ids, _, said = answers(command, run, other)
    assert len(ids) == len(split_ids(finished, "test"))
    assert f"{len(split_ids(finished, 'train'))} images are left out" in said
    shutil.rmtree(other)
    for name in split_ids(finished, "train"):
        (other / "test" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(images / name, other / "test" / name)
    code, _, said = command(
        "predict", run, "--data", "folder", "--root", other, "--out", tmp_path / "q.parquet"
    )
    assert code == 2
    assert "stand in its train, val or cal" in said


def test_runs_of_a_bench_share_the_splits_of_the_first(finished, asked, images, tmp_path):
    from primum.bench.runs import first_begun

    run, before = finished
    runs = [
        Run("images", "tiny", "plain", "", seed, asked.model_copy(update={"seed": seed}), "isic2018")
        for seed in (0, 1)
    ]
    (tmp_path / "bench" / runs[0].folder).parent.mkdir(parents=True)
    run.rename(tmp_path / "bench" / runs[0].folder)
    add(images)
    begun = first_begun(runs, tmp_path / "bench")
    assert begun == {str(asked.data): tmp_path / "bench" / runs[0].folder}
    second = train(
        runs[1].recipe, tmp_path / "bench" / runs[1].folder, progress=False, like=begun[str(asked.data)]
    )
    assert predicted(second) == before
    assert set(pl.read_parquet(second / "splits.parquet")["id"]) == set(before)


def test_what_was_left_out_is_written_down_too(images, tmp_path, command):
    (images / "naevus" / "broken.png").write_bytes(b"no picture")
    section = {"name": "folder", "root": str(images), "seed": SEED}
    asked = recipe(data=section, network__trunk="frozen", training__epochs=1)
    run = train(asked, tmp_path / "run", skip_corrupt=True, progress=False)
    listed = pl.read_parquet(run / "splits.parquet")
    assert listed.filter(pl.col("split").is_null())["id"].to_list() == ["naevus/broken.png"]
    assert "naevus/broken.png" not in answers(command, run, images)[0]
    assert not answers(command, run, images)[2].strip()


@pytest.fixture
def listed(images):
    """A manifest writer: two images a patient, and the patients from 80 on at another clinic."""
    files = sorted(file.relative_to(images).as_posix() for file in images.glob("*/*.png"))
    rows = [
        {
            "path": path,
            "label": path.partition("/")[0],
            "patient": f"p{number // 2}",
            "site": "south" if number >= 80 else "north",
        }
        for number, path in enumerate(files)
    ]

    def write(*more: dict[str, str]) -> Path:
        pl.DataFrame([*more, *rows]).write_csv(images / "list.csv")
        return images / "list.csv"

    return write


def test_new_images_of_patients_that_were_learned_from_are_left_out(images, listed, command, tmp_path):
    section = {"name": "manifest", "root": str(listed()), "seed": SEED, "leave_out": {"site": "south"}}
    asked = recipe(data=section, network__trunk="frozen", training__epochs=1)
    run = train(asked, tmp_path / "run", progress=False)
    before = predicted(run)
    of = dict(pl.read_parquet(run / "splits.parquet").select("split", "patient").unique("split").iter_rows())
    new = add(images, 4)
    people = (of["train"], of["cal"], of["test"], "p999")
    rows = [
        {"path": path, "label": "melanoma", "patient": patient, "site": "south"}
        for path, patient in zip(new, people, strict=True)
    ]
    root = listed(*rows)

    def ask(split: str) -> pl.DataFrame:
        out = tmp_path / f"{split}.parquet"
        asking = ("--data", "manifest", "--root", root, "--split", split, "--out", out)
        code, _, said = command("predict", run, *asking)
        assert code == 0, said
        return pl.read_parquet(out)

    assert sorted(ask("new")["id"]) == sorted(new[2:])
    for split in ("train", "val", "cal", "test", "shift"):
        assert set(ask(split)["id"]) == {one for one, found in before.items() if found == split}
    assert set(ask("shift")["shift"]) == {"site=south"}

    from primum.model.material import finished as material

    table, whole = material(asked, run)
    assert dict(zip(table.cases["id"], table.cases["split"], strict=True)) == before
    assert set(whole.cases["id"]) == set(before)
    assert set(table.cases["shift"].drop_nulls()) == {"site=south"}


def test_a_run_with_a_clinic_held_out_resumes_as_it_began(images, listed, tmp_path, monkeypatch):
    section = {"name": "manifest", "root": str(listed()), "seed": SEED, "leave_out": {"site": "south"}}
    asked = recipe(data=section, network__trunk="frozen", training__epochs=1)
    straight = predicted(train(asked, tmp_path / "straight", progress=False))

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("primum.model.train._fit", interrupt)
        with pytest.raises(KeyboardInterrupt):
            train(asked, tmp_path / "run", progress=False)
    patient = next(
        row["patient"]
        for row in pl.read_parquet(tmp_path / "run" / "splits.parquet").iter_rows(named=True)
        if row["split"] == "train"
    )
    (new,) = add(images, 1)  # whom today's rule would take out of train, with all images
    listed({"path": new, "label": "melanoma", "patient": patient, "site": "south"})
    train(asked, tmp_path / "run", resume=True, progress=False)
    assert predicted(tmp_path / "run") == straight
    features = list((tmp_path / ".features").glob("*.npy"))
    assert len(features) == 1  # the run that was gone on with read those of the first
