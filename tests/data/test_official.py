"""Loaders of the official layouts: counts of the real sets, and small made trees of the same layout."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from primum.data import load
from primum.data.chest_xray import names
from primum.data.images import ImageTable
from primum.data.split import leaks
from primum.severity import read

OFFICIAL_TEST = {
    "brain_tumor_mri": {"glioma": 300, "meningioma": 306, "notumor": 405, "pituitary": 300},
    "chest_xray": {"NORMAL": 234, "PNEUMONIA": 390},
    "ham10000": {"MEL": 171, "NV": 909, "BCC": 93, "AKIEC": 43, "BKL": 217, "DF": 44, "VASC": 35},
}
OFFICIAL_TRAIN = {
    "brain_tumor_mri": {"glioma": 1321, "meningioma": 1339, "notumor": 1591, "pituitary": 1457},
    "chest_xray": {"NORMAL": 1349, "PNEUMONIA": 3883},
    "ham10000": {"MEL": 1113, "NV": 6705, "BCC": 514, "AKIEC": 327, "BKL": 1099, "DF": 115, "VASC": 142},
}
PRESET = {"brain_tumor_mri": "brain_tumor_mri", "chest_xray": "chest_xray", "ham10000": "isic2018"}


def counted(table: ImageTable, *splits: str) -> dict[str, int]:
    labels = table.cases.filter(pl.col("split").is_in(splits))["label"]
    return dict(labels.value_counts().iter_rows())


@pytest.mark.parametrize("name", OFFICIAL_TEST)
def test_real_counts_are_the_published_ones(real, name: str) -> None:
    table = real(name)
    assert counted(table, "test") == OFFICIAL_TEST[name]
    assert counted(table, "train", "val", "cal") == OFFICIAL_TRAIN[name]
    assert table.classes == read(PRESET[name]).classes


@pytest.mark.parametrize("name", OFFICIAL_TEST)
def test_real_splits_share_no_patient_and_keep_the_mix_of_classes(real, name: str) -> None:
    table = real(name)
    assert leaks(table.cases) == []
    assert table.cases["patient"].null_count() == 0
    pool = OFFICIAL_TRAIN[name]
    for split, share in (("train", 0.7), ("val", 0.1), ("cal", 0.2)):
        for label, count in counted(table, split).items():
            assert abs(count - share * pool[label]) <= max(0.02 * pool[label], 3), (split, label)


@pytest.mark.parametrize("name", OFFICIAL_TEST)
def test_real_paths_lead_to_images(real, name: str) -> None:
    table = real(name)
    assert table.root is not None
    for row in np.random.default_rng(0).choice(len(table), 20, replace=False):
        assert min(table.image(int(row)).size) >= 150
    assert all((table.root / path).is_file() for path in table.cases["path"])


def test_chest_patients_are_in_one_official_split(real) -> None:
    cases = real("chest_xray").cases
    assert dict(cases["official_split"].value_counts().iter_rows()) == {"train": 5216, "val": 16, "test": 624}
    official = cases.group_by("patient").agg(pl.col("official_split").n_unique().alias("splits"))
    assert official["splits"].max() == 1
    assert dict(cases.group_by("label").agg(pl.col("subtype").unique().sort()).iter_rows()) == {
        "NORMAL": ["normal"],
        "PNEUMONIA": ["bacteria", "virus"],
    }
    bare = cases.filter(pl.col("label") == "PNEUMONIA").with_columns(
        pl.col("patient").str.split("_").list.first(), split="official_split"
    )
    assert len(leaks(bare)) == 170, "bare person numbers restart between train and test"


def test_chest_file_names_tell_the_patient(refused) -> None:
    assert names("person100_bacteria_475.jpeg") == ("person100_bacteria", "bacteria")
    assert names("person100_virus_184.jpeg") == ("person100_virus", "virus")
    assert names("IM-0115-0001.jpeg") == ("IM-0115", "normal")
    assert names("NORMAL2-IM-0115-0001-0002.jpeg") == ("NORMAL2-IM-0115", "normal")
    refused(lambda: names("scan7.jpeg"), "chest_xray", "scan7.jpeg")


def test_brain_marks_the_test_images_that_stand_in_training_too(real) -> None:
    cases = real("brain_tumor_mri").cases
    assert cases.filter(pl.col("split") == "test")["twin_in_train"].sum() == 216
    assert cases.filter(pl.col("split") != "test")["twin_in_train"].sum() == 0


def test_lesions_of_ham10000_come_from_named_clinics(real) -> None:
    cases = real("ham10000").cases
    assert dict(cases["site"].value_counts().iter_rows()) == {
        "vidir_molemax": 3954, "vidir_modern": 3363, "rosendahl": 2259, "isic2018_test": 1512, "vienna_dias": 439,
    }  # fmt: skip
    known = cases.filter(pl.col("split") != "test")
    assert known["patient"].n_unique() == 7470
    several = known.group_by("patient").len().filter(pl.col("len") > 1)
    assert len(several) == 1956
    assert known["age"].null_count() == 57
    test = cases.filter(pl.col("split") == "test")
    assert (test["patient"] == test["id"]).all()
    assert (test["site"] == "isic2018_test").all()
    assert test["age"].null_count() == 1512


def brain(root: Path, draw) -> None:
    kinds = ("glioma", "meningioma", "notumor", "pituitary")
    draw(root, [f"Training/{kind}/Tr-{number}.png" for kind in kinds for number in range(24)])
    draw(root, [f"Testing/{kind}/Te-{number}.png" for kind in kinds for number in range(2)])


def distinct(root: Path) -> None:
    """Append the path to each file: no two made files hold the same bytes."""
    for file in root.rglob("*.png"):
        file.write_bytes(file.read_bytes() + str(file.relative_to(root)).encode())


def chest(root: Path, draw) -> None:
    draw(
        root, [f"train/PNEUMONIA/person{number}_bacteria_{at}.jpeg" for number in range(20) for at in (1, 2)]
    )
    draw(root, [f"train/PNEUMONIA/person{number}_virus_9.jpeg" for number in range(10)])
    draw(root, [f"train/NORMAL/NORMAL2-IM-{number:04d}-0001.jpeg" for number in range(25)])
    draw(root, ["val/NORMAL/IM-0900-0001.jpeg", "val/PNEUMONIA/person90_virus_1.jpeg"])
    draw(root, ["test/NORMAL/IM-0001-0001.jpeg", "test/PNEUMONIA/person99_virus_1.jpeg"])
    (root / "train" / ".DS_Store").write_bytes(b"stray")


def ham(root: Path, draw) -> None:
    codes = ("mel", "nv", "bcc", "akiec", "bkl", "df", "vasc")
    rows = [
        (
            f"HAM_{code}{number // 2}",
            f"ISIC_{code}{number}",
            code,
            "histo",
            40 if number else None,
            "male",
            "back",
            "x",
        )
        for code in codes
        for number in range(44)
    ]
    columns = ["lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization", "dataset"]
    root.mkdir(parents=True)
    pl.DataFrame(rows, schema=columns, orient="row").write_csv(root / "HAM10000_metadata.csv")
    draw(root, [f"images/{row[1]}.jpg" for row in rows])


def isic_test(root: Path, draw) -> None:
    classes = ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")
    rows = [(f"T{k}", *(float(k == j) for j in range(7))) for k in range(7)]
    draw(root, [f"images/T{k}.jpg" for k in range(7)])
    truth = pl.DataFrame(rows, schema=["image", *classes], orient="row")
    truth.write_csv(root / "ISIC2018_Task3_Test_GroundTruth.csv")


def test_copies_among_the_training_images_of_brain_stay_together(tmp_path: Path, draw) -> None:
    root = tmp_path / "brain_tumor_mri"
    brain(root, draw)
    distinct(root)
    first = root / "Training" / "glioma" / "Tr-0.png"
    for number in range(1, 9):
        shutil.copy(first, root / "Training" / "glioma" / f"Tr-{number}.png")
    shutil.copy(first, root / "Testing" / "glioma" / "Te-1.png")
    for seed in range(4):
        cases = load("brain_tumor_mri", tmp_path, seed).cases
        copies = cases.filter(pl.col("id").is_in([f"Training/glioma/Tr-{number}.png" for number in range(9)]))
        assert copies["split"].n_unique() == 1
        assert copies["patient"].n_unique() == 1
    assert cases.filter("twin_in_train")["id"].to_list() == ["Testing/glioma/Te-1.png"]
    assert cases.filter(pl.col("split") == "test").height == 8
    assert cases["patient"].n_unique() == len(cases) - 8


def test_the_small_official_val_of_chest_is_pooled_and_remembered(tmp_path: Path, draw) -> None:
    chest(tmp_path / "chest_xray", draw)
    cases = load("chest_xray", tmp_path).cases
    assert dict(cases["official_split"].value_counts().iter_rows()) == {"train": 75, "val": 2, "test": 2}
    assert (cases.filter(pl.col("official_split") == "test")["split"] == "test").all()
    assert set(cases.filter(pl.col("official_split") != "test")["split"]) == {"train", "val", "cal"}
    assert leaks(cases) == []
    pair = cases.filter(pl.col("patient") == "person3_bacteria")
    assert pair.height == 2


def test_ham10000_with_and_without_the_official_test_beside_it(tmp_path: Path, draw) -> None:
    ham(tmp_path / "ham10000", draw)
    alone = load("ham10000", tmp_path)
    assert set(alone.cases["split"]) == {"train", "val", "cal", "test"}
    assert len(alone) == 7 * 44
    isic_test(tmp_path / "isic2018_test", draw)
    beside = load("ham10000", tmp_path)
    test = beside.cases.filter(pl.col("split") == "test")
    assert dict(test.select("id", "label").iter_rows()) == {
        f"T{k}": name for k, name in enumerate(beside.classes)
    }
    assert len(beside) == len(alone) + 7
    for table in (alone, beside):
        assert leaks(table.cases) == []
        assert table.cases.filter(pl.col("id") == "ISIC_akiec3")["label"].item() == "AKIEC"
        assert [table.image(row).size for row in (0, len(table) - 1)] == [(6, 6)] * 2


@pytest.mark.parametrize(
    ("name", "build"), [("brain_tumor_mri", brain), ("chest_xray", chest), ("ham10000", ham)]
)
def test_the_folder_itself_and_the_one_above_give_the_same_table(
    tmp_path: Path, draw, name: str, build
) -> None:
    build(tmp_path / name, draw)
    above, itself = load(name, tmp_path), load(name, tmp_path / name)
    assert above.cases.equals(itself.cases)
    assert above.fingerprint() == itself.fingerprint()
    assert above.image(0).tobytes() == itself.image(0).tobytes()


@pytest.mark.parametrize("name", OFFICIAL_TEST)
def test_a_folder_of_another_layout_is_refused(tmp_path: Path, refused, name: str) -> None:
    refused(lambda: load(name, tmp_path / "none"), "none", "no such folder", "--root")
    refused(lambda: load(name, tmp_path), f"the folder of {name}", "not there", "--root")
    (tmp_path / "file").write_bytes(b"")
    refused(lambda: load(name, tmp_path / "file"), "this is a file")
    refused(lambda: load(name), name, "--root")


def test_a_missing_class_folder_is_named(tmp_path: Path, draw, refused) -> None:
    brain(tmp_path / "b", draw)
    shutil.rmtree(tmp_path / "b" / "Testing" / "notumor")
    refused(lambda: load("brain_tumor_mri", tmp_path / "b"), "notumor", "there is none")
    chest(tmp_path / "c", draw)
    shutil.rmtree(tmp_path / "c" / "val")
    refused(lambda: load("chest_xray", tmp_path / "c"), "val", "there is none")


def test_an_incomplete_download_of_ham10000_is_named(tmp_path: Path, draw, refused) -> None:
    ham(tmp_path / "ham10000", draw)
    (tmp_path / "ham10000" / "images" / "ISIC_df7.jpg").unlink()
    refused(lambda: load("ham10000", tmp_path), "308 images", "1 are missing", "ISIC_df7")
