"""Which rows are judged, which are fitted on, and what becomes of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from primum.core import check
from primum.core.arrays import Strings
from primum.core.check import InputError
from primum.core.columns import SPLITS
from primum.predictions import Predictions


@dataclass(frozen=True, eq=False)
class Selection:
    """Labelled rows of one model's table.

    Attributes:
        test: the rows to judge. fit: the rows to fit on, in the same order of classes, or None.
        fit_name: where the fit rows come from, or None.
        counts: ``unlabelled`` and ``fit_rows`` as numbers, ``other_rows`` as split → rows not judged, and
            ``shared_patients`` as split → test rows of a patient who stands there too (with a split and a
            patient column); with fit rows ``validation_rows``, as :func:`validation_rows` counts them.
    """

    test: Predictions
    fit: Predictions | None = None
    fit_name: str | None = None
    counts: dict[str, Any] = field(default_factory=dict)


def select(table: Predictions, fit: Predictions | None = None) -> Selection:
    """Choose the rows of an audit.

    With a ``split`` column only ``test`` rows are judged; ``cal`` rows of the same table serve as fit rows
    when no fit table is given.

    Raises:
        InputError: without labelled test rows of two classes, or when fit and test share ids or patients.
    """
    counts: dict[str, Any] = {"other_rows": {}}
    fit_name = None if fit is None else fit.name
    test = table
    if "split" in table.metadata.columns:
        split = _splits(table)
        names, sizes = np.unique(split, return_counts=True)
        counts["other_rows"] = {str(s): int(c) for s, c in zip(names, sizes, strict=True) if s != "test"}
        test = judged_rows(table)
        if table.patients is not None:
            counts["shared_patients"] = _shared_patients(split, table.patients)
        if fit is None and (split == "cal").any():
            fit, fit_name = table.take(split == "cal"), "cal rows of the same file"
    test, counts["unlabelled"] = _labelled(test, "judged")
    if (np.bincount(test.labels) > 0).sum() < 2:
        raise InputError(
            f"{table.name}: judged rows of at least two classes are needed, "
            f"all {len(test)} are {test.classes[test.labels[0]]}"
        )
    if fit is not None:
        fit = _fit_rows(fit, test)
        counts |= {"fit_rows": len(fit), "validation_rows": validation_rows(fit)}
    return Selection(test, fit, fit_name, counts)


def _shared_patients(split: Strings, patients: pl.Series) -> dict[str, int]:
    """Other split → test rows whose patient stands there too."""
    judged = patients.filter(pl.Series(split == "test"))
    others = {
        str(name): patients.filter(pl.Series(split == name)) for name in np.unique(split) if name != "test"
    }
    return {name: int(judged.is_in(patient.unique().implode()).sum()) for name, patient in others.items()}


def _splits(table: Predictions) -> Strings:
    return table.metadata["split"].fill_null("(missing)").to_numpy().astype(str)


def _labelled(table: Predictions, noun: str) -> tuple[Predictions, int]:
    labelled = table.labels >= 0
    if not labelled.any():
        raise InputError(
            f"{table.name}: at least one {noun} row needs a label, none has one; "
            "add a column label with class names or name yours with --columns label=YOURS"
        )
    return (table if labelled.all() else table.take(labelled)), int((~labelled).sum())


def fit_rows(table: Predictions) -> Predictions:
    """The labelled rows of a table that something may be fitted on: cal rows, else any but train and test.

    Raises InputError when there are none, or when all are of one class.
    """
    if "split" in table.metadata.columns:
        split = _splits(table)
        usable = split == "cal" if (split == "cal").any() else ~np.isin(split, ["train", "test"])
        if not usable.any():
            raise InputError(
                f"{table.name}: fit rows must be neither train nor test rows, "
                f"all are marked {check.describe(sorted(set(split)), SPLITS)}; give a calibration split"
            )
        table = table.take(usable)
    table = _labelled(table, "fit")[0]
    if (np.bincount(table.labels) > 0).sum() < 2:
        raise InputError(f"{table.name}: fit rows of at least two classes are needed, all are of one class")
    return table


def validation_rows(rows: Predictions) -> int:
    """Rows on which the network was stopped or chosen, so that it is oftener right there than on new cases.

    They are marked ``val``, or with the split that ``selected_on`` of the table's source, or of a member's
    in it, names.

    >>> rows = pl.DataFrame({"split": ["val", "cal"]})
    >>> validation_rows(Predictions(["a", "b"], ("0", "1"), [0, 1], np.eye(2), metadata=rows))
    1
    """
    if "split" not in rows.metadata.columns:
        return 0
    members = rows.source.get("members")
    sources = [rows.source, *(members if isinstance(members, list | tuple) else ())]
    named = {
        str(source["selected_on"])
        for source in sources
        if isinstance(source, Mapping) and "selected_on" in source
    }
    return int(np.isin(_splits(rows), ["val", *named]).sum())


def judged_rows(table: Predictions) -> Predictions:
    """The test rows of a table, labelled or not; all its rows where it has no splits.

    Raises InputError when it has splits and none is test.
    """
    if "split" not in table.metadata.columns:
        return table
    split = _splits(table)
    if not (split == "test").any():
        raise InputError(
            f"{table.name}: no row is marked split=test ({check.describe(sorted(set(split)), SPLITS)} "
            "arrived); only test rows are judged, so mark them or leave the column out"
        )
    return table.take(split == "test")


def _fit_rows(fit: Predictions, test: Predictions) -> Predictions:
    check.same_classes(fit.classes, test.classes, fit.name, test.name)
    fit = reordered(fit_rows(fit), test.classes)
    if fit.kind != test.kind:
        raise InputError(
            f"{fit.name}: fit and test rows must both hold logits or both probabilities, "
            f"{fit.kind} and {test.kind} arrived"
        )
    check.disjoint(fit.ids, test.ids, "id", f"{fit.name} and {test.name}")
    if fit.patients is not None and test.patients is not None:
        check.disjoint(
            fit.patients.unique(), test.patients.unique(), "patient", f"{fit.name} and {test.name}"
        )
    return fit


def reordered(table: Predictions, classes: tuple[str, ...]) -> Predictions:
    """The same table with its classes in another order of the same names.

    >>> table = Predictions(["a"], ("benign", "malignant"), [0], [[2.0, 0.0]])
    >>> reordered(table, ("malignant", "benign")).logits.tolist()
    [[0.0, 2.0]]
    """
    if table.classes == classes:
        return table
    at = np.array([table.classes.index(name) for name in classes])
    back = np.argsort(at)
    return replace(
        table,
        classes=classes,
        # an unknown label, -1, would read the last class
        labels=np.where(table.labels >= 0, back[table.labels], -1),
        logits=table.logits[:, at],
        passes=None if table.passes is None else table.passes[:, :, at],
        decision=None if table.decision is None else back[table.decision],
    )


def stacked(parts: Sequence[Predictions], renamed: bool = True) -> Predictions:
    """Tables of one network under each other, with what all of them carry; without passes and decisions.

    Args:
        parts: of the same classes, in one order, and of one kind.
        renamed: whether ids after the first table get its number, so that copies of one case may stand here.

    >>> table = Predictions(["a"], ("benign", "malignant"), [0], [[2.0, 0.0]])
    >>> stacked([table, table]).ids.to_list()
    ['a', 'a #2']
    """
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    ids = [
        part.ids if number == 1 or not renamed else part.ids + f" #{number}"
        for number, part in enumerate(parts, start=1)
    ]
    embeddings = [part.embeddings for part in parts if part.embeddings is not None]
    stages = [part.stages for part in parts if part.stages is not None]
    complete = len(stages) == len(parts) and len({len(stage) for stage in stages}) == 1
    shared = [name for name in first.scores if all(name in part.scores for part in parts)]
    return Predictions(
        pl.concat(ids),
        first.classes,
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.logits for part in parts]),
        first.kind,
        embeddings=np.concatenate(embeddings) if len(embeddings) == len(parts) else None,
        stages=tuple(np.concatenate(each) for each in zip(*stages, strict=True)) if complete else None,
        scores={name: np.concatenate([part.scores[name] for part in parts]) for name in shared},
        metadata=_under_each_other(parts),
        source=first.source,
        name=first.name,
    )


def _under_each_other(parts: Sequence[Predictions]) -> pl.DataFrame:
    """Their metadata; empty in the rows of a table without any."""
    known = next((part.metadata for part in parts if part.metadata.width), pl.DataFrame())
    return pl.concat(
        [part.metadata if part.metadata.width else known.clear(len(part)) for part in parts],
        how="diagonal_relaxed",
    )


def same_cases(first: Selection, second: Selection) -> tuple[Selection, Selection]:
    """The two selections, with the patients of either where only one of them knows any.

    Raises InputError unless both judge the same ids with the same labels and patients, in the same order.
    """
    a, b = first.test, second.test
    only = len(set(a.ids) ^ set(b.ids))
    if only:
        raise InputError(
            f"{a.name} and {b.name}: a paired comparison needs the same judged ids on both sides, "
            f"{only} stand on one side only; compare on the cases both have"
        )
    differing = int((np.array(b.classes)[b.labels] != np.array(a.classes)[a.labels]).sum())
    if differing:
        raise InputError(f"{a.name} and {b.name}: the labels of {differing} cases differ; use one reference")
    if a.patients is None and b.patients is None:
        return first, second
    if a.patients is None or b.patients is None:
        patients = b.patients if a.patients is None else a.patients
        pair = [replace(side, test=_of(side.test, patients)) for side in (first, second)]
        return pair[0], pair[1]
    moved = int((a.patients != b.patients).sum())
    if moved:
        raise InputError(
            f"{a.name} and {b.name}: the patients of {moved} cases differ, and pairing needs the same on "
            "both sides; use one list of patients"
        )
    return first, second


def _of(table: Predictions, patients: pl.Series | None) -> Predictions:
    assert patients is not None
    return replace(table, metadata=table.metadata.with_columns(patients.alias("patient")))
