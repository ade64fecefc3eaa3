"""Columns that are named almost as ours: taken, noted, or guessed for a sentence that says what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import polars as pl

from primum.core import check

SPLITS = ("train", "val", "cal", "test")
# Spellings that can mean nothing else; letters and digits alone count.
TAKEN: dict[str, tuple[str, ...]] = {
    "id": ("id", "ids"),
    "label": ("label", "labels"),
    "patient": ("patient", "patients", "patientid", "patientids"),
    "split": ("split", "splits"),
    "site": ("site", "sites"),
    "path": ("path", "paths"),
}
# Spellings that may mean it; the user is asked.
LIKELY: dict[str, tuple[str, ...]] = {
    "id": (
        "image", "imageid", "imagename", "filename", "file", "case", "caseid", "studyuid", "study", "uid",
        "sopinstanceuid", "name", "sample", "sampleid", "index",
    ),
    "label": (
        "gt", "groundtruth", "truth", "target", "targets", "ytrue", "y", "class", "diagnosis", "dx",
        "outcome",
    ),
    "patient": ("subject", "subjectid", "participant", "participantid", "mrn", "pid", "personid"),
    "split": ("fold", "subset", "partition", "set"),
}  # fmt: skip
POSITIVE = (
    "prob", "probs", "probability", "proba", "score", "scores", "yprob", "yscore", "ypred", "pred", "pnew",
    "pold", "p", "p1", "prediction", "output", "softmax", "risk",
)  # fmt: skip
PER_CLASS = re.compile(
    r"^(?:p|prob|proba|probs|probability|softmax|score|pred)[ _.:-]*(\S.*)$", re.IGNORECASE
)
DIGITS = 4  # of a name that may be a record number
OURS = ("prob_", "logit_", "score_", "label_")
VALUE = re.compile(r"\s*[+-]?\d[\d.,:/eE+ -]*$")
UNNAMED = ("", "Unnamed: 0", "__index_level_0__")


def titles(frame: pl.DataFrame, limit: int = 8) -> str:
    """The columns of a table for a sentence; only their number where the header may be a row of cases.

    A file without a header has its first row as names of columns: a patient may stand in it.
    """
    names = [column or "(no name)" for column in frame.columns]
    if any(_is_value(column, frame[column]) for column in frame.columns):
        return f"{len(names)}, and the first line seems to be a case and no header; add a line of names"
    return check.shorten(names, limit)


def _is_value(column: str, values: pl.Series) -> bool:
    """Whether the name of a column looks like one of its cells: a number or date, or what stands below."""
    if VALUE.match(column) and not column.isdecimal():
        return True
    if len(re.findall(r"\d", column)) >= DIGITS and not column.startswith(OURS):
        return True
    return values.dtype == pl.String and bool((values == column).any())


def plain(column: str) -> str:
    """Letters and digits of a column's name, in lower case.

    >>> plain("Patient ID")
    'patientid'
    """
    return re.sub(r"[^0-9a-z]", "", column.casefold())


def taken(frame: pl.DataFrame, among: Sequence[str] = tuple(TAKEN)) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The table with columns that can only be ours under our names, and a note on each.

    A patient, site or path keeps its own column too. A split is taken where it holds splits alone.
    """
    notes = []
    for target in among:
        near = [column for column in frame.columns if plain(column) in TAKEN[target] and column != target]
        if target in frame.columns or not near:
            continue
        if len(near) > 1:
            several, hint = check.shorten(near), _say(target, near[0])
            notes.append(f"columns {several} are not read as {target}, as only one can be; {hint}")
            continue
        (column,) = near
        if target == "split" and not _are_splits(frame[column]):
            values = check.shorten(SPLITS)
            notes.append(f"column {column} is not read as split, as it holds other values than {values}")
            continue
        notes.append(f"column {column} was read as {target}")
        frame = (
            frame.rename({column: target})
            if target in ("id", "label")
            else frame.with_columns(pl.col(column).alias(target))
        )
    return frame, tuple(notes)


def likely(columns: Sequence[str]) -> tuple[str, ...]:
    """A note on each column that may be the patient or the split and is read as neither."""
    return tuple(
        f"column {column} is not read as {target}; if it is the {target}, {_say(target, column)}"
        for target in ("patient", "split")
        if target not in columns
        for column in columns
        if plain(column) in LIKELY[target]
    )


def unnamed_id(frame: pl.DataFrame) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The table with its unnamed first column as ids, where nothing else can be the id."""
    first = frame.columns[0] if frame.columns else ""
    others = [column for column in frame.columns if plain(column) in (*TAKEN["id"], *LIKELY["id"])]
    if "id" in frame.columns or not frame.columns or first not in UNNAMED or others:
        return frame, ()
    if frame[first].null_count() or frame[first].n_unique() < frame.height:
        return frame, ()
    return frame.rename({first: "id"}), ("the first column has no name and was read as id",)


def missing(frame: pl.DataFrame, lacking: Sequence[str]) -> str:
    """Guesses for lacking columns (``id``, ``prob``, ``label``) as the option that would work, or empty.

    >>> missing(pl.DataFrame({"file": ["a.png"], "y_prob": [0.3]}), ["id", "prob"])
    '--columns id=file,prob_1=y_prob'
    """
    guesses: dict[str, str] = {}
    for target in (*lacking, "label"):
        if target == "prob":
            guesses |= _probabilities(frame)
        elif target not in frame.columns and target not in guesses:
            near = [column for column in frame.columns if plain(column) in (*TAKEN[target], *LIKELY[target])]
            if near:
                guesses[target] = near[0]
    if not guesses:
        return ""
    text = ",".join(f"{target}={title}" for target, title in guesses.items())
    return f'--columns "{text}"' if re.search(r"[^\w=,.-]", text) else f"--columns {text}"


def _probabilities(frame: pl.DataFrame) -> Mapping[str, str]:
    numbers = [column for column, kind in frame.schema.items() if kind.is_float()]
    single = [column for column in numbers if plain(column) in POSITIVE]
    if len(single) == 1:
        return {"prob_1": single[0]}
    per_class = {column: PER_CLASS.match(column) for column in numbers}
    return {f"prob_{match[1]}": column for column, match in per_class.items() if match}


def _say(target: str, title: str) -> str:
    return f"name it with --columns {target}={title}"


def _are_splits(values: pl.Series) -> bool:
    if values.dtype != pl.String:
        return False
    spellings = values.drop_nulls().str.strip_chars().str.to_lowercase().unique().to_list()
    return bool(spellings) and set(spellings) <= set(SPLITS)
