"""Several models asked about the same cases, made into one answer: ``primum ensemble``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from primum.core import bounds, check
from primum.core.arrays import Array, Floats
from primum.core.check import InputError
from primum.judge import decision, stacking
from primum.judge.confidence import uncertainty
from primum.predictions import Predictions
from primum.tables.alignment import aligned
from primum.tables.selection import fit_rows, reordered, validation_rows

HOW = ("mean", "stacking")


@dataclass(frozen=True, eq=False)
class Ensemble:
    """One answer of several members.

    Attributes:
        answers: of the cases of the members.
        fit: of the fit rows, where they were given. Of a stacking these are out-of-fold: no case was answered
            with weights that its own patient helped to fit, so recalibration and thresholds may use them.
        comparison: what the fit rows say of mean and stacking, one sentence; empty without stacking.
    """

    answers: Predictions
    fit: Predictions | None
    comparison: str = ""


def ensemble(
    members: Sequence[Predictions],
    fits: Sequence[Predictions] | None = None,
    how: str = "mean",
    seed: int = 0,
) -> Ensemble:
    """Combine members by the mean of their probabilities, or by stacking fitted on their fit rows.

    Args:
        members: two or more tables of the same cases, labels and classes, in any order. Metadata are those of
            the first, patients those of the first that knows any.
        fits: one table per member, of rows that are not among the cases; needed for stacking, which takes
            cal rows, or those that are neither train nor test, where a column split tells.
        how: ``mean`` or ``stacking``, see :mod:`primum.judge.stacking`.
        seed: of the folds of the stacking.

    Returns:
        Predictions of kind ``log_probabilities``, the ``ensemble_…`` scores of
        :mod:`primum.judge.confidence.uncertainty` over the members as they came (WAIC and disagreement speak
        of the class the ensemble answers), and a source that names the members.

    Raises:
        InputError: for fewer than two members, members that differ in cases, labels or classes (naming the
            first difference), stacking without labelled fit rows, or fit rows that are among the cases.
    """
    check.one_of(how, HOW, "--how:")
    bounds.seed(seed)
    shared = aligned(members)
    fitted = None if fits is None else _fitted(fits, shared)
    if how == "mean":
        source: dict[str, object] = {"ensemble": "mean probability"}
        of_fit = None if fitted is None else _answers(fitted, _mean(fitted), source)
        return Ensemble(_answers(shared, _mean(shared), source), of_fit)
    if fitted is None:
        raise InputError(
            "--how stacking: a table of fit rows for every member is needed to fit the weights, none came; "
            "give each with --fit, or combine by the mean"
        )
    fitted, of_val = _unseen(fitted)
    labels, patients = fitted[0].labels, fitted[0].patients
    fold = stacking.folds(labels, fitted[0].classes, None if patients is None else patients.to_numpy(), seed)
    stacked = stacking.fit(_log_probs(fitted), labels, fold)
    of_mean = float(stacking.nll(_mean(fitted), labels).mean())
    source = {
        "ensemble": "stacking",
        "stacking": {
            "fit_rows": len(labels), "strength": stacked.strength, "cv_nll": stacked.cv_nll,
            "nll_of_mean": of_mean, "seed": seed,
        },
    }  # fmt: skip
    better = "better" if stacked.cv_nll < of_mean else "not better"
    comparison = (
        f"on {len(labels)} fit rows stacking is {better} than the mean of the members: cross-validated "
        f"negative log-likelihood {stacked.cv_nll:.4f} against {of_mean:.4f}"
    )
    of_fit = replace(
        _answers(fitted, stacked.held_out, source | {"out_of_fold": True}),
        notes=(*fitted[0].notes, *of_val, "answers of a stacking, each out of fold"),
    )
    answers = _answers(shared, stacked(_log_probs(shared)), source)
    answers = replace(answers, notes=(*answers.notes, *of_val))
    if stacked.cv_nll >= of_mean:
        answers = replace(answers, notes=(*answers.notes, comparison))
    return Ensemble(answers, of_fit, comparison)


def _fitted(fits: Sequence[Predictions], members: Sequence[Predictions]) -> list[Predictions]:
    """The labelled fit rows of every member, in one order."""
    if len(fits) != len(members):
        raise InputError(
            f"--fit: one table of fit rows for each of {len(members)} members is needed, in their order, "
            f"{len(fits)} arrived"
        )
    tables, first = aligned(fits), members[0]
    check.same_classes(tables[0].classes, first.classes, tables[0].name, first.name)
    labelled = tables[0].labels >= 0
    if not labelled.any():
        raise InputError(f"{tables[0].name}: fit rows need labels, none has one")
    where = f"{tables[0].name} and {first.name}"
    check.disjoint(tables[0].ids, first.ids, "id", where)
    if tables[0].patients is not None and first.patients is not None:
        check.disjoint(tables[0].patients.unique(), first.patients.unique(), "patient", where)
    return [reordered(part.take(labelled), first.classes) for part in tables]


def _unseen(fits: list[Predictions]) -> tuple[list[Predictions], tuple[str, ...]]:
    """Rows of aligned tables that weights may be fitted on, and a note where networks were chosen on some.

    By the first table that knows splits: its cal rows, else any but train and test rows.
    """
    marked = next((part for part in fits if "split" in part.metadata.columns), None)
    if marked is None:
        return fits, ()
    usable = fit_rows(marked)
    rows = marked.ids.is_in(usable.ids.implode()).to_numpy()
    count = validation_rows(usable)
    note = (
        f"the stacking was fitted on {count} validation rows, on which members were stopped or chosen: it "
        "may trust the ones that fit these rows too much"
    )
    return [part.take(rows) for part in fits], (note,) if count else ()


def _log_probs(members: Sequence[Predictions]) -> Floats:
    return np.stack([member.log_probs for member in members])


def _mean(members: Sequence[Predictions]) -> Floats:
    # added up one by one: a stack of all members would hold them all in memory at once
    total = np.zeros(members[0].logits.shape)
    for member in members:
        total += member.probs
    return total / len(members)


def _answers(members: Sequence[Predictions], probs: Array, source: dict[str, object]) -> Predictions:
    first = members[0]
    spread = uncertainty.collected(member.probs for member in members).scores(decision.argmax(probs))
    with np.errstate(divide="ignore"):
        answers = np.log(probs)
    return Predictions(
        first.ids, first.classes, first.labels, answers, "log_probabilities",
        scores={f"ensemble_{name}": score for name, score in spread.items()},
        metadata=first.metadata,
        source=source | {"members": [{"name": member.name, **member.source} for member in members]},
        notes=tuple(dict.fromkeys(note for member in members for note in member.notes)),
        name="ensemble",
    )  # fmt: skip
