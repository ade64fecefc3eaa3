"""Write the tables of ``results/near-duplicates.md`` from the real data sets.

python results/near_duplicates.py DATA > results/near-duplicates.md
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from primum.data import copies, duplicates, sets
from primum.data.copies import Copies, Marks
from primum.data.images import ImageTable

FARS = (0, 4, 8, 12, 16, 20, 24, 32, 40)
ALIKES = (0.90, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96, 0.97)
SAMPLE = 500
Change = Callable[[Image.Image], Image.Image]


HEAD = """# Near duplicates: which pairs are the same picture

`python results/near_duplicates.py DATA > results/near-duplicates.md`, 2 CPU cores; nothing here is random
but the 500 images drawn for the last table (seed 0).

Two limits decide (`src/primum/data/duplicates.py`): a pair is looked at when its 16 × 16 difference
hashes differ in at most 24 of 256 bits, and it counts when its 64 × 64 thumbnails agree block by block (≥
0.95) or correlate (≥ 0.99). How they were chosen:

- Hash distance alone does not separate. On brain MRI a sharpened or brightened copy lies up to 40 bits
  away, and neighbouring slices of one head begin near 12; on chest X-rays, films of different children
  begin at 12, with different labels at 16. Equal hashes alone find 259 test images with a twin in train,
  about half of what is there.
- With the second look, the count hardly depends on the bits any more (brain: 500 to 508 test images with
  a twin from 16 to 40 bits). Pairs were looked at in bands of agreement: from 0.95 upwards every pair
  drawn was one picture (other contrast, sharpening, stretching); the first neighbouring slices came at
  0.93, the first different lesions under one vignette at 0.94.
- HAM10000 knows its lesions, so it can check: of 51 pairs found, 49 are of one lesion; the other two are
  plainly one picture under two lesion numbers. Below 0.94, most pairs are of different lesions.
- No group found holds two labels, in any set.

In the tables, `any` looks at the bits alone; `groups across` stand in test and outside it (official
splits; brain val and cal count as train); a row with an agreement also takes pairs that correlate by
0.99. What is not found: mirrored copies, and crops but for those of smooth images.
"""


def row(table: ImageTable, found: Copies) -> str:
    """Groups, images, groups across the official test split, test images with a twin, mixed labels."""
    test = (table.cases["split"] == "test").to_numpy()
    inside = [np.flatnonzero(found.group == group) for group in range(found.group.max() + 1)]
    across = [rows for rows in inside if 0 < test[rows].sum() < len(rows)]
    mixed = sum(len(set(table.label_index[rows])) > 1 for rows in inside)
    twins = sum(int(test[rows].sum()) for rows in across)
    return f"{len(inside)} | {sum(map(len, inside))} | {len(across)} | {twins} | {mixed}"


def limits(name: str, table: ImageTable, seen: Marks) -> None:
    """Groups for every limit on the bits, without and with the second look, and for every second look."""
    print(f"\n## {name}, {len(table)} images\n")
    print("| bits | agreement | groups | images | groups across | test images with a twin | mixed labels |")
    print("|---|---|---|---|---|---|---|")
    for far in FARS:
        for alike in (-1.0, duplicates.ALIKE):
            look = "any" if alike < 0 else f"≥ {alike}"
            print(f"| ≤ {far} | {look} | {row(table, copies.joined(seen, far, alike))} |")
    for alike in ALIKES:
        found = copies.joined(seen, alike=alike)
        print(f"| ≤ {duplicates.FAR} | ≥ {alike} | {row(table, found)} |")


def lesions(table: ImageTable, seen: Marks) -> None:
    """Pairs per band of agreement, and how many of them are of one lesion."""
    print("\n| agreement | pairs of other bytes | of one lesion |\n|---|---|---|")
    pairs = duplicates.near(seen.bits, seen.thumbs, alike=ALIKES[0])
    pairs = pairs[seen.digests[pairs[:, 0]] != seen.digests[pairs[:, 1]]]
    value = duplicates.agree(seen.thumbs[pairs[:, 0]], seen.thumbs[pairs[:, 1]])
    correlated = duplicates.correlate(seen.thumbs[pairs[:, 0]], seen.thumbs[pairs[:, 1]]) >= duplicates.SAME
    lesion = table.cases["patient"].to_numpy()
    same = lesion[pairs[:, 0]] == lesion[pairs[:, 1]]
    for low in reversed(ALIKES):
        band = (value >= low) & ((value < low + 0.01) | (low == ALIKES[-1])) & ~correlated
        print(f"| {low:.2f} and more | {band.sum()} | {same[band].sum()} |")
    print(f"| any, correlation {duplicates.SAME} and more | {correlated.sum()} | {same[correlated].sum()} |")


def jpeg(quality: int) -> Change:
    """Write as JPEG and read back."""

    def change(picture: Image.Image) -> Image.Image:
        written = io.BytesIO()
        picture.save(written, "JPEG", quality=quality)
        return Image.open(written)

    return change


def crop(share: float) -> Change:
    """Cut ``share`` of the width off each side, and of the height."""

    def change(picture: Image.Image) -> Image.Image:
        wide, high = picture.size
        x, y = round(wide * share), round(high * share)
        return picture.crop((x, y, wide - x, high - y))

    return change


CHANGES: dict[str, Change] = {
    "JPEG, quality 50": jpeg(50),
    "JPEG, quality 10": jpeg(10),
    "half the size": lambda picture: picture.resize((picture.width // 2, picture.height // 2)),
    "squashed to 224 × 160": lambda picture: picture.resize((224, 160)),
    "contrast × 0.5": lambda picture: ImageEnhance.Contrast(picture).enhance(0.5),
    "contrast × 1.5": lambda picture: ImageEnhance.Contrast(picture).enhance(1.5),
    "histogram equalised": ImageOps.equalize,
    "sharpened": lambda picture: picture.filter(ImageFilter.UnsharpMask(2, 200, 0)),
    "blurred, radius 2": lambda picture: picture.filter(ImageFilter.GaussianBlur(2)),
    "cropped by 1 % a side": crop(0.01),
    "cropped by 2 % a side": crop(0.02),
    "cropped by 5 % a side": crop(0.05),
    "mirrored": ImageOps.mirror,
}


def altered(tables: dict[str, ImageTable]) -> None:
    """Share of images found again after a change that leaves the picture what it is."""
    print(f"\n## Altered copies, {SAMPLE} images of each set\n")
    print(f"| change | {' | '.join(tables)} |\n|---|{'---|' * len(tables)}")
    rows = {
        name: np.random.default_rng(0).choice(len(table), SAMPLE, replace=False)
        for name, table in tables.items()
    }
    for what, change in CHANGES.items():
        shares = [f"{again(tables[name], rows[name], change):.0%}" for name in tables]
        print(f"| {what} | {' | '.join(shares)} |")


def again(table: ImageTable, rows: NDArray[np.int64], change: Change) -> float:
    """Share of the images at ``rows`` that are found to be their own changed copy."""
    marks = [duplicates.mark(table.image(int(at))) for at in rows]
    changed = [duplicates.mark(change(table.image(int(at)))) for at in rows]
    far = np.array([(mark[0] != other[0]).sum() for mark, other in zip(marks, changed, strict=True)])
    thumbs = np.stack([mark[1] for mark in marks]), np.stack([mark[1] for mark in changed])
    same = (duplicates.agree(*thumbs) >= duplicates.ALIKE) | (
        duplicates.correlate(*thumbs) >= duplicates.SAME
    )
    return float(((far <= duplicates.FAR) & same).mean())


def main() -> None:
    """The whole page."""
    print(HEAD, end="")
    tables = {}
    for name in ("brain_tumor_mri", "chest_xray", "ham10000"):
        table = sets.load(name, Path(sys.argv[1]))
        if name == "chest_xray":  # the official split
            official = table.cases["official_split"].replace("val", "train")
            table = replace(table, cases=table.cases.with_columns(split=official))
        tables[name], seen = table, copies.marks(table)
        limits(name, table, seen)
        if name == "ham10000":
            lesions(table, seen)
    altered(tables)


if __name__ == "__main__":
    main()
