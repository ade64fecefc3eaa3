"""The arrays of an fd-shifts result folder, each checked for its shape and turned into ours."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl

from primum.core import check
from primum.core.arrays import Array, Floats, Integers
from primum.core.check import InputError
from primum.predictions import Predictions
from primum.tables.fd_shifts.archive import stored

LOGITS, SOFTMAX = "raw_logits.npz", "raw_output.npz"
PASSES = {LOGITS: "raw_logits_dist.npz", SOFTMAX: "raw_output_dist.npz"}
OUTSIDE, OUTSIDE_PASSES, ENCODED = "external_confids.npz", "external_confids_dist.npz", "encoded_output.npz"
LAYER_KEYS = (("w", "arr_0"), ("b", "arr_1"))  # as the tool names them, and as NumPy does without a name
TRAIN, LAYER = "train_features.npz", "last_layer.npz"
SMALLEST = 1e-300  # of a probability whose logarithm has to be finite

Arrays = Mapping[str, Array]


def passes_of(raw: str, arrays: Arrays, k: int) -> Array | None:
    """(S, N, K) logits of the passes."""
    name = PASSES[raw]
    if name not in arrays:
        return None
    passes = arrays[name]
    if passes.ndim != 3 or passes.shape[1] != k:
        raise InputError(f"{name}: cases × {k} classes × passes were expected, {shape(passes)} arrived")
    if raw == SOFTMAX:
        check.unit_interval(passes.transpose(0, 2, 1).reshape(-1, k), name)
        passes = np.log(np.maximum(passes.astype(np.float64), SMALLEST))
    return passes.transpose(2, 0, 1)


def embeddings_of(arrays: Arrays, indices: Integers) -> Array | None:
    """(N, D), whose last column must be the index (N,) of the data set."""
    if ENCODED not in arrays:
        return None
    encoded = arrays[ENCODED]
    if encoded.ndim != 2 or encoded.shape[1] < 2 or not np.array_equal(encoded[:, -1], indices):
        raise InputError(
            f"{ENCODED}: rows of an embedding and, last, the same index of the data set as in the outputs "
            f"were expected, {shape(encoded)} arrived; export both from one run"
        )
    return encoded[:, :-1]


def scores_of(arrays: Arrays, n: int, external: str) -> dict[str, Floats]:
    """The outside score (N,) under its name, and the mean of its passes under ``mcd_`` and that name."""
    scores = {}
    if OUTSIDE in arrays:
        if arrays[OUTSIDE].size != n:
            raise InputError(f"{OUTSIDE}: one score per case was expected, {shape(arrays[OUTSIDE])} arrived")
        scores[external] = arrays[OUTSIDE].reshape(n).astype(np.float64)
    if OUTSIDE_PASSES in arrays:
        if arrays[OUTSIDE_PASSES].ndim != 2:
            raise InputError(
                f"{OUTSIDE_PASSES}: cases × passes were expected, {shape(arrays[OUTSIDE_PASSES])} arrived"
            )
        scores[f"mcd_{external}"] = arrays[OUTSIDE_PASSES].astype(np.float64).mean(axis=1)
    return scores


def training_of(arrays: Arrays, classes: tuple[str, ...]) -> Predictions:
    """Training rows, their logits computed with the last layer."""
    rows, layer = arrays[TRAIN], arrays[LAYER]
    k, width = len(classes), layer.shape[1] - 1
    if rows.ndim != 2 or rows.shape[1] != width + 1 or len(layer) != k:
        raise InputError(
            f"{TRAIN} and {LAYER}: rows of {width} numbers with the label last and a layer of {k} classes "
            f"were expected, {shape(rows)} and {len(layer)} classes arrived"
        )
    labels, _ = labels_of(rows[:, -1], k, TRAIN)
    points = rows[:, :-1]
    return Predictions(
        pl.Series("id", [f"train-{row}" for row in range(len(points))]), classes, labels,
        points @ layer[:, :-1].T + layer[:, -1], embeddings=points,
        metadata=pl.DataFrame({"split": ["train"] * len(points)}), source={"imported": "fd-shifts"},
        name="train",
    )  # fmt: skip


def layer_of(path: Path) -> Array:
    """(K, D + 1) weight and bias, of an archive of the two, named ``w`` and ``b`` or in that order."""
    weight, bias = (stored(path, *keys) for keys in LAYER_KEYS)
    if weight.ndim != 2 or bias.shape != (len(weight),):
        raise InputError(
            f"{path.name}: a weight K × D and a bias K were expected, {shape(weight)} and {shape(bias)} came"
        )
    return np.column_stack([weight, bias])


def labels_of(values: Array, k: int, where: str) -> tuple[Integers, int]:
    """(N,) class indices, -1 where the label is none of the k classes, and how many those are."""
    labels = indices_of(values, f"{where}: the label")
    outside = (labels < 0) | (labels >= k)
    return np.where(outside, -1, labels), int(outside.sum())


def indices_of(values: Array, noun: str) -> Integers:
    """(N,) whole numbers, which the tool stores as floats."""
    if not (np.isfinite(values).all() and (values % 1 == 0).all()):
        row = int(np.argmax(~np.isfinite(values) | (values % 1 != 0)))
        raise InputError(f"{noun} must be a whole number, {values[row]} arrived in row {row + 1}")
    return values.astype(np.int64)


def shape(array: Array) -> str:
    """The shape of an array for a sentence."""
    return " × ".join(map(str, array.shape)) or "a single number"
