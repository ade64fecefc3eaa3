"""What the columns of a table mean: one row per case, as in ``docs/formats.md``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from primum import check, ties
from primum.check import InputError
from primum.predictions import Predictions

TEXT = ("id", "label", "patient", "site", "split", "shift", "decision", "path")
SPLITS = ("train", "val", "cal", "test")
PREFIXES = ("prob_", "logit_")
SCORE = "score_"
LARGEST_WHOLE_FLOAT = 2**53
MOST_WRONG_SHOWN = 20


def from_frame(
    frame: pl.DataFrame, columns: Mapping[str, str], name: str, declared: Mapping[str, Any] | None = None
) -> Predictions:
    """Predictions from one row per case.

    Args:
        frame: the table.
        columns: our column name → the table's own.
        name: what to call the table in messages.
        declared: classes, kind, source and notes, as our own Parquet carries them in its schema metadata.
    """
    declared = declared or {}
    frame = _renamed(frame, columns, name)
    if frame.height == 0:
        raise InputError(f"{name}: at least one case is needed, the table is empty")
    if "id" not in frame.columns:
        raise InputError(
            f"{name}: a column id with one unique value per case is needed, the columns are "
            f"{check.shorten(frame.columns, 12)}; name it with --columns id=YOURS"
        )
    values, classes, kind, used, notes = _values(frame, name, declared)
    scores = {
        column[len(SCORE) :]: _numbers(frame, [column], name)[:, 0]
        for column in frame.columns
        if column.startswith(SCORE)
    }
    used |= {"id", "label", "decision", "embedding", "passes"} | {SCORE + score for score in scores}
    metadata, metadata_notes = checked_metadata(
        frame.select([column for column in frame.columns if column not in used]), name
    )
    rest: dict[str, Any] = {
        "scores": scores,
        "decision": _decision(frame, classes, name),
        "metadata": metadata,
        "passes": _passes(frame, len(classes), name),
        "embeddings": _list_array(frame, "embedding", name) if "embedding" in frame.columns else None,
        "source": declared.get("source", {}),
        "notes": tuple(dict.fromkeys((*declared.get("notes", ()), *notes, *metadata_notes))),
        "name": name,
    }
    ids, labels = text(frame["id"], name), _labels(frame, classes, name)
    if kind == "probs":
        return Predictions.from_probs(ids, classes, labels, values, **rest)
    return Predictions(ids, classes, labels, values, kind, **rest)


def _renamed(frame: pl.DataFrame, columns: Mapping[str, str], name: str) -> pl.DataFrame:
    for ours, theirs in columns.items():
        if theirs not in frame.columns:
            raise InputError(
                f"{name}: column {theirs!r}, mapped to {ours}, is not in the table"
                f"{check.nearest(theirs, frame.columns)}; it has {check.shorten(frame.columns, 12)}"
            )
    taken = {*columns, *columns.values()}
    kept = [column for column in frame.columns if column not in taken]
    return frame.select(*kept, *(pl.col(theirs).alias(ours) for ours, theirs in columns.items()))


def is_number_column(column: str) -> bool:
    """Whether a column of that name holds a probability, a logit or a score."""
    return column.startswith((*PREFIXES, SCORE))


def _values(
    frame: pl.DataFrame, name: str, declared: Mapping[str, Any]
) -> tuple[NDArray[Any], tuple[str, ...], Any, set[str], tuple[str, ...]]:
    """Logits or probabilities of a table: values, classes, kind, the columns used, notes."""
    if "logits" in frame.columns and isinstance(frame.schema["logits"], pl.Array | pl.List):
        if "classes" not in declared:
            raise InputError(
                f"{name}: a list column 'logits' needs the class names in the file's schema metadata; "
                "write one column logit_<class> per class instead"
            )
        classes = check.class_names(declared["classes"], name)
        return _list_array(frame, "logits", name), classes, declared.get("kind", "logits"), {"logits"}, ()
    found = {prefix: [column for column in frame.columns if column.startswith(prefix)] for prefix in PREFIXES}
    if not found["prob_"] and not found["logit_"]:
        raise InputError(
            f"{name}: a column prob_<class> or logit_<class> for every class is needed, the columns are "
            f"{check.shorten(frame.columns, 12)}; name them with --columns prob_CLASS=YOURS"
        )
    notes: tuple[str, ...] = ()
    if found["prob_"] and found["logit_"]:
        notes = ("the table holds logits and probabilities: the logits were used",)
    prefix = "logit_" if found["logit_"] else "prob_"
    used = {*found["prob_"], *found["logit_"]}
    names = found[prefix]
    values = _numbers(frame, names, name)
    classes = tuple(column[len(prefix) :] for column in names)
    if len(classes) == 1 and prefix == "prob_":
        other = _other_class(frame, classes[0], name)
        check.unit_interval(values, name)
        return np.column_stack([1 - values, values]), (other, classes[0]), "probs", used, notes
    return values, check.class_names(classes, name), "probs" if prefix == "prob_" else "logits", used, notes


def _other_class(frame: pl.DataFrame, given: str, name: str) -> str:
    labels = (
        _label_text(frame["label"], name).drop_nulls().unique().to_list() if "label" in frame.columns else []
    )
    others = sorted(label for label in labels if label != given)
    if len(others) != 1:
        arrived = f" ({check.shorten(others)})" if 1 < len(others) <= MOST_WRONG_SHOWN else ""
        raise InputError(
            f"{name}: with one column prob_{given} alone the labels must name exactly one other class, "
            f"{len(others)} arrived{arrived}; add a column prob_<other class>"
        )
    return str(others[0])


def _numbers(frame: pl.DataFrame, columns: list[str], name: str) -> NDArray[np.float64]:
    arrays = []
    for column in columns:
        series = frame[column]
        if series.dtype == pl.String:
            series = series.str.strip_chars().cast(pl.Float64, strict=False)
        elif not series.dtype.is_numeric():
            raise InputError(f"{name}: column {column} must hold numbers, it holds {series.dtype} values")
        if series.null_count():
            row = int(series.is_null().arg_max() or 0)
            raise InputError(
                f"{name}: column {column} must hold a finite number in every row, "
                f"{series.null_count()} do not (first in row {row + 1}); remove or repair them"
            )
        arrays.append(ties.widened(series.to_numpy()).astype(np.float64))
    return np.column_stack(arrays)


def _list_array(frame: pl.DataFrame, column: str, name: str) -> NDArray[Any]:
    """(N, width) of a list column."""
    series = frame[column]
    kind = series.dtype
    if not isinstance(kind, pl.List | pl.Array) or not getattr(kind, "inner", pl.String()).is_numeric():
        raise InputError(f"{name}: column {column} must hold a list of numbers in every row, it holds {kind}")
    width = kind.shape[0] if isinstance(kind, pl.Array) else series.list.len().max()
    ragged = isinstance(kind, pl.List) and series.list.len().n_unique() != 1
    if series.null_count() or ragged or not width:
        raise InputError(f"{name}: column {column} must hold a list of the same length in every row")
    return series.explode().to_numpy().reshape(frame.height, -1)


def _passes(frame: pl.DataFrame, classes: int, name: str) -> NDArray[Any] | None:
    """(S, N, K) of the column ``passes``, which holds S·K numbers per case."""
    if "passes" not in frame.columns:
        return None
    flat = _list_array(frame, "passes", name)
    if flat.shape[1] % classes:
        raise InputError(
            f"{name}: column passes needs one number per pass and class, "
            f"{flat.shape[1]} numbers do not divide into {classes} classes"
        )
    return flat.reshape(len(flat), -1, classes).transpose(1, 0, 2)


def text(series: pl.Series, name: str) -> pl.Series:
    """Ids, labels and the like as text: whole floats as integers, no blanks around, empty as null."""
    if series.dtype.is_nested() or series.dtype in (pl.Binary, pl.Object):
        raise InputError(
            f"{name}: column {series.name} must hold one text or number per row, it holds {series.dtype}"
        )
    if series.dtype.is_float():
        series = series.fill_nan(None)
        known = series.drop_nulls()
        if len(known) and float(known.abs().max()) >= LARGEST_WHOLE_FLOAT:  # type: ignore[arg-type]
            raise InputError(
                f"{name}: column {series.name} holds numbers too long for a float, "
                "their last digits are lost; store them as text"
            )
        if bool((known % 1 == 0).all()):
            series = series.cast(pl.Int64)
    stripped = series.cast(pl.String).str.strip_chars()
    return stripped.set(stripped == "", None)


def _label_text(series: pl.Series, name: str) -> pl.Series:
    if series.dtype.is_nested():
        raise InputError(
            f"{name}: one label per case is expected, column {series.name} holds several ({series.dtype}); "
            "audit each label of a multi-label task as a table of its own"
        )
    return text(series, name)


def _labels(frame: pl.DataFrame, classes: tuple[str, ...], name: str) -> NDArray[np.int64]:
    if "label" in frame.columns:
        return class_index(frame["label"], classes, name)
    several = [f"label_{label}" for label in classes if f"label_{label}" in frame.columns]
    if several:
        raise InputError(
            f"{name}: one column label with a class name is expected, {check.shorten(several)} arrived; "
            "audit each label of a multi-label task as a table of its own"
        )
    return np.full(frame.height, -1, dtype=np.int64)


def _decision(frame: pl.DataFrame, classes: tuple[str, ...], name: str) -> NDArray[np.int64] | None:
    if "decision" not in frame.columns:
        return None
    decision = class_index(frame["decision"], classes, name)
    if (decision < 0).any():
        raise InputError(f"{name}: column decision needs a class name in every row, some are empty")
    return decision


def class_index(series: pl.Series, classes: tuple[str, ...], name: str) -> NDArray[np.int64]:
    """(N,) index of each class name; -1 where it is empty. Refuses other names and several in one cell."""
    names = _label_text(series, name)
    index = names.replace_strict(
        {label: i for i, label in enumerate(classes)}, default=None, return_dtype=pl.Int64
    )
    wrong = names.filter(index.is_null() & names.is_not_null()).unique().sort().to_list()
    for value in wrong:
        for separator in "|;,+":
            parts = [part.strip() for part in value.split(separator)]
            if len(parts) > 1 and all(part in classes for part in parts):
                raise InputError(
                    f"{name}: one label per case is expected, column {series.name} holds several "
                    f"({value!r}); audit each label of a multi-label task as a table of its own"
                )
    if wrong:
        few = len(wrong) <= MOST_WRONG_SHOWN  # more than that are no class names, but perhaps patients
        shown = check.shorten(map(repr, wrong)) + check.nearest(wrong[0], classes) if few else "others"
        raise InputError(
            f"{name}: column {series.name} must hold class names ({check.shorten(classes, 10)}), "
            f"{shown} arrived; rename them or the columns of the classes"
        )
    return index.fill_null(-1).to_numpy()


def checked_metadata(metadata: pl.DataFrame, name: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Metadata with known columns as text, NaN and infinite values as empty, and notes.

    Columns of lists, bytes and the like are left out. Refuses an unknown split.
    """
    known = [column for column in TEXT if column in metadata.columns]
    metadata = metadata.with_columns([text(metadata[column], name) for column in known])
    odd = [
        column
        for column, kind in metadata.schema.items()
        if kind.is_nested() or kind in (pl.Binary, pl.Object)
    ]
    notes = [f"columns that hold lists or bytes were left out: {check.shorten(odd)}"] if odd else []
    metadata = metadata.drop(odd)
    floats = [pl.col(column) for column, kind in metadata.schema.items() if kind.is_float()]
    metadata = metadata.with_columns(pl.when(column.is_finite()).then(column) for column in floats)
    if "split" in known:
        for split in metadata["split"].drop_nulls().unique().sort().to_list():
            check.one_of(split, SPLITS, f"{name}: split")
    missing = metadata["patient"].null_count() if "patient" in known else 0
    if 0 < missing < metadata.height:
        notes.append(f"{missing} rows without a patient count as a patient each")
    return metadata, tuple(notes)
