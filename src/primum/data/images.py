"""One table per data set: a row per image, with what is known of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from primum.core import check
from primum.core.arrays import Array, Bytes, Integers
from primum.core.check import InputError
from primum.data.imaging import decode, opening
from primum.data.imaging.decode import SUFFIXES as SUFFIXES
from primum.data.imaging.decoded import Grey
from primum.data.imaging.ranges import of_channel

if TYPE_CHECKING:
    from PIL.Image import Image

    from primum.data.imaging.decoded import Decoded, Range
    from primum.data.imaging.ranges import Unfit

COLUMNS = ("id", "label", "patient", "site", "split", "path")
CHANNELS, SEPARATOR = "channels", ";"
MASK = "mask"
HELD_OUT = "shift"
NEW = "new"
EXCERPT = 80  # characters of a name that is refused
SPLITS = ("train", "val", "cal", "test", HELD_OUT, NEW)


class CorruptImageError(InputError):
    """An image that cannot be decoded; the message names it."""


@dataclass(frozen=True, eq=False)
class ImageTable:
    """Images of one data set.

    Attributes:
        name: of the data set.
        classes: the K class names.
        cases: N rows; ``id`` (unique), ``label`` (class name), ``patient`` (patient or lesion: what splits
            keep together), ``site`` (or null), ``split`` (train, val, cal, test; shift for what was held
            out, :mod:`primum.data.leaving_out`; new for what a run has never seen,
            :mod:`primum.data.cohort`), ``path`` (relative to ``root``, or null for made images),
            and any further columns. In a column ``channels`` each image is several grey files of one size,
            separated by ``;``, and ``path`` is the first of them. A column ``mask`` holds the path of the
            lesion's mask, or null. ``shift`` and ``shift_level`` say under which shift an image is seen.
        root: folder the paths start from, or None for made images.
        pixels: (N, H, W, C) uint8 of made images, or None.

    Raises:
        InputError: when a column is missing, ids repeat, or a label or split is unknown.
    """

    name: str
    classes: tuple[str, ...]
    cases: pl.DataFrame
    root: Path | None = None
    pixels: Bytes | None = None

    def __post_init__(self) -> None:
        check.class_names(self.classes, self.name)
        missing = [column for column in COLUMNS if column not in self.cases.columns]
        if missing:
            raise InputError(f"{self.name}: the table of images needs the columns {', '.join(missing)}")
        if self.cases["id"].n_unique() != len(self.cases):
            raise InputError(f"{self.name}: two images share an id; give each file its own name")
        for column, expected in (("label", self.classes), ("split", SPLITS)):
            for value in self.cases[column].drop_nulls().unique().sort():
                check.one_of(value, expected, f"{self.name}: {column}")

    def __len__(self) -> int:
        return len(self.cases)

    @property
    def label_index(self) -> Integers:
        """(N,) class index of each image, -1 where there is no label."""
        index = {name: i for i, name in enumerate(self.classes)}
        return np.array([index.get(label, -1) for label in self.cases["label"]], dtype=np.int64)

    def take(self, rows: Array) -> ImageTable:
        """The images at integer or boolean ``rows``."""
        at = np.flatnonzero(rows) if rows.dtype == bool else rows
        pixels = None if self.pixels is None else self.pixels[at]
        return replace(self, cases=self.cases[pl.Series(at, dtype=pl.UInt32)], pixels=pixels)

    def split(self, name: str) -> ImageTable:
        """The images of one split; refuses a split without images."""
        rows = (self.cases["split"] == name).to_numpy()
        if not rows.any():
            raise InputError(f"{self.name}: no image is in split {name!r}")
        return self.take(rows)

    def shifted(self, name: str, level: int) -> ImageTable:
        """The same images, said to be seen under a shift: columns ``shift`` and ``shift_level``.

        A shift that is already there is named before the new one.
        """
        earlier = [pl.col("shift")] if "shift" in self.cases.columns else []
        shift = pl.concat_str(*earlier, pl.lit(name), separator=" + ", ignore_nulls=True)
        return replace(self, cases=self.cases.with_columns(shift=shift, shift_level=pl.lit(level, pl.Int64)))

    @property
    def channels(self) -> int:
        """C: 3 for RGB, else the number of grey files or planes per image."""
        if self.pixels is not None:
            return int(self.pixels.shape[-1])
        if CHANNELS in self.cases.columns and len(self):
            return int(self.cases[CHANNELS][0].count(SEPARATOR)) + 1
        return 3

    def image(self, row: int) -> Image:
        """Image of one row for people, RGB; of several channels the first.

        Of more than 8 bits the range that the file states is shown, else the image's own.

        Raises:
            CorruptImageError: when the file is missing or does not decode.
            MissingExtraError: when a library it needs is not installed.
        """
        if self.pixels is None:
            return self.opened(self.cases["path"][row]).visible()
        picture: Image = self.planes(row)[0].convert("RGB")
        return picture

    def decoded(self, row: int) -> tuple[Decoded, ...]:
        """The files of one row as they are stored, one RGB image or C channels; none for made images.

        Raises:
            CorruptImageError, MissingExtraError: as :meth:`image`.
        """
        if self.pixels is not None:
            return ()
        return tuple(self.opened(path) for path in self.paths(row))

    def opened(self, path: str) -> Decoded:
        """One file as it is stored; ``path`` relative to ``root``.

        Raises:
            CorruptImageError, MissingExtraError: as :meth:`image`.
        """
        try:
            return decode.load((self.root or Path()) / path)
        except decode.UnreadableError as error:
            raise self._corrupt(f"a readable image was expected at {path}, {error}") from None

    def paths(self, row: int) -> list[str]:
        """The files of one row, relative to ``root``."""
        return self._files(self.cases[CHANNELS if CHANNELS in self.cases.columns else "path"][row])

    def _files(self, cell: str) -> list[str]:
        return cell.split(SEPARATOR) if CHANNELS in self.cases.columns else [cell]

    def planes(
        self, row: int, ranges: Sequence[Range] | None = None, unfit: Unfit | None = None
    ) -> tuple[Image, ...]:
        """Image of one row for a network: one RGB image, or C grey ones of the same size.

        Args:
            row: of the table.
            ranges: the range of grey values of each file where it states none, one for all or C; None spreads
                the whole range of the type of values.
            unfit: takes the row where its values do not fit the ranges.

        Raises:
            CorruptImageError: as :meth:`image`, and for channels that are coloured or differ in size.
            MissingExtraError: as :meth:`image`.
        """
        if self.pixels is not None:
            images, stored = decode.pillow(), self.pixels[row]
            if stored.shape[-1] == 3:
                return (images.fromarray(stored),)
            return tuple(
                images.fromarray(np.ascontiguousarray(plane)) for plane in np.moveaxis(stored, -1, 0)
            )
        decoded = self.decoded(row)
        within = [of_channel(ranges, channel) for channel in range(len(decoded))]
        if unfit is not None:
            unfit.add(row, decoded, within)
        opened = [member.render(limits) for member, limits in zip(decoded, within, strict=True)]
        if CHANNELS not in self.cases.columns:
            return tuple(opened)
        for path, member in zip(self.paths(row), opened, strict=True):
            red, green, blue = (band.tobytes() for band in member.split())
            if member.size != opened[0].size or not red == green == blue:
                why = (
                    "it is coloured"
                    if member.size == opened[0].size
                    else "it has another size than the first"
                )
                raise self._corrupt(f"a grey channel was expected at {path}, {why}; export it again")
        return tuple(member.getchannel(0) for member in opened)

    def mask(self, row: int) -> Image | None:
        """Lesion mask of one row, grey of 0 and 255, of its image's size; None without one.

        It is cut at 128, of more than 8 bits at half of its highest value.

        Raises:
            InputError: for a mask of another size than its image.
            CorruptImageError: when it is missing or does not decode.
        """
        path = self.cases[MASK][row] if MASK in self.cases.columns else None
        if path is None:
            return None
        stored, image = self.opened(path), self.image(row)
        limits = (0.0, stored.extremes()[1]) if isinstance(stored, Grey) else None
        picture = stored.render(limits).convert("L")
        if picture.size != image.size:
            expected, arrived = ("×".join(map(str, size)) for size in (image.size, picture.size))
            raise InputError(
                f"{self.name}: the mask {path} must have the {expected} pixels of its image, it has "
                f"{arrived}; export it again at the size of the image"
            )
        cut: Image = picture.point(lambda value: 255 if value >= 128 else 0)
        return cut

    def _corrupt(self, reason: str) -> CorruptImageError:
        return CorruptImageError(f"{self.name}: {reason}, or leave such images out with --skip-corrupt")

    def fingerprint(self) -> str:
        """sha256 over ids, labels, splits and the pixels or files: the same data give the same text.

        Of a file its path and size count, and where no compression makes sizes differ (DICOM, BMP, TIFF), 16
        KiB from its beginning and from its middle.
        """
        digest = hashlib.sha256(f"{self.name} {self.classes}".encode())
        for column in ("id", "label", "split"):
            digest.update("\x1f".join(str(value) for value in self.cases[column]).encode())
        if self.pixels is not None:
            digest.update(np.ascontiguousarray(self.pixels).tobytes())
            return f"sha256:{digest.hexdigest()[:32]}"
        listed = self.cases[CHANNELS if CHANNELS in self.cases.columns else "path"].drop_nulls()
        for path in (path for cell in listed for path in self._files(cell)):
            file = (self.root or Path()) / path
            size = opening.plain(file)
            digest.update(f"{path} {size}".encode())
            if size >= 0 and file.suffix.lower() not in decode.PACKED:
                digest.update(decode.sample(file, size))
        return f"sha256:{digest.hexdigest()[:32]}"

    def image_fingerprint(self) -> str:
        """:meth:`fingerprint` of ids and images alone: the same whatever the labels and splits."""
        blank = self.cases.with_columns(label=pl.lit(None, pl.String), split=pl.lit("train"))
        return replace(self, cases=blank).fingerprint()


def at_root(root: Path, name: str, needed: str) -> Path:
    """``root`` itself or its sub-folder ``name``, whichever holds ``needed``; refuses any other folder."""
    if not root.is_dir():
        state = "this is a file" if root.exists() else "there is no such folder"
        raise InputError(f"{root}: the folder of {name} was expected here, {state}; set --root")
    for folder in (root, root / name):
        if (folder / needed).exists():
            return folder
    raise InputError(f"{root}: {needed} was expected in the folder of {name}, it is not there; set --root")


def files_of(folder: Path) -> list[Path]:
    """Image files directly in ``folder``, in order of name; hidden ones are passed over."""
    if not folder.is_dir():
        raise InputError(f"{folder}: a folder of images was expected here, there is none")
    return ordered(
        path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    )


def ordered(paths: Iterable[Path]) -> list[Path]:
    """Paths in order of name; refuses a name that is not UTF-8, which no table can hold."""
    entries = sorted(paths)
    for path in entries:
        try:
            path.name.encode()
        except UnicodeEncodeError:
            name = path.name.encode(errors="backslashreplace").decode()[:EXCERPT]
            raise InputError(
                f"{path.parent.name}: names of files and folders must be UTF-8, {name} is not; rename it"
            ) from None
    return entries
