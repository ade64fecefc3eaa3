"""The veto of a policy: by which novelty score, and from what value on a case passes."""

from __future__ import annotations

from collections.abc import Container, Sequence

import numpy as np

from primum.auditing.answers import evidence_of
from primum.auditing.policy.terms import Veto
from primum.auditing.preparation import codes
from primum.core import check
from primum.core.arrays import Bools, Floats, Integers
from primum.core.check import InputError
from primum.judge.confidence.evidence import Trained
from primum.judge.confidence.scores import NOVELTY, SCORES, UNFITTED, not_applicable
from primum.judge.deferral import veto
from primum.predictions import Predictions

AUTO = "auto"


def choose(
    name: str,
    rows: Predictions,
    reference: Trained | None,
    columns: Container[str],
    order: Container[str] = (),
) -> str:
    """The novelty score a veto is to ask by: the one named, or for ``auto`` the first that applies.

    Args:
        name: ``auto``, a score that is learned from nothing but training rows, or a column of the table.
        rows: the fit rows. reference: what scores learned of training rows. columns: scores of the table.
        order: scores that a threshold is read on, which a veto would only repeat.

    Raises:
        InputError: for a score that looks at fit rows or answers, or that is the order; and for ``auto``
            where none applies.
    """
    name = name.removeprefix("score_")
    if name != AUTO:
        if name in order:
            raise InputError(
                f"--veto: another score than the order of the answers was expected, {name} is both; choose "
                "another --score or another --veto"
            )
        if name not in columns:
            check.one_of(name, (AUTO, *SCORES), "--veto: score")
            if name not in UNFITTED:
                raise InputError(
                    f"--veto: a score that owes nothing to fit rows and answers was expected, {name} "
                    f"arrived; choose one of {check.shorten(NOVELTY)}"
                )
        return name
    evidence = evidence_of(rows, reference)
    reasons = {
        score: "it orders the answers" if score in order else not_applicable(score, evidence)
        for score in NOVELTY
    }
    chosen = next((score for score, why in reasons.items() if not why), None)
    if chosen is None:
        why = "; ".join(f"{score}: {reason}" for score, reason in reasons.items())
        raise InputError(f"--veto auto: no novelty score applies to {rows.name} ({why})")
    return chosen


def fitted(
    score: str,
    rate: float,
    novelty: Sequence[Floats],
    at: Sequence[Integers],
    rows: Predictions,
    portion: Bools,
) -> Veto:
    """The veto that the rows of a portion allow.

    Args:
        score: its name. rate: of false vetoes, above 0 and below 1.
        novelty: the score of the fit rows (N,), and of each set of their copies.
        at: for each of these the fit row that a case is, or is a copy of. rows: the fit rows.
        portion: (N,) bool, fit rows kept for the veto.

    Raises InputError where they are too few.
    """
    units = codes(rows.ids if rows.patients is None else rows.patients)
    scores = np.concatenate([values[portion[index]] for values, index in zip(novelty, at, strict=True)])
    owner = np.concatenate([units[index][portion[index]] for index in at])
    lowest = veto.minima(scores, owner)
    noun = "patients" if rows.patients is not None else "cases"
    enough = veto.fewest(rate)
    if len(lowest) < enough:
        raise InputError(
            f"{rows.name}: a veto at {rate:.3g} needs {enough} {noun} in the quarter of the fit rows that is "
            f"kept for it, {len(lowest)} are there; bring at least {4 * enough} {noun}, or raise --veto-rate"
        )
    gate = veto.gate(lowest, rate)
    return Veto(score, gate.threshold, rate, gate.bound, k=gate.k, units=gate.units, rows=int(portion.sum()))


def passing(terms: Veto, novelty: Floats) -> Bools:
    """(N,) whether each novelty score (N,) passes."""
    gate = veto.Gate(terms.threshold, terms.rate, terms.k, terms.units, terms.bound)
    return gate.passes(novelty)
