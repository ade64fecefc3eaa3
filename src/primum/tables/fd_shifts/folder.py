"""Result folders of the benchmark tool fd-shifts, read without it: the rows of all its data sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from primum import tables
from primum.core import check
from primum.core.arrays import Array, Integers
from primum.core.check import InputError
from primum.predictions import Predictions
from primum.tables.fd_shifts import parts
from primum.tables.fd_shifts.archive import stored
from primum.tables.fd_shifts.parts import (
    ENCODED,
    LAYER,
    LOGITS,
    OUTSIDE,
    OUTSIDE_PASSES,
    PASSES,
    SOFTMAX,
    TRAIN,
    Arrays,
)

AGREE = 1e-3


@dataclass(frozen=True, eq=False)
class Imported:
    """Tables of one result folder.

    Attributes:
        tables: name of the file to write, without ending → predictions: ``dataset-<index>``, and ``train``.
        notes: what a reader must know, one sentence each.
    """

    tables: Mapping[str, Predictions]
    notes: tuple[str, ...]


def read(
    folder: Path | str, classes: Sequence[str] = (), external: str = "external", validation: int | None = None
) -> Imported:
    """Read a result folder, one table for each index of a data set.

    ``raw_logits.npz`` (logits) or ``raw_output.npz`` (softmax): N × (K + 2), the label and the index of the
    data set last; the name says which of the two it is, and numbers that contradict it are refused. Beside
    it, where they are there: ``…_dist.npz`` (N × K × S passes), ``external_confids.npz`` (N or N × 1),
    ``external_confids_dist.npz`` (N × S, of which the mean counts), ``encoded_output.npz`` (N × (D + 1), the
    index last), and ``train_features.npz`` (M × (D + 1), the label last) with ``last_layer.npz`` (weight
    K × D and bias K), which become a table of training rows.

    Args:
        folder: the folder of these files, or the one that holds it as ``test_results``.
        classes: K names; by default the numbers from 0.
        external: what the outside score is called, such as ``confidnet``.
        validation: index of the data set that was used for validation: its rows become ``split`` cal, all
            others test, and ``source`` says that the network was selected on cal. Without it there is no
            column ``split``.

    Raises:
        InputError: for a missing, damaged or pickled file, arrays of other shapes than these, files of
            different numbers of rows, and numbers that are not what the file's name says.
    """
    place = Path(folder)
    place = place / "test_results" if (place / "test_results").is_dir() else place
    raw, arrays = _raw(place)
    outputs, index = arrays[raw], arrays[raw][:, -1]
    _same_length(place, arrays)
    k = outputs.shape[1] - 2
    names = check.class_names(classes or [str(i) for i in range(k)], "--classes")
    if len(names) != k:
        raise InputError(f"--classes: {k} names were expected for {raw}, {len(names)} arrived")
    indices = parts.indices_of(index, f"{raw}: the index of the data set")
    if validation is not None and validation not in indices:
        numbers = check.shorten(np.unique(indices))
        raise InputError(f"--validation: one of the data sets {numbers} was expected, {validation} arrived")
    labels, unknown = parts.labels_of(outputs[:, -2], k, raw)
    every = _predictions(
        place.name,
        raw,
        arrays=arrays,
        classes=names,
        labels=labels,
        indices=indices,
        external=external,
        validation=validation,
    )
    tables = {f"dataset-{i}": every.take(indices == i) for i in np.unique(indices)}
    notes = []
    if unknown:
        notes.append(
            f"{unknown} labels lie outside the {k} classes: these rows have no label here and are not judged"
        )
    if TRAIN in arrays and LAYER in arrays:
        tables["train"] = parts.training_of(arrays, names)
    elif TRAIN in arrays:
        notes.append(f"{TRAIN} was left out: the outputs of its rows are not known without {LAYER}")
    return Imported(tables, tuple(notes))


def write(imported: Imported, out: Path | str) -> list[Path]:
    """Write each table as Parquet into a folder, all or none; the paths, in the order of the tables."""
    named = {Path(out) / f"{name}.parquet": table for name, table in imported.tables.items()}
    tables.write_together(named)
    return list(named)


def _raw(place: Path) -> tuple[str, dict[str, Array]]:
    """Name of the outputs that count, and every array of the folder."""
    if not place.is_dir():
        raise InputError(f"{place}: a result folder was expected, there is none")
    names = (LOGITS, SOFTMAX, *PASSES.values(), OUTSIDE, OUTSIDE_PASSES, ENCODED, TRAIN, LAYER)
    if not any((place / name).exists() for name in (LOGITS, SOFTMAX)):
        listing = check.shorten(sorted(path.name for path in place.iterdir())) or "nothing"
        raise InputError(f"{place}: {LOGITS} or {SOFTMAX} was expected here, the folder holds {listing}")
    arrays = {name: stored(place / name) for name in names if name != LAYER and (place / name).exists()}
    if (place / LAYER).exists():
        arrays[LAYER] = parts.layer_of(place / LAYER)
    for name in (LOGITS, SOFTMAX):
        if name in arrays and (arrays[name].ndim != 2 or arrays[name].shape[1] < 4 or not len(arrays[name])):
            raise InputError(
                f"{name}: rows of K outputs, the label and the index of the data set were expected, "
                f"{parts.shape(arrays[name])} arrived"
            )
    _declared(arrays)
    return (LOGITS if LOGITS in arrays else SOFTMAX), arrays


def _declared(arrays: Arrays) -> None:
    """Refuse numbers that are not what the name of their file says."""
    if LOGITS not in arrays:
        return
    logits = arrays[LOGITS][:, :-2].astype(np.float64)
    check.finite(logits, LOGITS, "logits")
    if (logits >= 0).all() and (np.abs(logits.sum(axis=1) - 1) <= AGREE).all():
        raise InputError(
            f"{LOGITS}: logits were expected, every row sums to 1; name it {SOFTMAX} if it holds softmax"
        )
    if SOFTMAX in arrays and len(arrays[SOFTMAX]) == len(logits):
        softmaxes = arrays[SOFTMAX]
        softmax = np.exp(logits - logits.max(axis=1, keepdims=True))
        softmax /= softmax.sum(axis=1, keepdims=True)
        agree = softmaxes.shape == arrays[LOGITS].shape and np.allclose(
            softmaxes[:, :-2], softmax, atol=AGREE
        )
        if not agree or not np.array_equal(softmaxes[:, -2:], arrays[LOGITS][:, -2:]):
            raise InputError(
                f"{LOGITS} and {SOFTMAX}: the same answers were expected in both, they differ; remove "
                "the wrong one"
            )


def _same_length(place: Path, arrays: Arrays) -> None:
    rows = {name: len(array) for name, array in arrays.items() if name not in (TRAIN, LAYER)}
    if len(set(rows.values())) > 1:
        lengths = ", ".join(f"{name} {n}" for name, n in rows.items())
        raise InputError(
            f"{place.name}: files with the same number of rows were expected, there are {lengths}"
        )


def _predictions(
    name: str,
    raw: str,
    arrays: Arrays,
    classes: tuple[str, ...],
    labels: Integers,
    indices: Integers,
    external: str,
    validation: int | None,
) -> Predictions:
    n, k = len(labels), len(classes)
    metadata = pl.DataFrame({"dataset": indices.astype(str)})
    selected = {} if validation is None else {"selected_on": "cal"}
    if validation is not None:
        metadata = metadata.with_columns(split=pl.Series(np.where(indices == validation, "cal", "test")))
    fields: dict[str, Any] = {
        "passes": parts.passes_of(raw, arrays, k),
        "embeddings": parts.embeddings_of(arrays, indices),
        "scores": parts.scores_of(arrays, n, external),
        "metadata": metadata,
        "source": {"imported": "fd-shifts", "folder": name} | selected,
        "name": name,
    }
    ids = pl.Series("id", [f"{i}-{row:0{len(str(n))}d}" for row, i in enumerate(indices)])
    outputs = arrays[raw][:, :-2].astype(np.float64)
    if raw == LOGITS:
        return Predictions(ids, classes, labels, outputs, "logits", **fields)
    fields["name"] = raw
    return Predictions.from_probs(ids, classes, labels, outputs, **fields)
