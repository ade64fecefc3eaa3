"""What the columns of a table mean: one row per case, as in ``docs/formats.md``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from primum.core import check, columns, labels, names, ties
from primum.core.arrays import Array, Floats
from primum.core.check import InputError
from primum.core.columns import SPLITS
from primum.core.labels import text
from primum.predictions import Predictions
from primum.tables.stages import stages_of

TEXT = ("id", "label", "patient", "site", "split", "shift", "decision", "path")
PREFIXES = ("prob_", "logit_")
SCORE = "score_"
NUMERIC = re.compile(  # a number, or a few letters such as n/a
    r"[<>~≤≥]? ?[+-]?(\d{0,3}([.,]\d{3})?[.,]\d{1,17}(e[+-]?\d{1,3})?|\d{1,3}) ?%?|[#+-]?\w{0,3}[/.]?\w?"
)


def from_frame(
    frame: pl.DataFrame,
    mapping: Mapping[str, str],
    name: str,
    declared: Mapping[str, Any] | None = None,
    classes: Sequence[str] | None = None,
) -> Predictions:
    """Predictions from one row per case.

    Args:
        frame: the table.
        mapping: our column name → the table's own.
        name: what to call the table in messages.
        declared: classes, kind, source and notes, as our own Parquet carries them in its schema metadata.
        classes: the class names where they are known; then one probability is enough.
    """
    declared = declared or {}
    frame = _renamed(frame, mapping, name)
    if frame.height == 0:
        raise InputError(f"{name}: at least one case is needed, the table is empty")
    frame, near = columns.taken(frame)
    frame, index = columns.unnamed_id(frame)
    _complete(frame, name)
    values, classes, kind, used, notes = _values(frame, name, declared, classes)
    notes = (*near, *index, *notes, *columns.likely(frame.columns))
    scores = {
        column[len(SCORE) :]: _numbers(frame, [column], name)[:, 0]
        for column in frame.columns
        if column.startswith(SCORE)
    }
    used |= {"id", "label", "decision", "embedding", "passes"} | {SCORE + score for score in scores}
    observed = isinstance(frame.schema.get("stages"), pl.List | pl.Array)  # else stages of a disease, say
    used |= {"stages"} if observed else set()
    used |= set() if "label" in frame.columns else set(labels.one_hot_columns(frame.columns, classes))
    metadata, metadata_notes = checked_metadata(
        frame.select([column for column in frame.columns if column not in used]), name
    )
    fields: dict[str, Any] = {
        "scores": scores,
        "decision": labels.decision(frame, classes, name),
        "metadata": metadata,
        "passes": _passes(frame, len(classes), name),
        "embeddings": _list_array(frame, "embedding", name) if "embedding" in frame.columns else None,
        "stages": stages_of(_list_array(frame, "stages", name), declared.get("stages"), name)
        if observed
        else None,
        "source": declared.get("source", {}),
        "notes": tuple(dict.fromkeys((*declared.get("notes", ()), *notes, *metadata_notes))),
        "name": name,
    }
    ids, true = text(frame["id"], name), labels.of_frame(frame, classes, name)
    if kind == "probs":
        return Predictions.from_probs(ids, classes, true, values, **fields)
    return Predictions(ids, classes, true, values, kind, **fields)


def _complete(frame: pl.DataFrame, name: str) -> None:
    """Refuse a table without ids or answers, naming all that is missing and what may be meant by it."""
    answers = any(column.startswith(PREFIXES) or column == "logits" for column in frame.columns)
    lacking = [] if "id" in frame.columns else ["id"]
    lacking += [] if answers else ["prob"]
    if not lacking:
        return
    phrases = {
        "id": "a column id with one unique value per case",
        "prob": "a column prob_<class> or logit_<class> for every class",
    }
    option = columns.missing(frame, lacking)
    hint = f"try {option}" if option else "name them with --columns id=YOURS,prob_CLASS=YOURS"
    raise InputError(
        f"{name}: {' and '.join(phrases[lack] for lack in lacking)} is needed, the columns are "
        f"{columns.titles(frame)}; {hint}"
    )


def _renamed(frame: pl.DataFrame, mapping: Mapping[str, str], name: str) -> pl.DataFrame:
    if frame.columns and frame.columns[0] == "":  # what pandas calls a first column without a name
        mapping = {target: "" if title == "Unnamed: 0" else title for target, title in mapping.items()}
    for target, title in mapping.items():
        if title not in frame.columns:
            raise InputError(
                f"{name}: column {title!r}, mapped to {target}, is not in the table"
                f"{check.nearest(title, frame.columns)}; it has "
                f"{columns.titles(frame, 12)}"
            )
    taken = {*mapping, *mapping.values()}
    unmapped = [column for column in frame.columns if column not in taken]
    return frame.select(*unmapped, *(pl.col(title).alias(target) for target, title in mapping.items()))


def _values(
    frame: pl.DataFrame, name: str, declared: Mapping[str, Any], expected: Sequence[str] | None
) -> tuple[Array, tuple[str, ...], Any, set[str], tuple[str, ...]]:
    """Logits or probabilities of a table: values, classes, kind, the columns used, notes."""
    if "logits" in frame.columns and isinstance(frame.schema["logits"], pl.Array | pl.List):
        if "classes" not in declared:
            raise InputError(
                f"{name}: a list column 'logits' needs the class names in the file's schema metadata; "
                "write one column logit_<class> per class instead"
            )
        classes = check.class_names(declared["classes"], name)
        return _list_array(frame, "logits", name), classes, declared.get("kind", "logits"), {"logits"}, ()
    columns_of = {
        prefix: [column for column in frame.columns if column.startswith(prefix)] for prefix in PREFIXES
    }
    if not any(columns_of.values()):
        raise InputError(
            f"{name}: column logits must hold a list of numbers in every row, it holds "
            f"{frame.schema['logits']} values; write one column logit_<class> per class instead"
        )
    notes: tuple[str, ...] = ()
    if columns_of["prob_"] and columns_of["logit_"]:
        notes = ("the table holds logits and probabilities: the logits were used",)
    prefix = "logit_" if columns_of["logit_"] else "prob_"
    used = {*columns_of["prob_"], *columns_of["logit_"]}
    values = _numbers(frame, columns_of[prefix], name)
    classes = tuple(names.settle(column[len(prefix) :]) for column in columns_of[prefix])
    if len(classes) == 1 and prefix == "prob_":
        complement = _other_class(frame, classes[0], name, expected)
        check.unit_interval(values, name)
        return np.column_stack([1 - values, values]), (complement, classes[0]), "probs", used, notes
    if expected is not None:
        check.same_classes(classes, [names.settle(label) for label in expected], name, "what was expected")
    return values, check.class_names(classes, name), "probs" if prefix == "prob_" else "logits", used, notes


def _other_class(frame: pl.DataFrame, alone: str, name: str, expected: Sequence[str] | None) -> str:
    """The class that has no column where one column prob_<class> stands alone."""
    if expected is not None:
        candidates = [candidate for candidate in map(names.settle, expected) if candidate != alone]
        if len(candidates) != 1 or len(expected) != 2:
            raise InputError(
                f"{name}: with one column prob_{alone} two classes are expected, {alone} among them, "
                f"{check.shorten(expected)} arrived; name them with --classes"
            )
        return candidates[0]
    if "label" not in frame.columns:
        raise InputError(
            f"{name}: with one column prob_{alone} a column label must tell the other class, it is missing; "
            f"add it, or name both classes with --classes OTHER,{alone}"
        )
    two = ("0", "1") if alone in ("0", "1") else (alone,)
    observed = labels.label_text(frame["label"], two, name).drop_nulls().unique().to_list()
    others = sorted(label for label in observed if label != alone)
    if len(others) != 1:
        arrived = f" ({check.describe(others, (alone,))})" if others else ""
        raise InputError(
            f"{name}: with one column prob_{alone} the labels must name exactly one other class, "
            f"{len(others)} arrived{arrived}; name both classes with --classes OTHER,{alone}"
        )
    return str(others[0])


def _numbers(frame: pl.DataFrame, columns: list[str], name: str) -> Floats:
    arrays = []
    for column in columns:
        series = frame[column]
        if not (series.dtype == pl.String or series.dtype.is_numeric()):
            raise InputError(f"{name}: column {column} must hold numbers, it holds {series.dtype} values")
        read = (
            series.str.strip_chars().cast(pl.Float64, strict=False) if series.dtype == pl.String else series
        )
        if read.null_count():
            row = int(read.is_null().arg_max() or 0)
            raise InputError(
                f"{name}: column {column} must hold a finite number in every row, {read.null_count()} do "
                f"not, first in row {row + 1} {_cell(series[row])}"
            )
        series = read
        arrays.append(ties.widened(series.to_numpy()).astype(np.float64))
    return np.column_stack(arrays)


def _cell(value: object) -> str:
    """What stands in a cell that is no number, and what to do about it."""
    if value is None or not str(value).strip():
        return "where it is empty; remove or repair them"
    text = str(value)
    excerpt = repr(text) if NUMERIC.fullmatch(text) else "text"  # which may be a patient
    if "%" in text:
        return f"with {excerpt}; write shares between 0 and 1"
    if "," in text:
        return (
            f"with {excerpt}; write decimal points, or decimal commas in a file parted by semicolons or tabs"
        )
    return f"with {excerpt}; remove or repair them"


def _list_array(frame: pl.DataFrame, column: str, name: str) -> Array:
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


def _passes(frame: pl.DataFrame, classes: int, name: str) -> Array | None:
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


def checked_metadata(metadata: pl.DataFrame, name: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Metadata with known columns as text, NaN and infinite values as empty, and notes.

    Columns of lists, bytes and the like are left out. Refuses an unknown split.
    """
    text_columns = [column for column in TEXT if column in metadata.columns]
    spelled = [column for column, kind in metadata.schema.items() if kind == pl.String and column != "path"]
    metadata = metadata.with_columns(
        [
            text(metadata[column], name)
            for column in dict.fromkeys((*text_columns, *spelled))
            if column != "path"
        ]
    )
    if "path" in text_columns:  # the name of a file is a name to the file system, not to us
        metadata = metadata.with_columns(_path(metadata["path"], name))
    if "split" in text_columns:
        metadata = metadata.with_columns(pl.col("split").str.to_lowercase())
    odd = [
        column
        for column, kind in metadata.schema.items()
        if kind.is_nested() or kind in (pl.Binary, pl.Object)
    ]
    notes = [f"columns that hold lists or bytes were left out: {check.shorten(odd)}"] if odd else []
    metadata = metadata.drop(odd)
    floats = [pl.col(column) for column, kind in metadata.schema.items() if kind.is_float()]
    metadata = metadata.with_columns(pl.when(column.is_finite()).then(column) for column in floats)
    if "split" in text_columns:
        for split in metadata["split"].drop_nulls().unique().sort().to_list():
            check.cell_of(split, SPLITS, f"{name}: split")
    missing = metadata["patient"].null_count() if "patient" in text_columns else 0
    if 0 < missing < metadata.height:
        notes.append(f"{missing} rows without a patient count as a patient each")
    return metadata, tuple(notes)


def _path(series: pl.Series, name: str) -> pl.Series:
    if series.dtype != pl.String:
        return text(series, name)
    stripped = series.str.strip_chars()
    return stripped.set(stripped.is_in(sorted(names.MISSING)).fill_null(False), None)
