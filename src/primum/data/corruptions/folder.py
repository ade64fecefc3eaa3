"""Write the corrupted images of a table into a folder, with a manifest that ``data: manifest`` reads back."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import torch
from rich.console import Console
from rich.progress import track

from primum.core import documents, files, locks
from primum.core.arrays import Bytes
from primum.core.check import InputError, PrimumError
from primum.data import pixels
from primum.data.corruptions import corrupt, parameter
from primum.data.images import CHANNELS, MASK, SEPARATOR
from primum.data.imaging import decode

if TYPE_CHECKING:
    from primum.data.images import ImageTable
    from primum.data.imaging.decoded import Range

SCHEMA = "primum.corrupted/1"
SETTINGS, MANIFEST, IMAGES = "corruption.json", "manifest.csv", "images"
THREADS = min(16, os.cpu_count() or 1)
AT_ONCE = 64  # images decoded together
NUMBERS = 20_000_000  # pixel values corrupted together, at most, but for a single image


def write(
    table: ImageTable,
    name: str,
    intensity: int,
    out: Path | str,
    seed: int = 0,
    *,
    ranges: Sequence[Range] | None = None,
    bar: bool = False,
) -> Path:
    """Corrupt every image of a table at its own size; PNG files, their manifest last.

    ``out/manifest.csv`` has every column of the table but ``mask``, whose pixels may have moved; ``path``
    (and ``channels``) name the new files, ``original_path`` the old, ``shift`` and ``shift_level`` the
    corruption. It is written when all images are there, so that nobody reads half a set. What an interruption
    left is gone on with.

    Args:
        table: the images; give one split (``table.split("test")``).
        name, intensity, seed: as of :func:`primum.data.corruptions.corrupt`.
        ranges: of grey values of more than 8 bits, as :func:`primum.data.pixels.ranges` gives them for
            the whole data set; those of ``table`` unless said otherwise.
        out: folder; empty, or begun with the same images and settings.
        bar: show progress on standard error.

    Returns:
        Path of the manifest.

    Raises:
        InputError: for an unknown corruption or intensity, or a folder that holds something else.
        CorruptImageError: for the first image that does not decode.
    """
    folder = Path(out)
    if ranges is None:
        ranges = pixels.ranges(pixels.measure(table), pixels.trained_on(table))
    settings = {
        "schema": SCHEMA, "data": table.name, "fingerprint": table.fingerprint(), "n": len(table),
        "shift": name, "shift_level": intensity, "value": parameter(name, intensity), "seed": seed,
        **({} if ranges is None else {"ranges": [list(limits) for limits in ranges]}),
    }  # fmt: skip
    digits = len(str(len(table) - 1))
    paths = [_paths(row, digits, table.channels) for row in range(len(table))]
    _begins(folder, settings)  # refuses before a lock is left in a folder of something else
    with locks.alone(folder):
        begins = _begins(folder, settings)
        try:
            if begins:
                with files.whole(folder / SETTINGS) as draft:
                    draft.write_text(json.dumps(settings, indent=1, ensure_ascii=False) + "\n", "utf-8")
            if not (folder / MANIFEST).exists():
                _fill(
                    table,
                    paths,
                    name=name,
                    intensity=intensity,
                    folder=folder,
                    seed=seed,
                    ranges=ranges,
                    bar=bar,
                )
        except PrimumError:
            if begins:
                _clear(folder, paths)
            raise
    return folder / MANIFEST


def _fill(
    table: ImageTable,
    paths: list[list[str]],
    name: str,
    intensity: int,
    folder: Path,
    seed: int,
    ranges: Sequence[Range] | None,
    bar: bool,
) -> None:
    """Write the images that are not there yet, then the manifest."""
    todo = [row for row, names in enumerate(paths) if not all((folder / path).exists() for path in names)]
    console = Console(stderr=True)
    parts = [todo[start : start + AT_ONCE] for start in range(0, len(todo), AT_ONCE)]
    for part in track(parts, "corrupting", console=console, transient=True, disable=not bar):
        for row, corrupted in _corrupted(
            table, part, name=name, intensity=intensity, seed=seed, ranges=ranges
        ):
            _save(corrupted, [folder / path for path in paths[row]])
    with files.whole(folder / MANIFEST) as draft:
        _manifest(table.shifted(name, intensity), paths).write_csv(draft)


def _clear(folder: Path, paths: list[list[str]]) -> None:
    """Remove what was begun and refused, and nothing else."""
    for names in paths:
        for name in names:
            (folder / name).unlink(missing_ok=True)
    files.remove(folder / IMAGES)
    files.remove(folder, SETTINGS, files.LOCK)


def _begins(folder: Path, settings: dict[str, Any]) -> bool:
    """Whether this is to begin in a folder, or to go on; refuses one in which something else was begun."""
    written = folder / SETTINGS
    if written.exists():
        if _settings(written) != settings:
            raise InputError(
                f"{folder}: other images, or another corruption, were written here than the ones asked for "
                f"({settings['shift']}:{settings['shift_level']}); name another folder"
            )
        return False
    if not files.bare(folder):
        raise InputError(f"{folder}: an empty folder was expected, it holds something; name another")
    return True


def _settings(written: Path) -> Any:
    try:
        return documents.read_json(written, "settings of a corruption")
    except InputError:
        return None


def _paths(row: int, digits: int, channels: int) -> list[str]:
    stem = f"{IMAGES}/{row:0{digits}d}"
    return [f"{stem}.png"] if channels == 3 else [f"{stem}-{channel}.png" for channel in range(channels)]


def _corrupted(
    table: ImageTable,
    rows: list[int],
    name: str,
    intensity: int,
    seed: int,
    ranges: Sequence[Range] | None,
) -> Iterator[tuple[int, Bytes]]:
    """(row, (H, W, C) corrupted pixels) of each row, images of one size together."""

    def planes(row: int) -> Bytes:
        return np.dstack([np.asarray(plane, dtype=np.uint8) for plane in table.planes(row, ranges)])

    with ThreadPoolExecutor(THREADS) as pool:
        read = dict(zip(rows, pool.map(planes, rows), strict=True))
    for shape in sorted({image.shape for image in read.values()}):
        alike = [row for row, image in read.items() if image.shape == shape]
        step = max(1, NUMBERS // int(np.prod(shape)))
        for start in range(0, len(alike), step):
            some = alike[start : start + step]
            images = torch.from_numpy(np.stack([read[row] for row in some])).permute(0, 3, 1, 2).float() / 255
            ids = [str(table.cases["id"][row]) for row in some]
            outputs = corrupt(images, name, intensity, ids, seed).mul_(255).round_().byte()
            yield from zip(some, outputs.permute(0, 2, 3, 1).numpy(), strict=True)


def _save(pixels: Bytes, to: list[Path]) -> None:
    images = decode.pillow()
    planes = [pixels] if len(to) == 1 and pixels.shape[-1] == 3 else list(np.moveaxis(pixels, -1, 0))
    for path, plane in zip(to, planes, strict=True):
        with files.whole(path) as draft:
            images.fromarray(np.ascontiguousarray(plane)).save(draft, "PNG")


def _manifest(table: ImageTable, paths: list[list[str]]) -> pl.DataFrame:
    cases = table.cases.drop(MASK, strict=False).with_columns(
        pl.col("path").alias("original_path"), pl.Series("path", [names[0] for names in paths])
    )
    if table.channels == 3:
        return cases.drop(CHANNELS, strict=False)
    return cases.with_columns(pl.Series(CHANNELS, [SEPARATOR.join(names) for names in paths]))
