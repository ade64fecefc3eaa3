"""A folder of corrupted images, and the manifest that reads it back."""

import dataclasses
import json
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

from primum.core.check import InputError
from primum.data import sets
from primum.data.corruptions import corrupt, folder
from primum.data.images import ImageTable
from primum.data.sets import manifest
from tests.data.imaging.named import SECRET, named
from tests.model.made import CLASSES, made
from tests.places import DOCS


@pytest.fixture
def table():
    cases, pixels = made(24, 20)
    cases = cases.with_columns(split=pl.lit("test"), age=pl.int_range(24))
    return ImageTable("made", CLASSES, cases, None, pixels)


@pytest.fixture
def mixed(tmp_path):
    """Files of two sizes, with masks."""
    cases, pixels = made(12, 20)
    root = tmp_path / "images"
    root.mkdir()
    for row, (path, image) in enumerate(zip(cases["path"], pixels, strict=True)):
        Image.fromarray(image[: 20 - 4 * (row % 2)]).save(root / path)
    return ImageTable("made", CLASSES, cases.with_columns(split=pl.lit("test"), mask="path"), root)


def written(out):
    return {path.relative_to(out).as_posix() for path in Path(out).rglob("*") if path.is_file()}


def test_a_manifest_reads_back_what_corrupt_says(table, tmp_path):
    path = folder.write(table, "motion_blur", 4, tmp_path / "out", seed=3)
    back = sets.load("manifest", path)
    assert back.classes == tuple(sorted(CLASSES))
    assert back.cases["id"].to_list() == table.cases["id"].to_list()
    for column in ("label", "patient", "site", "split", "age"):
        assert back.cases[column].to_list() == table.cases[column].to_list()
    assert back.cases["original_path"].to_list() == table.cases["path"].to_list()
    assert set(back.cases["shift"]) == {"motion_blur"}
    assert set(back.cases["shift_level"]) == {4}
    images = torch.from_numpy(table.pixels).permute(0, 3, 1, 2).float() / 255
    expected = corrupt(images, "motion_blur", 4, table.cases["id"].to_list(), 3).mul(255).round().byte()
    for row in range(len(back)):
        shown = np.asarray(back.image(row)).astype(int)
        assert np.abs(shown - expected[row].permute(1, 2, 0).numpy()).max() <= 1


def test_images_of_several_sizes_keep_their_own_and_masks_do_not_come_along(mixed, tmp_path):
    path = folder.write(mixed, "elastic", 2, tmp_path / "out")
    back = sets.load("manifest", path)
    assert [back.image(row).size for row in range(12)] == [mixed.image(row).size for row in range(12)]
    assert "mask" not in back.cases.columns


def test_no_name_in_a_file_goes_along(mixed, tmp_path):
    for row, kind in enumerate(("JPEG", "PNG", "TIFF", "WEBP", "GIF")):
        named(mixed.root / mixed.cases["path"][row], kind, 20)
    folder.write(mixed, "gaussian_noise", 1, tmp_path / "out")
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(files) == 14
    for path in files:
        assert SECRET.encode() not in path.read_bytes()
        if path.suffix == ".png":
            with Image.open(path) as image:
                assert not image.info


def test_several_grey_channels_are_a_file_each(table, tmp_path):
    five = dataclasses.replace(table, pixels=np.repeat(table.pixels[..., :1], 5, axis=-1))
    path = folder.write(five, "gaussian_noise", 1, tmp_path / "out")
    back = sets.load("manifest", path)
    assert back.channels == 5
    planes = [np.asarray(plane) for plane in back.planes(7)]
    assert all(np.array_equal(plane, planes[0]) for plane in planes)
    assert not np.array_equal(planes[0], table.pixels[7, ..., 0])


def test_an_interruption_leaves_no_manifest_and_is_gone_on_with(table, tmp_path, monkeypatch):
    whole = folder.write(table, "stain", 5, tmp_path / "whole")
    monkeypatch.setattr(folder, "AT_ONCE", 8)
    save, saved = folder._save, []

    def once(pixels, to):
        if len(saved) == 11:
            raise KeyboardInterrupt
        saved.append(to)
        save(pixels, to)

    monkeypatch.setattr(folder, "_save", once)
    with pytest.raises(KeyboardInterrupt):
        folder.write(table, "stain", 5, tmp_path / "cut")
    assert not (tmp_path / "cut" / "manifest.csv").exists()
    assert sum(name.endswith(".png") for name in written(tmp_path / "cut")) == 11

    monkeypatch.setattr(folder, "_save", lambda pixels, to: (saved.append(to), save(pixels, to)))
    folder.write(table, "stain", 5, tmp_path / "cut")
    assert len(saved) == 24  # none twice
    assert written(tmp_path / "cut") == written(whole.parent)
    for name in written(whole.parent):
        assert (tmp_path / "cut" / name).read_bytes() == (whole.parent / name).read_bytes()
    folder.write(table, "stain", 5, tmp_path / "cut")
    assert len(saved) == 24  # a finished one is left as it is


def test_a_folder_of_something_else_is_not_written_into(table, tmp_path, refused):
    folder.write(table.take(np.arange(3)), "stain", 5, tmp_path / "a")
    for asked in [(table, "stain", 5), (table.take(np.arange(3)), "stain", 4)]:
        refused(lambda asked=asked: folder.write(*asked, tmp_path / "a"), "name another folder")
    refused(lambda: folder.write(table.take(np.arange(3)), "stain", 5, tmp_path / "a", seed=1), "another")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "notes.txt").write_text("mine")
    refused(lambda: folder.write(table, "stain", 5, tmp_path / "b"), "holds something")
    refused(lambda: folder.write(table, "stain", 7, tmp_path / "c"), "7 arrived")
    assert not (tmp_path / "c").exists()
    assert written(tmp_path / "b") == {"notes.txt"}


def test_a_missing_image_is_named_and_nothing_is_finished(mixed, tmp_path):
    (mixed.root / "c007.png").unlink()
    with pytest.raises(InputError, match=r"c007\.png"):
        folder.write(mixed, "jpeg", 1, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_refusal_leaves_what_was_there_before(mixed, tmp_path):
    out = tmp_path / "out"
    folder.write(mixed, "jpeg", 1, out)
    (out / "manifest.csv").unlink()
    (out / "images" / "07.png").unlink()
    before = written(out)
    (mixed.root / "c007.png").write_bytes(b"half")
    with pytest.raises(InputError):
        folder.write(mixed, "jpeg", 1, out)
    assert written(out) == before


def test_what_a_killed_writer_left_blocks_nothing(mixed, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".primum-draft-4194303-abcdefgh-corruption.json").touch()
    (tmp_path / "out" / ".corruption-abcdefgh.json").touch()
    assert folder.write(mixed, "jpeg", 1, tmp_path / "out").is_file()


@pytest.fixture
def run(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)

    return partial(command, "data", "corrupt")


def test_the_verb_corrupts_one_split_and_says_no_patient(table, run, tmp_path, monkeypatch):
    split = pl.Series("split", ["test", "train"] * 12)
    patients = pl.Series("patient", [f"Ann-{row // 2}" for row in range(24)])
    whole = dataclasses.replace(table, cases=table.cases.with_columns(split, patients))
    load = sets.load
    monkeypatch.setattr(sets, "load", lambda name, root=None, seed=0: whole)
    code, out, err = run("made", "--corrupt", "letter_marker:2", "--out", "o")
    assert (code, err) == (0, "")
    assert "o/manifest.csv: 12 images under letter_marker 2" in out
    assert "Ann" not in out
    assert "Ann" not in (tmp_path / "o" / "corruption.json").read_text()
    assert not any("Ann" in name for name in written("o"))
    back = load("manifest", "o/manifest.csv")
    assert back.cases["id"].to_list() == whole.cases["id"].to_list()[::2]
    documented = (DOCS / "formats.md").read_text()
    fields = [*json.loads((tmp_path / "o" / "corruption.json").read_text()), "original_path"]
    for field in fields:
        assert f"`{field}`" in documented, f"docs/formats.md lacks {field}"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--corrupt", "motion"], "did you mean 'motion_blur'?"),
        (["--corrupt", "elastic:6"], "6 arrived"),
        (["--corrupt", "elastic:1", "--split", "tests"], "did you mean 'test'?"),
        (["--corrupt", "elastic:1", "--split", "train"], "no image is in split 'train'"),
    ],
)
def test_the_verb_refuses_in_one_sentence(table, run, monkeypatch, arguments, says):
    monkeypatch.setattr(sets, "load", lambda name, root=None, seed=0: table)
    code, _, error = run("made", "--out", "o", *arguments)
    assert code == 2
    assert says in error
    assert len(error.strip().splitlines()) == 1
    assert not Path("o").exists()


def test_columns_of_the_manifest_are_none_of_an_answer(table, tmp_path):
    columns = pl.read_csv(folder.write(table, "contrast", 1, tmp_path / "out")).columns
    assert not set(columns) & set(manifest.TAKEN)
