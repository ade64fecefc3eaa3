"""Every image of a table that stands in it more than once, found once and kept."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from rich.console import Console
from rich.progress import track

from primum.core import files, parquet
from primum.core.arrays import Integers, Strings
from primum.data import contents, duplicates
from primum.data.contents import THREADS
from primum.data.images import CorruptImageError
from primum.data.imaging.opening import UnreadableError
from primum.data.imaging.preview import JPEG, reduced

if TYPE_CHECKING:
    from PIL.Image import Image

    from primum.data.images import ImageTable

STRETCHED = "stretched"  # in the names of kept files: those before saw deep images in the range of their type


@dataclass(frozen=True, eq=False)
class Copies:
    """What stands more than once among N images.

    Attributes:
        content: (N,) number of the bytes (or pixels): equal numbers, equal bytes; -1 for unreadable images.
        group: (N,) number of the group of copies, exact and near ones, each image belongs to; -1 for none.
        unreadable: row → the sentence about it.
    """

    content: Integers
    group: Integers
    unreadable: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Marks:
    """What is compared of N images.

    Attributes:
        digests: (N,) hash of the bytes, empty for unreadable images. bits: (N, 256) difference hashes.
        thumbs: (N, 64, 64) grey thumbnails. unreadable: row → the sentence about it.
    """

    digests: Strings
    bits: duplicates.Bits
    thumbs: duplicates.Pixels
    unreadable: dict[int, str]


def find(table: ImageTable, *, bar: bool = False) -> Copies:
    """Compare every image with every other: the same bytes, or the same picture after other treatment.

    Of several channels the bytes of all count and the first is looked at. Unreadable images have no copies.

    Raises:
        MissingExtraError: when a library that reads the images is not installed.
    """
    return joined(marks(table, bar=bar))


def marks(table: ImageTable, *, bar: bool = False) -> Marks:
    """Read every image once, in threads."""
    n = len(table)
    digests, unreadable = np.full(n, "", dtype="U64"), {}
    bits = np.zeros((n, duplicates.CELLS**2), dtype=bool)
    thumbs = np.zeros((n, duplicates.SIDE, duplicates.SIDE), dtype=np.uint8)
    with ThreadPoolExecutor(THREADS) as pool:
        coming = pool.map(lambda row: _look(table, row), range(n))
        tracked = track(
            coming, "looking for copies", n, console=Console(stderr=True), transient=True, disable=not bar
        )
        for row, entries in enumerate(tracked):
            if isinstance(entries, str):
                unreadable[row] = entries
            else:
                digests[row], bits[row], thumbs[row] = entries
    return Marks(digests, bits, thumbs, unreadable)


def joined(images: Marks, far: int = duplicates.FAR, alike: float = duplicates.ALIKE) -> Copies:
    """Groups of images that exact or near copies connect; the limits are those of ``duplicates.near``."""
    n = len(images.digests)
    content = np.full(n, -1, dtype=np.int64)
    good = np.flatnonzero(images.digests != "")
    _, first, content[good] = np.unique(images.digests[good], return_index=True, return_inverse=True)
    one_each = good[first]  # one image per content, so that many equal files cost nothing
    exact = np.stack([one_each[content[good]], good], axis=1)
    pairs = one_each[duplicates.near(images.bits[one_each], images.thumbs[one_each], far, alike)]
    return Copies(content, duplicates.groups(n, [exact, pairs]), images.unreadable)


def cached(table: ImageTable, folder: Path, *, bar: bool = False) -> Copies:
    """Copies of a table, from ``folder`` or computed into it.

    The file's name is the fingerprint of the images (not of labels or splits) and of the limits, so a file is
    shared by every recipe that uses these images. Why an image is unreadable is not kept.
    """
    limits = f"{duplicates.FAR} {duplicates.ALIKE} {duplicates.SAME} {duplicates.FLAT} {duplicates.NOISE}"
    named = f"{table.image_fingerprint()} {limits} {STRETCHED}"
    file = folder / f"{hashlib.sha256(named.encode()).hexdigest()[:32]}.parquet"
    # a table of ours, not joblib.Memory: that keeps pickles, and nothing here reads a pickle
    stored = parquet.cached(file)
    if stored is None:
        result = find(table, bar=bar)
        stored = pl.DataFrame({"content": result.content, "group": result.group})
        with files.whole(file) as draft:
            stored.write_parquet(draft)
    return Copies(stored["content"].to_numpy(), stored["group"].to_numpy())


def _look(table: ImageTable, row: int) -> tuple[str, duplicates.Bits, duplicates.Pixels] | str:
    """Hash of the bytes, difference hash and thumbnail of an image, or the sentence why there are none."""
    read = contents.read(table, row)
    try:
        bits, thumb = duplicates.mark(_picture(table, row, read[0]))
    except CorruptImageError as error:
        return str(error)
    return contents.digest(read), bits, thumb


def _picture(table: ImageTable, row: int, content: bytes) -> Image:
    """The image of a row in its own range of grey values, a JPEG decoded at a fraction of its size only."""
    if content.startswith(JPEG) and table.pixels is None:
        try:
            return reduced(content, "L", duplicates.SIDE)
        except UnreadableError:
            pass  # the table says it in its own words
    return table.image(row) if table.pixels is not None else table.opened(table.paths(row)[0]).stretched()
