"""What each decision rule answers to the judged rows, with every confidence score of its answers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from primum.auditing.options import OPERATING_COVERAGE, Options
from primum.core.arrays import Bools, Floats, Integers
from primum.judge import decision
from primum.judge.answers import Answers
from primum.judge.confidence import ALONE, LEARNED, PROBABILITIES, Evidence, Fit, Reference, confidences
from primum.judge.confidence.uncertainty import from_passes
from primum.judge.metrics import selective
from primum.predictions import Predictions
from primum.tables.selection import Selection

Probs = Mapping[str, Floats]


def answers(
    rows: Selection,
    probs: Probs,
    fit_probs: Probs,
    best: str,
    opts: Options,
    train: Predictions | None = None,
) -> dict[str, Answers]:
    """Rule → answers: ``argmax``, ``bayes`` with a severity matrix, ``given`` with a column decision.

    Scores of the probabilities are those of the probabilities a rule decides on.

    Args:
        rows: judged and fit rows. probs, fit_probs: recalibrator → (N, K) of the judged and of the fit rows.
        best: the recalibrator Bayes decisions use. train: rows the network was trained on, or None.
    """
    test, fit = rows.test, rows.fit
    plain = None if fit is None else Fit(fit.logits, fit.labels, fit.correct)
    reference = None if train is None else reference_of(train)
    shared, missing = confidences(evidence_of(test, reference, plain), ALONE)
    fitted = {} if fit is None else confidences(evidence_of(fit, reference, plain), ALONE)[0]
    made = {}
    for rule, (calibrated, decisions) in _decided(rows, test, probs, best, opts).items():
        known = shared | _moved(test, probs, calibrated)
        seen, why = {}, dict(missing)
        if fit is None:
            why |= confidences(Evidence(test.probs), LEARNED)[1]
        else:
            seen = fitted | _moved(fit, fit_probs, calibrated)
            decided = _decided(rows, fit, fit_probs, best, opts)
            if rule in decided:
                combined, also = _combined(known, seen, test, fit, fit.labels == decided[rule][1])
                known, seen, why = known | combined[0], seen | combined[1], why | also
            else:
                why |= dict.fromkeys(LEARNED, "the fit rows carry no column decision to learn from")
        threshold = {
            name: selective.threshold_at_coverage(seen.get(name, score), OPERATING_COVERAGE)
            for name, score in known.items()
        }
        made[rule] = Answers(rule, decisions, calibrated, known, threshold, why)
    return made


def beside(table: Predictions) -> dict[str, Floats]:
    """The scores of a table's own columns, and those of its stochastic passes where it has several."""
    several = table.passes is not None and len(table.passes) > 1
    return (from_passes(table) if several else {}) | dict(table.scores)


def evidence_of(table: Predictions, reference: Reference | None = None, fit: Fit | None = None) -> Evidence:
    """What a score may look at of the rows of a table."""
    logits = table.logits if table.kind == "logits" else None
    return Evidence(table.probs, logits, table.embeddings, beside(table), reference, fit)


def reference_of(train: Predictions) -> Reference:
    """Rows a network was trained on, as scores look at them."""
    return Reference(train.embeddings, train.labels, train.logits if train.kind == "logits" else None)


def _decided(
    rows: Selection, table: Predictions, probs: Probs, best: str, opts: Options
) -> dict[str, tuple[str, Integers]]:
    """Rule → the recalibrator whose probabilities it used, and (N,) decisions."""
    used: dict[str, tuple[str, Integers]] = {"argmax": ("none", table.predicted)}
    if opts.cost is not None:
        moved = probs[best]
        if opts.priors is not None:
            seen = (rows.test if rows.fit is None else rows.fit).labels
            observed = np.bincount(seen, minlength=len(table.classes)) / len(seen)
            moved = decision.reprior(moved, observed, opts.priors)
        used["bayes"] = (best, decision.bayes(moved, opts.cost))
    if table.decision is not None:
        used["given"] = ("none", table.decision)
    return used


def _moved(table: Predictions, probs: Probs, calibrated: str) -> dict[str, Floats]:
    """Scores of recalibrated probabilities, but for those that the table brings itself."""
    if calibrated == "none":
        return {}
    names = tuple(name for name in PROBABILITIES if name not in table.scores)
    return confidences(Evidence(probs[calibrated]), names)[0]


def _combined(
    known: Probs, seen: Probs, test: Predictions, fit: Predictions, correct: Bools
) -> tuple[tuple[dict[str, Floats], dict[str, Floats]], dict[str, str]]:
    """What is learned from the fit rows, on the judged and on the fit rows, and why nothing is."""
    both = {name: score for name, score in seen.items() if name in known}
    learned = Fit(fit.logits, fit.labels, correct, both)
    scores = []
    for table, outside in ((test, known), (fit, both)):
        found, missing = confidences(Evidence(table.probs, outside=outside, fit=learned), LEARNED)
        scores.append({name: found[name] for name in LEARNED if name in found})
    return (scores[0], scores[1]), missing
