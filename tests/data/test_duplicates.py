"""The same picture is found again whatever was done to the file; other pictures are not."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from primum.data import duplicates
from primum.data.copies import find
from primum.data.images import ImageTable

Real = Callable[[str], ImageTable]


def painting(seed: int) -> Image.Image:
    """A picture of soft blobs, as unlike any other as a photograph is."""
    noise = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((160, 120), Image.Resampling.BICUBIC)


def jpeg(picture: Image.Image) -> Image.Image:
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=40)
    return Image.open(written)


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "jpeg": jpeg,
    "smaller": lambda picture: picture.resize((90, 70)),
    "contrast": lambda picture: ImageEnhance.Contrast(picture).enhance(0.5),
    "brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.2),
    "sharpened": lambda picture: picture.filter(ImageFilter.UnsharpMask(2, 100, 0)),
    "grey": lambda picture: picture.convert("L"),
}


def pairs_of(*pictures: Image.Image) -> list[tuple[int, int]]:
    bits, thumbs = zip(*(duplicates.mark(picture) for picture in pictures), strict=True)
    return [(int(a), int(b)) for a, b in duplicates.near(np.stack(bits), np.stack(thumbs))]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_copy_is_found_among_others(change: Callable[[Image.Image], Image.Image]) -> None:
    pictures = [painting(seed) for seed in range(8)]
    assert pairs_of(*pictures) == []
    assert pairs_of(*pictures, change(pictures[3])) == [(3, 8)]


def test_a_moved_object_on_the_same_ground_is_another_picture() -> None:
    """As two slices of one head: the outline agrees, what lies inside does not."""
    pictures = []
    for seed in (1, 2):
        head = Image.new("RGB", (160, 120))
        head.paste(painting(seed).resize((80, 60)), (40, 30))
        pictures.append(head)
    assert pairs_of(*pictures) == []


def test_flat_pictures_are_left_to_their_bytes() -> None:
    assert pairs_of(*(Image.new("RGB", (50, 50), (grey, grey, grey)) for grey in (0, 0, 255))) == []


def test_pairs_are_those_of_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    base = np.stack([duplicates.mark(painting(seed))[1] for seed in range(20)])
    noise = rng.normal(0, np.linspace(1, 30, 20)[:, None, None], base.shape)
    thumbs = np.concatenate([base, np.clip(base + noise, 0, 255).astype(np.uint8)])
    bits = np.stack([duplicates.mark(Image.fromarray(thumb))[0] for thumb in thumbs])
    expected = set()
    for a in range(len(thumbs)):
        for b in range(a + 1, len(thumbs)):
            if (bits[a] != bits[b]).sum() > duplicates.FAR:
                continue
            weights, values = [], []
            for y in range(0, 64, 8):
                for x in range(0, 64, 8):
                    left, right = (thumbs[k, y : y + 8, x : x + 8].astype(float) for k in (a, b))
                    left, right = left - left.mean(), right - right.mean()
                    contrast = np.sqrt((left**2).sum() * (right**2).sum())
                    weights.append(np.sqrt(contrast))
                    values.append((left * right).sum() / (contrast + 64 * duplicates.NOISE))
            alike = np.average(values, weights=weights) >= duplicates.ALIKE
            pearson = np.corrcoef(thumbs[a].ravel(), thumbs[b].ravel())[0, 1]
            if alike or pearson >= duplicates.SAME:
                expected.add((a, b))
    assert 3 < len(expected) < 18
    assert {tuple(pair) for pair in duplicates.near(bits, thumbs).tolist()} == expected


def test_groups_are_what_pairs_connect() -> None:
    found = duplicates.groups(7, [np.array([[5, 2], [2, 6]]), np.array([[1, 4], [3, 3]])])
    assert found.tolist() == [-1, 0, 1, -1, 0, 1, 1]
    assert duplicates.groups(2, []).tolist() == [-1, -1]


def across(table: ImageTable, group: np.ndarray) -> tuple[int, int, int]:
    """Groups, groups in test and outside, and test images with a copy outside."""
    test = (table.cases["split"] == "test").to_numpy()
    both = np.intersect1d(group[test & (group >= 0)], group[~test & (group >= 0)])
    return int(group.max()) + 1, len(both), int((test & np.isin(group, both)).sum())


def of_class(table: ImageTable, label: str) -> ImageTable:
    return table.take((table.cases["label"] == label).to_numpy())


def test_real_brain_slices_have_the_twins_of_the_results_page(real: Real) -> None:
    """Only the class that holds most of them, for speed; byte copies are those that the loader marks."""
    table = of_class(real("brain_tumor_mri"), "notumor")
    found = find(table)
    assert across(table, found.group) == (381, 238, 392)
    marked = table.cases["twin_in_train"].to_numpy()
    assert 0 < marked.sum() < 392
    assert (found.group[marked] >= 0).all()


def test_real_chest_x_rays_have_byte_copies_inside_splits_only(real: Real) -> None:
    table = of_class(real("chest_xray"), "NORMAL")
    found = find(table)
    assert across(table, found.group) == (4, 0, 0)
    assert (found.group >= 0).sum() == 8
    assert len(np.unique(found.content)) == len(table) - 4
