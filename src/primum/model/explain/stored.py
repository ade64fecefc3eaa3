"""What an explanation leaves behind: a table to audit, and the maps beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from primum import tables
from primum.core import archives, files, parquet
from primum.core.arrays import Array, Bools, Floats
from primum.judge.explanation import similarity
from primum.judge.explanation.similarity import MEASURES
from primum.model.explain.changes import CHANGES
from primum.predictions import Predictions

SUFFIX = ".maps"

Parts = Mapping[str, Array]


def folder_of(out: Path | str) -> Path:
    """Folder of the maps beside a table."""
    return Path(out).with_suffix(SUFFIX)


def summary(parts: Parts, compared: Mapping[str, Floats], applies: Bools) -> dict[str, object]:
    """What all maps together show, JSON-ready.

    Args:
        parts: as ``Explaining.chunk`` gives them, of all N images.
        compared: measure → (n,) likeness of the first n maps to those of an untrained network.
        applies: (n,) whether both maps show anything.
    """
    alike, among = parts["alike"], parts["applies"]
    stillness = np.ma.array(alike[:, 0], mask=~among).mean(axis=0)[: len(applies)]
    comparable = applies & ~np.ma.getmaskarray(stillness)
    closer = compared["spearman"][comparable] >= np.asarray(stillness[comparable])
    shares = parts["energy"][parts["masked"]]
    return {
        "n": len(parts["maps"]),
        "blank": int((~similarity.varied(parts["maps"])).sum()),
        "changes": [
            {
                **change.to_dict(),
                "n": int(among[at].sum()),
                "answer_changed": float(1 - parts["kept"][at].mean()),
                "measures": {
                    name: similarity.quartiles(alike[at, m][among[at]]) for m, name in enumerate(MEASURES)
                },
            }
            for at, change in enumerate(CHANGES)
        ],
        "untrained": {
            "n": int(applies.sum()),
            "asked": len(applies),
            "measures": {name: similarity.quartiles(compared[name][applies]) for name in MEASURES},
            "closer_than_own": float(closer.mean()) if comparable.any() else None,
        },
        "lesion": None
        if not len(shares)
        else {
            "n": len(shares),
            **{
                name: similarity.quartiles(shares[:, at])
                for at, name in enumerate(("energy", "area", "focus"))
            },
        },
    }


def table(
    answered: Predictions, parts: Parts, paths: Mapping[int, str], settings: Mapping[str, object]
) -> Predictions:
    """The predictions with a score per measure, and what was found of each map as metadata."""
    among = parts["applies"]
    times = among.sum(axis=0)
    scores = {}
    for m, (name, (_, lowest)) in enumerate(MEASURES.items()):
        total = np.where(among, parts["alike"][:, m], 0.0).sum(axis=0)
        scores[f"stability_{name}"] = np.where(times > 0, total / np.maximum(times, 1), lowest)
    lesion = [pl.Series(name, parts["energy"][:, at]) for at, name in enumerate(("energy", "area", "focus"))]
    masked = pl.Series(parts["masked"])
    columns = [
        pl.Series("map_path", [paths.get(row) for row in range(len(answered))], dtype=pl.String),
        pl.Series("map_blank", times == 0),
        pl.Series("answer_kept", parts["kept"].mean(axis=0)),
    ]
    if masked.any():
        columns += [column.set(~masked, None).alias(f"lesion_{column.name}") for column in lesion]
    return replace(
        answered,
        scores={**answered.scores, **scores},
        metadata=answered.metadata.with_columns(columns),
        source=dict(answered.source) | {"explanation": dict(settings)},
    )


def write(explained: Predictions, parts: Parts, out: Path | str) -> None:
    """Write the maps first, the table that points to them last, each whole; chunks are cleared away."""
    folder = folder_of(out)
    names = ("maps.npy", "index.parquet", "changes.parquet", "explanation.json")
    with files.together([folder / name for name in names]) as drafts:
        grids, index, changes, settings = drafts.values()
        np.save(grids, parts["maps"], allow_pickle=False)
        pl.DataFrame({"id": explained.ids, "row": np.arange(len(explained))}).write_parquet(index)
        _per_change(explained.ids, parts).write_parquet(changes)
        content = json.dumps(explained.source["explanation"], indent=2, allow_nan=False)
        settings.write_text(content, encoding="utf-8")
    tables.write(explained, out)
    for place in (*(folder / "parts").glob("*/"), folder / "parts"):
        files.remove(place, "*.npz")


def _per_change(ids: pl.Series, parts: Parts) -> pl.DataFrame:
    """A row per image and change; measures that do not apply are empty."""
    listed = []
    for at, change in enumerate(CHANGES):
        empty = pl.Series(~parts["applies"][at])
        measured = [
            pl.Series(name, parts["alike"][at, m]).set(empty, None) for m, name in enumerate(MEASURES)
        ]
        listed.append(
            pl.DataFrame(
                [ids.alias("id"), *measured, pl.Series("answer_kept", parts["kept"][at])]
            ).with_columns(pl.lit(change.name).alias("change"))
        )
    return pl.concat(listed)


def read_maps(out: Path | str) -> tuple[pl.Series, NDArray[np.float16]]:
    """Ids (N,) and maps (N, 64, 64), memory-mapped, that stand beside an explained table.

    Raises:
        InputError: when there are none.
    """
    folder = folder_of(out)
    maps = archives.array(folder / "maps.npy", "maps written by primum explain")
    return parquet.read(folder / "index.parquet", "the ids of the maps")[0]["id"], maps
