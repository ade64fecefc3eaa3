"""Every loader on a tiny made tree of its official layout, and what it says of any other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from primum.core.check import InputError
from primum.data.sets import load
from primum.data.sets.chest_xray import names
from primum.data.split import leaks

Picture = Callable[[Path, int], None]


def brain(root: Path, picture: Picture) -> Path:
    for part, count in (("Training", 24), ("Testing", 4)):
        for k, label in enumerate(("glioma", "meningioma", "notumor", "pituitary")):
            for i in range(count):
                picture(
                    root / part / label / f"{part[:2]}-{label}_{i}.png",
                    1000 * k + i + (part == "Testing") * 500,
                )
    twin = root / "Testing" / "glioma" / "Te-glioma_0.png"
    twin.write_bytes((root / "Training" / "glioma" / "Tr-glioma_3.png").read_bytes())
    (root / "Training" / "glioma" / "Tr-copy.png").write_bytes(twin.read_bytes())
    return root


def chest(root: Path, picture: Picture) -> Path:
    for split, count in (("train", 30), ("val", 2), ("test", 6)):
        for i in range(count):
            start = 0 if split == "test" else 500  # person numbers restart
            picture(root / split / "PNEUMONIA" / f"person{i + start}_bacteria_{i}.jpeg", i)
            picture(root / split / "PNEUMONIA" / f"person{i + start}_virus_{i}.jpeg", i)
            picture(root / split / "NORMAL" / f"IM-{i + start:04d}-0001.jpeg", i)
        (root / split / ".DS_Store").write_text("")
    return root


def ham(root: Path, picture: Picture, test: bool) -> Path:
    rows = []
    for i in range(60):
        picture(root / "ham10000" / "images" / f"ISIC_{i:07d}.jpg", i)
        dx = ("mel", "nv", "bcc", "akiec", "bkl", "df", "vasc")[i % 7]
        rows.append(f"HAM_{i // 2:07d},ISIC_{i:07d},{dx},histo,{'' if i == 3 else 50},male,scalp,rosendahl")
    header = "lesion_id,image_id,dx,dx_type,age,sex,localization,dataset\n"
    (root / "ham10000" / "HAM10000_metadata.csv").write_text(header + "\n".join(rows))
    if test:
        truth = ["image,MEL,NV,BCC,AKIEC,BKL,DF,VASC"]
        for i in range(7):
            picture(root / "isic2018_test" / "images" / f"ISIC_9{i:06d}.jpg", i)
            truth.append(f"ISIC_9{i:06d}," + ",".join("1.0" if k == i else "0.0" for k in range(7)))
        (root / "isic2018_test" / "ISIC2018_Task3_Test_GroundTruth.csv").write_text("\n".join(truth))
    return root


def test_brain_tumor_mri(tmp_path: Path, picture: Picture) -> None:
    table = load("brain_tumor_mri", brain(tmp_path, picture))
    assert len(table.split("test")) == 16
    twins = table.cases.filter("twin_in_train")["id"].to_list()
    assert twins == ["Testing/glioma/Te-glioma_0.png"]
    copies = table.cases.filter(
        pl.col("id").is_in(["Training/glioma/Tr-copy.png", "Training/glioma/Tr-glioma_3.png"])
    )
    assert set(copies["split"]) == {"train"}
    assert leaks(table.cases) == copies["patient"].unique().to_list()


def test_chest_xray(tmp_path: Path, picture: Picture) -> None:
    table = load("chest_xray", chest(tmp_path, picture))
    assert len(table.split("test")) == 18
    assert set(table.cases["subtype"]) == {"normal", "bacteria", "virus"}
    assert leaks(table.cases) == []


@pytest.mark.parametrize(
    ("file", "patient"),
    [
        ("person12_bacteria_47.jpeg", "person12_bacteria"),
        ("person12_virus_47.jpeg", "person12_virus"),
        ("person1_virus_6_2.jpeg", "person1_virus"),
        ("IM-0115-0001.jpeg", "IM-0115"),
        ("IM-0115-0001-0002.jpeg", "IM-0115"),
        ("NORMAL2-IM-0115-0001.jpeg", "NORMAL2-IM-0115"),
    ],
)
def test_chest_xray_patients(file: str, patient: str) -> None:
    assert names(file)[0] == patient


@pytest.mark.parametrize("test", [False, True])
def test_ham10000(tmp_path: Path, picture: Picture, test: bool) -> None:
    root = ham(tmp_path, picture, test)
    table = load("ham10000", root / "ham10000")
    assert len(table) == (67 if test else 60)
    assert set(table.split("test").cases["site"]) == ({"isic2018_test"} if test else {"rosendahl"})
    assert leaks(table.cases) == []
    assert table.cases["age"].null_count() >= 1
    assert table.image(len(table) - 1).size == (10, 12)


def test_ham10000_malignancy_is_cut_as_ham10000_alone(tmp_path: Path, picture: Picture) -> None:
    alone = load("ham10000", ham(tmp_path / "a", picture, False))
    table = load("ham10000_malignancy", ham(tmp_path / "b", picture, True))
    assert table.classes == ("benign", "malignant")
    for column in ("id", "split", "patient", "site"):
        assert table.cases[column].to_list() == alone.cases[column].to_list()
    assert table.cases["dx"].to_list() == [label.lower() for label in alone.cases["label"]]
    sick = [label in ("MEL", "BCC", "AKIEC") for label in alone.cases["label"]]
    assert [label == "malignant" for label in table.cases["label"]] == sick


@pytest.mark.parametrize("split", [False, True])
def test_folder(tmp_path: Path, picture: Picture, split: bool) -> None:
    for part in ("Train", "TEST") if split else (".",):
        for label in ("a", "b"):
            for i in range(40):
                picture(tmp_path / part / label / f"{i}.png", i)
            (tmp_path / part / label / ".hidden.png").write_text("")
            (tmp_path / part / label / "Thumbs.db").write_text("")
    table = load("folder", tmp_path)
    assert table.classes == ("a", "b")
    assert len(table) == (160 if split else 80)
    assert set(table.cases["split"]) == {"train", "val", "cal", "test"}
    if split:
        assert all(path.startswith("TEST") for path in table.split("test").cases["path"])


def test_a_folder_of_test_images_alone(tmp_path: Path, picture: Picture) -> None:
    for label in ("a", "b"):
        picture(tmp_path / "test" / label / "0.png", 0)
    assert set(load("folder", tmp_path).cases["split"]) == {"test"}


@pytest.mark.parametrize("name", ["brain_tumor_mri", "chest_xray", "ham10000", "folder"])
def test_a_folder_of_another_layout_is_one_sentence(name: str, tmp_path: Path) -> None:
    for root in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(InputError, match="expected") as caught:
            load(name, root)
        assert "\n" not in str(caught.value)


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'chest_xray'"):
        load("chest-xray", Path())
    with pytest.raises(InputError, match="give root="):
        load("ham10000")


def test_missing_images_are_counted(tmp_path: Path, picture: Picture) -> None:
    root = ham(tmp_path, picture, False)
    (root / "ham10000" / "images" / "ISIC_0000007.jpg").unlink()
    with pytest.raises(InputError, match="1 are missing, ISIC_0000007"):
        load("ham10000", root / "ham10000")
