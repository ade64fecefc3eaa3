"""What a mapping of arrays means, as it comes from memory or from an NPZ file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from primum.core import check, columns, names
from primum.core.arrays import Array, Integers
from primum.core.check import InputError
from primum.core.labels import class_index, one_hot, text
from primum.predictions import Predictions
from primum.tables.frames import SCORE, checked_metadata
from primum.tables.stages import stages_of


def from_arrays(
    arrays: Mapping[str, object],
    mapping: Mapping[str, str],
    name: str,
    expected: Sequence[str] | None = None,
) -> Predictions:
    """Predictions from ``logits`` or ``probs`` (N, K), ``labels``, ``classes`` and what else is known.

    ``labels`` and ``decision`` are class names or indices, or (N, K) with a 1 for the class; ids default to
    row numbers. ``mapping``: our array name → the table's own; ``expected``: the classes where known.
    """
    inputs = _renamed({key: value for key, value in arrays.items() if value is not None}, mapping, name)
    for singular, plural in (("id", "ids"), ("label", "labels"), ("prob", "probs"), ("class", "classes")):
        if singular in inputs and plural not in inputs:
            inputs[plural] = inputs.pop(singular)
    if ("logits" in inputs) == ("probs" in inputs):
        raise InputError(
            f"{name}: exactly one of the arrays logits and probs (N, K) is needed, "
            f"{check.shorten(inputs, 12) or 'none'} arrived"
        )
    kind = "logits" if "logits" in inputs else "probs"
    values = check.numbers(inputs.pop(kind), name, kind)
    if values.ndim != 2 or 0 in values.shape:
        raise InputError(
            f"{name}: {kind} must have shape (N, K), {' × '.join(map(str, values.shape)) or 'none'} arrived"
        )
    n, k = values.shape
    single = next((key for key, value in inputs.items() if value.ndim == 0), None)
    if single is not None:
        raise InputError(f"{name}: array {single} needs one value per case or class, a single value arrived")
    named = "classes" in inputs
    default = np.arange(k) if expected is None else np.array(expected)
    classes = check.class_names([names.settle(label) for label in inputs.pop("classes", default)], name)
    if len(classes) != k:
        raise InputError(f"{name}: {kind} of {k} classes need {k} class names, {len(classes)} arrived")
    ids = text(_series("ids", inputs.pop("ids", np.arange(n)), n, name), name)
    labels = _classes_of("labels", inputs.pop("labels", None), n=n, classes=classes, named=named, name=name)
    decision = _classes_of(
        "decision", inputs.pop("decision", None), n=n, classes=classes, named=named, name=name
    )
    fields: dict[str, Any] = {key: inputs.pop(key) for key in ("passes", "embeddings") if key in inputs}
    if "stages" in inputs and inputs["stages"].ndim == 2:  # else stages of a disease, say
        widths = inputs.pop("stage_widths", None)
        numbers = check.numbers(inputs.pop("stages"), name, "stages")
        fields["stages"] = stages_of(numbers, None if widths is None else widths.tolist(), name)
    fields["scores"] = {
        key[len(SCORE) :]: check.numbers(inputs.pop(key), name, key)
        for key in list(inputs)
        if key.startswith(SCORE)
    }
    spellings, near = columns.taken(
        pl.DataFrame([_series(key, value, n, name) for key, value in inputs.items()]),
        ("patient", "split", "site", "path"),
    )
    metadata, notes = checked_metadata(spellings, name)
    notes = (*near, *notes, *columns.likely(spellings.columns))
    fields |= {"metadata": metadata, "decision": decision, "notes": notes, "name": name}
    labelled = np.full(n, -1) if labels is None else labels
    if kind == "logits":
        return Predictions(ids, classes, labelled, values, "logits", **fields)
    return Predictions.from_probs(ids, classes, labelled, values, **fields)


def _renamed(arrays: Mapping[str, object], mapping: Mapping[str, str], name: str) -> dict[str, Array]:
    for target, title in mapping.items():
        if title not in arrays:
            raise InputError(
                f"{name}: array {title!r}, mapped to {target}, is not there"
                f"{check.nearest(title, arrays)}; it has {check.shorten(arrays, 12)}"
            )
    taken = {*mapping, *mapping.values()}
    unmapped = {key: check.array(value) for key, value in arrays.items() if key not in taken}
    return unmapped | {target: check.array(arrays[title]) for target, title in mapping.items()}


def _series(key: str, value: Array, n: int, name: str) -> pl.Series:
    if value.shape != (n,):
        raise InputError(
            f"{name}: array {key} needs one value per case ({n}), "
            f"shape {' × '.join(map(str, value.shape)) or 'of a single value'} arrived"
        )
    if value.dtype.kind == "O":
        entries = [None if entry != entry else entry for entry in value.tolist()]  # NaN differs from itself
        return pl.Series(key, entries, strict=False)
    return pl.Series(key, value.astype(str) if value.dtype.kind == "S" else value)


def _classes_of(
    key: str, value: Array | None, n: int, classes: tuple[str, ...], named: bool, name: str
) -> Integers | None:
    """(N,) index of the class each case has in ``labels`` or ``decision``."""
    if value is None:
        return None
    if value.ndim == 2 and value.shape == (n, len(classes)) and value.dtype.kind in "biuf":
        return one_hot(value.astype(np.float64), key, name)
    if value.ndim == 2:
        raise InputError(
            f"{name}: one class per case is expected in {key}, shape "
            f"{' × '.join(map(str, value.shape))} arrived; give class indices, or one 1 for each of "
            f"{len(classes)} classes"
        )
    series = _series(key, value, n, name)
    if value.dtype.kind not in "iub":
        return class_index(series, classes, name)
    positions = classes == tuple(str(i) for i in range(len(classes)))
    if named and not positions and all(label.lstrip("-").isdigit() for label in classes):
        raise InputError(
            f"{name}: whole numbers in {key} may be class names or indices here, as the classes are numbers "
            "too; give them as text"
        )
    return np.asarray(value, dtype=np.int64)
