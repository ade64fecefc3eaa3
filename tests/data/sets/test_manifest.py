"""A CSV that names every image: what it gives, and what it is refused for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from primum.data.images import CorruptImageError, ImageTable
from primum.data.sets import load
from primum.data.split import leaks

Rows = list[dict[str, object]]


@pytest.fixture
def write(tmp_path: Path, draw) -> Callable[..., Path]:
    """A manifest of these rows; files that a path names are drawn unless told otherwise."""

    def of(rows: Rows, drawn: bool = True, separator: str = ",") -> Path:
        if drawn:
            draw(tmp_path, [str(row["path"]) for row in rows])
        pl.DataFrame(rows).write_csv(tmp_path / "list.csv", separator=separator)
        return tmp_path / "list.csv"

    return of


def rows(count: int = 60, **columns: Callable[[int], object]) -> Rows:
    return [
        {"path": f"images/{row:03d}.png", "label": "sick" if row % 3 else "well"}
        | {name: value(row) for name, value in columns.items()}
        for row in range(count)
    ]


def test_path_and_label_are_enough(write) -> None:
    table = load("manifest", write(rows()), seed=0)
    assert table.name == "manifest"
    assert table.classes == ("sick", "well")
    assert table.cases["id"].to_list() == table.cases["path"].to_list()
    assert table.cases["patient"].n_unique() == 60
    assert set(table.cases["split"]) == {"train", "val", "cal", "test"}
    assert table.channels == 3
    assert table.image(0).size == (6, 6)


def test_known_columns_are_text_and_others_metadata(write) -> None:
    listed = rows(
        id=lambda row: f"{row:03d}", patient=lambda row: f"{row // 2:02d}", site=lambda row: row % 2,
        age=lambda row: 40 + row, marked=lambda row: row % 2 == 0, note=lambda row: " plain " if row else "",
    )  # fmt: skip
    cases = load("manifest", write(listed), seed=0).cases
    assert cases.columns == [
        "id", "label", "patient", "site", "split", "path", "age", "marked", "note",
    ]  # fmt: skip
    assert cases["id"][7] == "007"
    assert cases["patient"][7] == "03"
    assert cases["site"][1] == "1"
    assert cases.schema["age"] == pl.Int64
    assert cases.schema["marked"] == pl.Boolean
    assert cases["note"][:2].to_list() == [None, "plain"]


def test_patients_are_kept_together_and_the_seed_decides(write) -> None:
    file = write(rows(120, patient=lambda row: row // 4))
    first = load("manifest", file, seed=0).cases
    assert leaks(first) == []
    assert first.equals(load("manifest", file, seed=0).cases)
    assert not first.equals(load("manifest", file, seed=1).cases)


def test_an_empty_patient_is_one_of_its_own(write) -> None:
    cases = load("manifest", write(rows(60, patient=lambda row: "p" if row < 2 else "")), seed=0).cases
    assert cases["patient"].n_unique() == 59
    assert cases["patient"][2] == cases["id"][2]


def test_given_splits_stay_and_what_is_missing_comes_from_train(write) -> None:
    file = write(rows(80, split=lambda row: "Test" if row < 20 else "training"))
    split = load("manifest", file).cases["split"].to_list()
    assert set(split[:20]) == {"test"}
    assert set(split[20:]) == {"train", "val", "cal"}


def test_a_table_of_one_split_alone_stays(write) -> None:
    assert set(load("manifest", write(rows(6, split=lambda row: "test"))).cases["split"]) == {"test"}


def test_an_empty_label_is_unknown(write) -> None:
    table = load("manifest", write([*rows(60), {"path": "images/x.png", "label": ""}]))
    assert table.label_index[-1] == -1
    assert table.classes == ("sick", "well")


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators(write, separator: str) -> None:
    assert len(load("manifest", write(rows(30), separator=separator))) == 30


def test_blanks_and_a_mark_at_the_start_do_no_harm(tmp_path: Path, draw) -> None:
    draw(tmp_path, [f"{row}.png" for row in range(20)])
    lines = [f" {row}.png , {'ab'[row % 2]} " for row in range(20)]
    (tmp_path / "list.csv").write_text("path, label\n" + "\n".join(lines), encoding="utf-8-sig")
    table = load("manifest", tmp_path / "list.csv")
    assert table.classes == ("a", "b")
    assert table.cases["path"][0] == "0.png"


def test_tables_of_another_form_are_refused(tmp_path: Path, write, refused) -> None:
    def said(listed: Rows, *texts: str, drawn: bool = True) -> None:
        file = write(listed, drawn)
        refused(lambda: load("manifest", file), "list.csv", *texts)

    said([{"path": "a.png", "lable": "x"}], "label is missing", "did you mean 'lable'?")
    said([{"file": "a.png", "label": "x"}], "path is missing", "file, label", drawn=False)
    said(
        rows(20, id=lambda row: "twice" if row in (3, 9) else row),
        "an id",
        "row 10 that of row 4",
    )
    said(rows(20) + rows(1), "a path of its own", "row 21 that of row 1")
    said(rows(20, id=lambda row: row or ""), "row 1 has none")
    said(rows(20, split=lambda row: "tset" if row else "train"), "'tset'", "did you mean 'test'?")
    said(rows(20, split=lambda row: "test" if row else ""), "1 of 20 are empty")
    said(rows(20, logit_a=lambda row: row), "logit_a", "rename it")
    said([row | {"label": "sick"} for row in rows(20)], "two classes", "'sick' arrived")
    said([row | {"label": ""} for row in rows(20)], "two classes", "none arrived")
    few = write(rows(6))
    refused(lambda: load("manifest", few), "at least 20", "6 arrived", "column split")
    said([*rows(20), {"path": "", "label": "sick"}], "an empty path arrived in row 21", drawn=False)
    (tmp_path / "list.csv").write_text("path,label\n")
    refused(lambda: load("manifest", tmp_path / "list.csv"), "header only")
    (tmp_path / "list.csv").write_text("path,label,label\na,b,c\n")
    refused(lambda: load("manifest", tmp_path / "list.csv"), "'label' stands more than once")
    (tmp_path / "list.csv").write_bytes("path,label\nä,b\n".encode("utf-16"))
    refused(lambda: load("manifest", tmp_path / "list.csv"), "list.csv")
    refused(lambda: load("manifest", tmp_path), "this is a folder")
    refused(lambda: load("manifest", tmp_path / "none.csv"), "no such file")
    refused(lambda: load("manifest"), "manifest")


def test_missing_files_are_counted(tmp_path: Path, write, refused) -> None:
    file = write(rows(30))
    for name in ("004", "007"):
        (tmp_path / "images" / f"{name}.png").unlink()
    refused(lambda: load("manifest", file), "30 image files", "2 are missing", "images/004.png")
    write([{"path": "images\\000.png", "label": "sick"}], drawn=False)
    refused(lambda: load("manifest", file), "write / between folders")


@pytest.mark.parametrize("path", ["../x.png", "/etc/x.png", "images/../../x.png", "C:/x.png", "images/.."])
def test_paths_out_of_the_folder_are_refused(tmp_path: Path, write, refused, path: str) -> None:
    (tmp_path.parent / "x.png").write_bytes(b"outside")
    file = write([*rows(3), {"path": path, "label": "sick"}], drawn=False)
    refused(lambda: load("manifest", file), "stay inside the folder", path, "row 4")


def test_detours_inside_the_folder_are_one_file(tmp_path: Path, write, refused) -> None:
    listed = rows(20)
    listed[3]["path"] = "./images/../images/000.png"
    file = write(rows(20))
    pl.DataFrame(listed).write_csv(file)
    refused(lambda: load("manifest", file), "row 4 that of row 1")


def test_a_patient_in_two_splits_is_refused_without_the_name(write, refused) -> None:
    file = write(
        rows(40, patient=lambda row: f"Doe-{row // 2}", split=lambda row: ("train", "test")[row % 2])
    )
    refused(lambda: load("manifest", file), "20 of 20 lie in several", "cut by patient")
    with pytest.raises(ValueError, match="patient") as caught:
        load("manifest", file)
    assert "Doe" not in str(caught.value)


def planes(root: Path, count: int, channels: int, mode: str = "L") -> Rows:
    """Rows of images with several files; channel c of image i is the grey value 10 i + c."""
    listed: Rows = []
    for row in range(count):
        names = [f"{row:02d}-{channel}.png" for channel in range(channels)]
        for channel, name in enumerate(names):
            Image.new("L", (8, 6), 2 * row + channel).convert(mode).save(root / name)
        listed.append({"channels": "; ".join(names), "label": "ab"[row % 2]})
    return listed


def stored(table: ImageTable, row: int) -> list[int]:
    return [int(np.asarray(plane)[0, 0]) for plane in table.planes(row)]


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_channels_are_files_in_order(tmp_path: Path, write, channels: int) -> None:
    table = load("manifest", write(planes(tmp_path, 20, channels), drawn=False))
    assert table.channels == channels
    assert stored(table, 7) == [14 + channel for channel in range(channels)]
    assert all(plane.mode == "L" and plane.size == (8, 6) for plane in table.planes(7))
    assert table.cases["path"][7] == "07-0.png"
    assert table.cases["channels"][7] == ";".join(f"07-{channel}.png" for channel in range(channels))
    assert table.image(7).mode == "RGB"
    assert table.take(np.array([7])).channels == channels


def test_grey_saved_as_colour_is_still_grey(tmp_path: Path, write) -> None:
    table = load("manifest", write(planes(tmp_path, 20, 4, "RGB"), drawn=False))
    assert stored(table, 3) == [6, 7, 8, 9]


def test_channels_of_another_form_are_refused(tmp_path: Path, write, refused) -> None:
    good = planes(tmp_path, 20, 4)

    def said(changed: Rows, *texts: str) -> None:
        file = write(changed, drawn=False)
        refused(lambda: load("manifest", file), "list.csv", *texts)

    said([*good[:4], good[4] | {"channels": "04-0.png;04-1.png"}, *good[5:]], "row 1 has 4, row 5 has 2")
    said([good[0] | {"channels": "00-0.png;;00-1.png;00-2.png"}, *good[1:]], "empty channels", "row 1")
    said([row | {"path": "00-0.png"} for row in good], "row 2", "first channel")
    said([good[0] | {"channels": "gone.png;00-1.png;00-2.png;00-3.png"}, *good[1:]], "1 are missing")
    first = [row | {"path": f"{number:02d}-0.png"} for number, row in enumerate(good)]
    assert load("manifest", write(first, drawn=False)).channels == 4


def test_channels_that_do_not_belong_together_are_named(tmp_path: Path, write, refused) -> None:
    table = load("manifest", write(planes(tmp_path, 20, 4), drawn=False))
    Image.new("L", (9, 6)).save(tmp_path / "03-2.png")
    refused(lambda: table.planes(3), "03-2.png", "another size", "--skip-corrupt")
    Image.new("RGB", (8, 6), (1, 2, 3)).save(tmp_path / "04-1.png")
    refused(lambda: table.planes(4), "04-1.png", "coloured")
    with pytest.raises(CorruptImageError):
        table.planes(4)


def test_the_fingerprint_reads_every_channel(tmp_path: Path, write) -> None:
    table = load("manifest", write(planes(tmp_path, 20, 4), drawn=False))
    mark = table.fingerprint()
    Image.effect_noise((8, 6), 40).save(tmp_path / "03-2.png")
    assert table.fingerprint() != mark
