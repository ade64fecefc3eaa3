"""Lesion masks beside images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from primum.data.images import CorruptImageError, ImageTable
from primum.data.sets import load
from primum.model.images import Transform


def table(root: Path, masks: list[str | None]) -> ImageTable:
    n = len(masks)
    rng = np.random.default_rng(0)
    for at in range(n):
        Image.fromarray(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)).save(root / f"{at}.png")
    cases = pl.DataFrame(
        {
            "id": [f"c{at}" for at in range(n)], "label": ["a"] * n, "patient": ["p"] * n, "site": ["s"] * n,
            "split": ["test"] * n, "path": [f"{at}.png" for at in range(n)], "mask": masks,
        },
        schema_overrides={"mask": pl.String},
    )  # fmt: skip
    return ImageTable("made", ("a", "b"), cases, root)


def test_a_mask_is_cut_at_its_middle_grey(tmp_path: Path) -> None:
    grey = np.tile(np.arange(30, dtype=np.uint8) * 8, (20, 1))
    Image.fromarray(grey).save(tmp_path / "m.png")
    images = table(tmp_path, ["m.png", None])
    found = images.mask(0)
    assert found is not None
    np.testing.assert_array_equal(np.asarray(found), np.where(grey >= 128, 255, 0))
    assert images.mask(1) is None


def test_a_mask_of_another_size_and_a_broken_one_are_refused(
    tmp_path: Path, refused: Callable[..., None]
) -> None:
    Image.new("L", (15, 10)).save(tmp_path / "small.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    images = table(tmp_path, ["small.png", "broken.png", "gone.png"])
    refused(lambda: images.mask(0), "small.png", "30×20 pixels of its image", "15×10")
    for row, name in ((1, "broken.png"), (2, "gone.png")):
        with pytest.raises(CorruptImageError, match=name):
            images.mask(row)


def test_a_mask_goes_the_way_of_its_image() -> None:
    """The share of the frame and the place of a lesion stay; both are squeezed alike."""
    lesion = np.zeros((60, 90), dtype=np.uint8)
    lesion[30:60, 60:90] = 255
    drawn = Image.fromarray(np.repeat(lesion[:, :, None], 3, axis=2))
    for squash in (None, 40):
        way = Transform(48, (0.5,) * 3, (0.5,) * 3, squash=squash)
        inside = way.inside(Image.fromarray(lesion))
        assert inside.shape == (48, 48)
        assert inside.dtype == np.float32
        assert 0 <= inside.min() < inside.max() <= 1
        assert inside.mean() == pytest.approx(1 / 6, abs=0.005)
        np.testing.assert_allclose(inside, way.pixels(drawn)[:, :, 0] / 255, atol=0.15)
        assert ((inside > 0.5) == (way.pixels(drawn)[:, :, 0] > 127)).mean() > 0.99


def test_ham10000_names_the_masks_that_are_there(shared_data: Callable[[str], Path]) -> None:
    images = load("ham10000", shared_data("ham10000"))
    if "mask" not in images.cases.columns:
        pytest.skip("the masks of HAM10000 are not here")
    own = images.cases.filter(pl.col("official_split") == "train")
    assert own["mask"].null_count() == 0
    assert images.cases.filter(pl.col("official_split") == "test")["mask"].null_count() == len(images) - len(
        own
    )
    row = int(np.flatnonzero((images.cases["id"] == "ISIC_0024306").to_numpy())[0])
    assert images.cases["mask"][row] == "ham10000/masks/ISIC_0024306_segmentation.png"
    mask = images.mask(row)
    assert mask is not None
    assert mask.size == images.image(row).size
    assert set(np.unique(np.asarray(mask))) == {0, 255}


def test_ham10000_without_masks_has_no_such_column(tmp_path: Path) -> None:
    folder = tmp_path / "ham10000"
    (folder / "images").mkdir(parents=True)
    rows = ["lesion_id,image_id,dx,dx_type,age,sex,localization,dataset"]
    for at in range(60):
        dx = ("mel", "nv", "bcc", "akiec", "bkl", "df", "vasc")[at % 7]
        rows.append(f"H{at},I{at},{dx},histo,50,male,back,rosendahl")
        Image.new("RGB", (4, 4)).save(folder / "images" / f"I{at}.jpg")
    (folder / "HAM10000_metadata.csv").write_text("\n".join(rows))
    assert "mask" not in load("ham10000", tmp_path).cases.columns
    (folder / "masks").mkdir()
    Image.new("L", (4, 4)).save(folder / "masks" / "I5_segmentation.png")
    found = load("ham10000", tmp_path).cases
    assert found.drop_nulls("mask").select("id", "mask").rows() == [
        ("I5", "ham10000/masks/I5_segmentation.png")
    ]
