"""One table per data set: a row per image, with what is known of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from primum import check
from primum.check import InputError, MissingExtraError

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
COLUMNS = ("id", "label", "patient", "site", "split", "path")


class CorruptImageError(InputError):
    """An image that cannot be decoded; the message names it."""


@dataclass(frozen=True, eq=False)
class ImageTable:
    """Images of one data set.

    Attributes:
        name: of the data set.
        classes: the K class names.
        cases: N rows; ``id`` (unique), ``label`` (class name), ``patient`` (patient or lesion: what splits
            keep together), ``site`` (or null), ``split`` (train, val, cal, test), ``path`` (relative to
            ``root``, or null for made images), and any further columns.
        root: folder the paths start from, or None for made images.
        pixels: (N, H, W, 3) uint8 of made images, or None.

    Raises:
        InputError: when a column is missing, ids repeat, or a label or split is unknown.
    """

    name: str
    classes: tuple[str, ...]
    cases: pl.DataFrame
    root: Path | None = None
    pixels: NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        check.class_names(self.classes, self.name)
        missing = [column for column in COLUMNS if column not in self.cases.columns]
        if missing:
            raise InputError(f"{self.name}: the table of images needs the columns {', '.join(missing)}")
        if self.cases["id"].n_unique() != len(self.cases):
            raise InputError(f"{self.name}: two images share an id; give each file its own name")
        for column, known in (("label", self.classes), ("split", ("train", "val", "cal", "test"))):
            for value in self.cases[column].drop_nulls().unique().sort():
                check.one_of(value, known, f"{self.name}: {column}")

    def __len__(self) -> int:
        return len(self.cases)

    @property
    def label_index(self) -> NDArray[np.int64]:
        """(N,) class index of each image, -1 where there is no label."""
        index = {name: i for i, name in enumerate(self.classes)}
        return np.array([index.get(label, -1) for label in self.cases["label"]], dtype=np.int64)

    def take(self, rows: NDArray[Any]) -> ImageTable:
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

    def image(self, row: int) -> Image:
        """Image of one row, RGB; 16-bit grey is scaled to 8 bits.

        Raises:
            CorruptImageError: when the file is missing or does not decode.
        """
        try:
            from PIL import Image as images
        except ImportError:
            raise MissingExtraError("reading images needs Pillow: pip install 'primum[train]'") from None
        if self.pixels is not None:
            return images.fromarray(self.pixels[row])
        path = self.cases["path"][row]
        try:
            with images.open((self.root or Path()) / path) as opened:
                opened.load()
                return _rgb(opened)
        except (OSError, ValueError, SyntaxError, images.DecompressionBombError) as error:
            reason = "there is no such file" if isinstance(error, FileNotFoundError) else "it does not decode"
            raise CorruptImageError(
                f"{self.name}: a readable image was expected at {path}, {reason}; "
                "repair it, or leave such images out with --skip-corrupt"
            ) from None

    def fingerprint(self) -> str:
        """sha256 over ids, labels, splits and the pixels or file sizes: the same data give the same text."""
        digest = hashlib.sha256(f"{self.name} {self.classes}".encode())
        for column in ("id", "label", "split"):
            digest.update("\x1f".join(str(value) for value in self.cases[column]).encode())
        if self.pixels is not None:
            digest.update(np.ascontiguousarray(self.pixels).tobytes())
        for path in self.cases["path"].drop_nulls() if self.pixels is None else ():
            file = (self.root or Path()) / path
            digest.update(f"{path} {file.stat().st_size if file.exists() else -1}".encode())
        return f"sha256:{digest.hexdigest()[:32]}"


def _rgb(opened: Image) -> Image:
    """RGB of any mode; 16-bit grey is scaled to 8 bits, transparency is laid on black."""
    from PIL import Image as images

    if opened.mode.startswith(("I", "F")):
        grey = np.asarray(opened, dtype=np.float64)
        top = 65535.0 if opened.mode.startswith("I") else max(float(grey.max()), 1e-12)
        return images.fromarray(np.clip(grey / top * 255, 0, 255).astype(np.uint8)).convert("RGB")
    if opened.mode in ("RGBA", "LA", "PA") or "transparency" in opened.info:
        seen = opened.convert("RGBA")
        ground = images.new("RGBA", seen.size, (0, 0, 0, 255))
        return images.alpha_composite(ground, seen).convert("RGB")
    return opened.convert("RGB")


def at_root(root: Path, name: str, needed: str) -> Path:
    """``root`` itself or its sub-folder ``name``, whichever holds ``needed``; refuses any other folder."""
    if not root.is_dir():
        what = "this is a file" if root.exists() else "there is no such folder"
        raise InputError(f"{root}: the folder of {name} was expected here, {what}; set --root")
    for folder in (root, root / name):
        if (folder / needed).exists():
            return folder
    raise InputError(f"{root}: {needed} was expected in the folder of {name}, it is not there; set --root")


def files_of(folder: Path) -> list[Path]:
    """Image files directly in ``folder``, in order of name; hidden ones are passed over."""
    if not folder.is_dir():
        raise InputError(f"{folder}: a folder of images was expected here, there is none")
    return sorted(
        path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    )
