"""How the pixels of a table's images are stored, and one range for all grey values of more than 8 bits."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from rich.console import Console
from rich.progress import track

from primum.core import files, parquet
from primum.core.arrays import Integers
from primum.data.images import CorruptImageError
from primum.data.imaging import decode
from primum.data.imaging.decoded import FAR, Grey
from primum.data.imaging.ranges import Unfit, of_channel, words

if TYPE_CHECKING:
    from primum.data.images import ImageTable
    from primum.data.imaging.decoded import Decoded, Range

THREADS = min(16, os.cpu_count() or 1)
OUTERMOST = 0.01  # share of the images, at either end, whose extreme values do not widen the range
RANGES_LISTED = 5  # stated ranges that are named
FEW_LEVELS = 16  # of 256 grey levels: less contrast than this is worth a warning
SCHEMA = {
    "row": pl.Int64, "channel": pl.Int64, "kind": pl.String, "stated_low": pl.Float64,
    "stated_high": pl.Float64, "low": pl.Float64, "high": pl.Float64, "inner_low": pl.Float64,
    "inner_high": pl.Float64,
}  # fmt: skip


def measure(table: ImageTable, *, bar: bool = False) -> pl.DataFrame:
    """One row per file of every image, in order, but of those that do not decode.

    Images of which the first bytes say that they hold 8 bits, or a window, are not decoded here.

    Returns:
        ``row`` of the table and ``channel``; ``kind``, how the file is stored, in words; and for grey values
        of more than 8 bits, else null, ``low`` and ``high``, their extremes, ``inner_low`` and ``inner_high``
        (:meth:`Grey.inner`), and ``stated_low`` and ``stated_high`` where the file states its range.
    """
    n = len(table)
    if table.pixels is not None:
        eight = [{"row": row, "channel": 0, "kind": decode.EIGHT} for row in range(n)]
        return pl.DataFrame(eight, schema=SCHEMA)
    with ThreadPoolExecutor(THREADS) as pool:
        coming = pool.map(lambda row: _rows(table, row), range(n))
        console = Console(stderr=True)
        tracked = track(coming, "looking at grey values", n, console=console, transient=True, disable=not bar)
        return pl.DataFrame([measurement for rows in tracked for measurement in rows], schema=SCHEMA)


def cached(table: ImageTable, folder: Path, *, bar: bool = False) -> pl.DataFrame:
    """:func:`measure` of a table, from ``folder`` or computed into it where not all have 8 bits.

    The file's name is the fingerprint of the images, not of labels or splits.
    """
    named = f"{table.image_fingerprint()} pixels"
    file = folder / f"{hashlib.sha256(named.encode()).hexdigest()[:32]}.parquet"
    # a table of ours, not joblib.Memory, which would unpickle what lies in the folder
    stored = parquet.cached(file)
    if stored is not None:
        return stored
    measured = measure(table, bar=bar)
    # that all have 8 bits was told by their first bytes, quick to look at again
    if (measured["kind"] != decode.EIGHT).any():
        with files.whole(file) as draft:
            measured.write_parquet(draft)
    return measured


def trained_on(table: ImageTable) -> Integers:
    """Rows of the split train; all where there is none."""
    rows = np.flatnonzero((table.cases["split"] == "train").to_numpy())
    return rows if len(rows) else np.arange(len(table))


def ranges(pixels: pl.DataFrame, rows: Integers) -> tuple[Range, ...] | None:
    """One range for all images, channel by channel: of the extremes at ``rows``, which are trained on.

    From the lowest to the highest value of the images there that state no range, but for the outermost
    hundredth of them at either end, so that one odd image among a hundred does not darken the others. Where
    all state one, of those.

    Args:
        pixels: of :func:`measure`. rows: of the table.

    Returns:
        None where no image at ``rows`` has more than 8 bits.
    """
    deep = pixels.filter(pl.col("low").is_not_null() & pl.col("row").is_in(rows.tolist()))
    if not len(deep):
        return None
    limits = []
    for channel in range(int(deep["channel"].max()) + 1):  # type: ignore[arg-type]
        selection = deep.filter(channel=channel)
        selection = selection if len(selection) else deep
        silent = selection.filter(pl.col("stated_low").is_null())
        ends = silent.select("low", "high") if len(silent) else selection.select("stated_low", "stated_high")
        low, high = (part.to_numpy() for part in ends)
        limits.append(
            (
                float(np.quantile(low, OUTERMOST, method="lower")),
                float(np.quantile(high, 1 - OUTERMOST, method="higher")),
            )
        )
    return tuple(limits)


def summary(pixels: pl.DataFrame, rows: Integers) -> dict[str, Any]:
    """What ``data check`` says of the grey values, JSON-ready; arguments as of :func:`ranges`.

    Returns:
        ``kinds``: images of each kind. ``no_stated_range``: of more than 8 bits that state none, of each.
        ``stated``: ranges that files state, and images of each. ``ranges``: the one used where none is
        stated, or null. ``clipped``: images with values beyond the range they are shown in, by more than a
        tenth of it. ``levels``: median over the images of more than 8 bits of the grey levels, of 256, that
        their inner 98 % of pixels span, or null. ``said``: this in sentences.
    """
    used = ranges(pixels, rows)
    first = pixels.unique("row", keep="first", maintain_order=True)
    deep = placed(pixels, used)
    stated = deep.filter(pl.col("stated_low").is_not_null())
    silent = deep.filter(pl.col("stated_low").is_null()).unique("row", keep="first", maintain_order=True)
    counts = stated.group_by("stated_low", "stated_high").agg(pl.col("row").n_unique())
    middle = deep["levels"].median()
    content: dict[str, Any] = {
        "kinds": dict(sorted(first["kind"].value_counts().iter_rows())),
        "no_stated_range": dict(sorted(silent["kind"].value_counts().iter_rows())),
        "stated": [
            {"range": [low, high], "images": count} for low, high, count in counts.sort(pl.all()).iter_rows()
        ],
        "ranges": None if used is None else [list(limits) for limits in used],
        "clipped": deep.filter("clipped")["row"].n_unique(),
        "levels": None if middle is None else round(float(middle), 1),  # type: ignore[arg-type]
    }
    return content | {"said": _sentences(content)}


def placed(pixels: pl.DataFrame, used: Sequence[Range] | None) -> pl.DataFrame:
    """The files of more than 8 bits with ``clipped`` and ``levels`` in the range they are shown in."""
    deep = pixels.filter(pl.col("low").is_not_null())
    within = [of_channel(used, channel) or (None, None) for channel in deep["channel"]]
    low, high = (
        pl.coalesce(f"stated_{end}", pl.Series(end, [limits[at] for limits in within], dtype=pl.Float64))
        for at, end in enumerate(("low", "high"))
    )
    width, margin = pl.max_horizontal(high - low, pl.lit(1e-12)), (high - low) * FAR
    span = (pl.col("inner_high").clip(low, high) - pl.col("inner_low").clip(low, high)) / width * 255
    return deep.with_columns(
        clipped=(pl.col("low") < low - margin) | (pl.col("high") > high + margin), levels=span
    )


def unfit(pixels: pl.DataFrame, used: Sequence[Range] | None) -> Unfit:
    """Rows whose values do not fit the ranges a network reads, without decoding them again."""
    deep = placed(pixels, used)
    unknown = deep.filter(pl.col("stated_low").is_null())["row"] if used is None else ()
    return Unfit(set(deep.filter("clipped")["row"]), set(unknown))


def _sentences(content: dict[str, Any]) -> list[str]:
    """Only the kinds where nothing has more than 8 bits."""
    lines = ["pixels: " + ", ".join(f"{kind} {count:,}" for kind, count in content["kinds"].items())]
    stated = content["stated"]
    lines += [
        f"stated range {words([entry['range']])}: {entry['images']:,} images"
        for entry in stated[:RANGES_LISTED]
    ]
    if len(stated) > RANGES_LISTED:
        lines.append(f"stated ranges: {len(stated) - RANGES_LISTED:,} others")
    silent = content["no_stated_range"]
    if silent and content["ranges"] is None:
        lines.append(
            f"no stated range: {sum(silent.values()):,} images, and no training image of more than 8 bits to "
            "take one from, so that the whole range of their type is spread"
        )
    elif silent:
        kinds = f" of {len(silent)} kinds, whose units may differ" if len(silent) > 1 else ""
        lines.append(
            f"no stated range: {sum(silent.values()):,} images{kinds}, read in that of the training images, "
            f"{words(content['ranges'])}; images with values beyond it by more than a tenth, which are "
            f"clipped: {content['clipped']:,}"
        )
    if content["levels"] is not None and content["levels"] < FEW_LEVELS:
        lines.append(
            f"low contrast: half of the images of more than 8 bits use {content['levels']:.3g} of 256 grey "
            "levels or fewer; export them with a window"
        )
    return lines


def _rows(table: ImageTable, row: int) -> list[dict[str, Any]]:
    kinds = [decode.kind((table.root or Path()) / path) for path in table.paths(row)]
    entries: list[dict[str, Any]] = [{"kind": kind} for kind in kinds]
    if None in kinds:
        try:
            entries = [_measured(plane) for plane in table.decoded(row)]
        except CorruptImageError:
            return []
    return [{"row": row, "channel": channel} | entry for channel, entry in enumerate(entries)]


def _measured(plane: Decoded) -> dict[str, Any]:
    if not isinstance(plane, Grey):
        return {"kind": plane.kind}
    stated, (low, high), (inner_low, inner_high) = (
        plane.stated or (None, None),
        plane.extremes(),
        plane.inner(),
    )
    return {
        "kind": plane.kind, "stated_low": stated[0], "stated_high": stated[1], "low": low, "high": high,
        "inner_low": inner_low, "inner_high": inner_high,
    }  # fmt: skip
