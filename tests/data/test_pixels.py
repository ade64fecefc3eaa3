"""How pixels are stored, and one range of grey values for all images of a data set."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from primum.cli.terminal.data import show_check
from primum.data import checking, copies, pixels
from primum.data.images import CorruptImageError, ImageTable
from tests.data.imaging.test_decoded import colour16, png, tiff
from tests.data.test_duplicates import painting

TRAIN = np.arange(3)


def images(folder: Path, paths: list[str], **columns: Any) -> ImageTable:
    n = len(paths)
    cases = pl.DataFrame(
        {
            "id": [f"case-{at}" for at in range(n)], "label": (["a", "b"] * n)[:n], "patient": paths,
            "site": None, "split": "train", "path": [path.partition(";")[0] for path in paths],
        }
        | columns,
        schema_overrides={"site": pl.String},
    )  # fmt: skip
    return ImageTable("made", ("a", "b"), cases, folder)


@pytest.fixture
def mixed(tmp_path: Path) -> ImageTable:
    """Three images of 12 bits in 16, one of them in test with a value beyond, and others."""
    for at, high in enumerate((2000, 4000, 3000, 9000)):
        png(tmp_path / f"{at}.png", [[at * 10, high]])
    png(tmp_path / "stated.png", [[0, 9]], bits=12)
    Image.fromarray(np.zeros((1, 2), dtype=np.uint8)).save(tmp_path / "plain.jpg")
    paths = [*(f"{at}.png" for at in range(4)), "stated.png", "plain.jpg"]
    return images(tmp_path, paths, split=["train"] * 3 + ["test"] * 3)


def test_one_range_for_all_images_that_state_none(mixed: ImageTable) -> None:
    seen = pixels.measure(mixed)
    assert seen["kind"].to_list() == ["16-bit PNG"] * 4 + ["12-bit PNG", "8-bit"]
    assert pixels.ranges(seen, TRAIN) == ((0.0, 4000.0),)
    assert pixels.ranges(seen, np.array([5])) is None
    assert pixels.ranges(seen, np.array([4, 5])) == ((0.0, 4095.0),)  # none is silent: what they state
    content = pixels.summary(seen, pixels.trained_on(mixed))
    assert content["kinds"] == {"12-bit PNG": 1, "16-bit PNG": 4, "8-bit": 1}
    assert content["no_stated_range"] == {"16-bit PNG": 4}
    assert content["stated"] == [{"range": [0.0, 4095.0], "images": 1}]
    assert (content["ranges"], content["clipped"]) == ([[0.0, 4000.0]], 1)
    told = (
        "no stated range: 4 images, read in that of the training images, 0 to 4000; images with values beyond"
    )
    assert content["said"][-1].startswith(told)
    assert content["said"][-1].endswith("clipped: 1")
    unfit = pixels.unfit(seen, ((0.0, 4000.0),))
    assert (unfit.clipped, unfit.unknown) == ({3}, set())
    assert pixels.unfit(seen, None).unknown == {0, 1, 2, 3}
    assert json.loads(json.dumps(content)) == content


def test_one_damaged_image_in_a_hundred_does_not_darken_the_others() -> None:
    low, high = np.zeros(200), np.full(200, 4095.0)
    low[3], high[5] = -30_000, 65_535
    seen = pl.DataFrame({"row": np.arange(200), "low": low, "high": high})
    seen = seen.with_columns(channel=pl.lit(0), stated_low=pl.lit(None, pl.Float64), stated_high=None)
    assert pixels.ranges(seen, np.arange(200)) == ((0.0, 4095.0),)
    assert pixels.ranges(seen, np.arange(100)) == ((-30_000.0, 65_535.0),)  # of few, all count


def test_each_channel_has_a_range_of_its_own(tmp_path: Path) -> None:
    for at in range(2):
        png(tmp_path / f"{at}-bright.png", [[0, 20_000 + at]])
        png(tmp_path / f"{at}-dim.png", [[100, 300]])
    cells = [f"{at}-bright.png;{at}-dim.png" for at in range(2)]
    table = images(tmp_path, cells, channels=cells)
    found = pixels.ranges(pixels.measure(table), np.arange(2))
    assert found == ((0.0, 20_001.0), (100.0, 300.0))
    planes = [np.asarray(plane).ravel().tolist() for plane in table.planes(1, found)]
    assert planes == [[0, 255], [0, 255]]


def test_it_is_computed_once(mixed: ImageTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = pixels.cached(mixed, tmp_path / "kept")
    monkeypatch.setattr(pixels, "measure", lambda *args, **kwargs: pytest.fail("measured again"))
    assert pixels.cached(mixed, tmp_path / "kept").equals(first)
    monkeypatch.undo()
    plain = mixed.take(np.array([5]))
    pixels.cached(plain, tmp_path / "other")
    assert not (tmp_path / "other").exists()  # 8 bits need no file


def test_a_check_says_what_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    rng = np.random.default_rng(0)
    for at in range(4):
        png(tmp_path / f"{at}.png", rng.integers(0, 4096, (40, 40)))
    tiff(tmp_path / "good.tif", rng.normal(0, 500, (40, 40)))
    tiff(tmp_path / "nan.tif", np.array([[0.0, np.nan]]))
    colour16(tmp_path / "colour.png", rng.integers(0, 65_536, (40, 40, 3)))
    names = [*(f"{at}.png" for at in range(4)), "good.tif", "nan.tif", "colour.png"]
    monkeypatch.setattr("primum.data.sets.load", lambda name, root, seed: images(tmp_path, names))
    content = checking.check("folder", tmp_path).content
    assert content["pixels"]["kinds"] == {"16-bit PNG": 4, "16-bit colour PNG": 1, "float TIFF": 1}
    assert [entry["path"] for entry in content["unreadable"]] == ["nan.tif"]
    assert "nan.tif, it holds NaN or infinite values" in content["unreadable"][0]["why"]
    show_check(content)
    told = " ".join(capsys.readouterr().out.split())
    assert "pixels: 16-bit PNG 4, 16-bit colour PNG 1, float TIFF 1" in told
    assert "no stated range: 5 images of 2 kinds, whose units may differ" in told
    assert "low contrast" not in told


def test_images_that_come_out_nearly_flat_are_said(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for at in range(3):
        values = rng.integers(0, 1000, (40, 40))
        values[0, 0] = 65_535  # a mark burned in
        png(tmp_path / f"{at}.png", values)
    content = pixels.summary(pixels.measure(images(tmp_path, ["0.png", "1.png", "2.png"])), TRAIN)
    assert content["levels"] == pytest.approx(0.98 * 1000 / 65_535 * 255, abs=0.2)
    assert "low contrast: half of the images" in content["said"][-1]


def test_an_image_with_nan_is_named_in_one_sentence(tmp_path: Path, refused) -> None:
    tiff(tmp_path / "a.tif", [[0.0, np.nan]])
    table = images(tmp_path, ["a.tif"])
    for look in (table.image, table.planes):
        refused(lambda look=look: look(0), "made", "at a.tif", "NaN or infinite", "--skip-corrupt")
        with pytest.raises(CorruptImageError):
            look(0)


def test_near_copies_of_dark_deep_images_are_known(tmp_path: Path) -> None:
    picture = np.asarray(painting(1).convert("L"), dtype=np.float64)
    Image.fromarray(picture.astype(np.uint8)).save(tmp_path / "export.png")
    png(tmp_path / "deep.png", picture * 2)  # 9 bits of 16: two grey levels of the whole range
    png(tmp_path / "stated.png", np.asarray(picture * 0.02 * 257).astype(int), bits=16)
    other = np.asarray(painting(2).convert("L"), dtype=np.float64)
    png(tmp_path / "other.png", other * 2)
    table = images(tmp_path, ["export.png", "deep.png", "stated.png", "other.png"])
    group = copies.find(table).group
    assert group[0] == group[1] == group[2] >= 0
    assert group[3] == -1


def test_a_mask_of_sixteen_bits_is_cut_at_half_of_its_highest_value(tmp_path: Path) -> None:
    png(tmp_path / "a.png", [[0, 500, 900]])
    for high in (1, 255, 65_535):
        png(tmp_path / f"m{high}.png", [[0, high, high]])
        table = images(tmp_path, ["a.png"], mask=[f"m{high}.png"])
        assert np.asarray(table.mask(0)).ravel().tolist() == [0, 255, 255]
    png(tmp_path / "full.png", [[65_535] * 3])
    assert np.asarray(images(tmp_path, ["a.png"], mask=["full.png"]).mask(0)).min() == 255
    png(tmp_path / "none.png", [[0] * 3])
    assert np.asarray(images(tmp_path, ["a.png"], mask=["none.png"]).mask(0)).max() == 0


def test_made_images_have_eight_bits(phantom: ImageTable) -> None:
    seen = pixels.measure(dataclasses.replace(phantom.take(np.arange(5))))
    assert pixels.summary(seen, np.arange(5))["kinds"] == {"8-bit": 5}
    assert pixels.ranges(seen, np.arange(5)) is None
