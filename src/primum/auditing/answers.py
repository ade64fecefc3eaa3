"""What each decision rule answers, and every confidence score of rows of one network.

Audits, comparisons, policies, benches of scores and the explorer take their scores from :class:`Scoring`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from primum.auditing.options import OPERATING_COVERAGE, Options
from primum.core import check
from primum.core.arrays import Bools, Floats, Integers
from primum.core.check import InputError
from primum.judge import decision
from primum.judge.answers import Answers
from primum.judge.confidence import ALONE, LEARNED, PROBABILITIES, Evidence, Fit, Reference, confidences
from primum.judge.confidence.evidence import Fitted, Trained
from primum.judge.confidence.uncertainty import from_passes
from primum.judge.metrics import selective
from primum.predictions import Predictions
from primum.tables.selection import Selection, reordered

Probs = Mapping[str, Floats]
Scores = dict[str, Floats]
Reasons = dict[str, str]


@dataclass(frozen=True, eq=False)
class Scoring:
    """Every confidence score of rows of one network; what they are computed from is learned once.

    Attributes:
        fit: labelled rows to fit on, or None. train: rows the network was trained on, or None.
        names: the scores to compute before those that are learned from errors.
    """

    fit: Predictions | None = None
    train: Predictions | None = None
    names: tuple[str, ...] = ALONE

    @cached_property
    def reference(self) -> Reference | None:
        """The training rows, as scores look at them."""
        train = self.train
        if train is None:
            return None
        logits = train.logits if train.kind == "logits" else None
        return Reference(train.embeddings, train.labels, logits, train.stages)

    @cached_property
    def plain(self) -> Fit | None:
        """The fit rows, for what is learned from them whatever was answered."""
        return None if self.fit is None else Fit(self.fit.logits, self.fit.labels, self.fit.correct)

    @cached_property
    def of_fit(self) -> Scores:
        """Scores of the fit rows themselves; empty without any."""
        return {} if self.fit is None else self.of(self.fit)[0]

    def of(self, table: Predictions) -> tuple[Scores, Reasons]:
        """Name → (N,) score of rows, those of the table's columns last; name → why it is missing."""
        return confidences(evidence_of(table, self.reference, self.plain), self.names)

    def of_rule(self, correct: Bools, scores: Scores) -> Fit:
        """The fit rows, for what is learned from one rule's errors.

        Args:
            correct: (F,) whether its answers are right. scores: of the fit rows, those to learn from.
        """
        assert self.fit is not None
        return Fit(self.fit.logits, self.fit.labels, correct, scores)


def learned(
    fit: Fitted, tables: Sequence[Predictions], scores: Sequence[Mapping[str, Floats]]
) -> tuple[list[Scores], Reasons]:
    """Scores that are learned from errors, for each of several tables and their scores, and why not."""
    additions: list[Scores] = []
    missing: Reasons = {}
    for table, outside in zip(tables, scores, strict=True):
        computed, reasons = confidences(Evidence(table.probs, outside=outside, fit=fit), LEARNED)
        additions.append({name: computed[name] for name in LEARNED if name in computed})
        missing |= reasons
    return additions, missing


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
    scoring = Scoring(fit, train)
    shared, missing = scoring.of(test)
    fit_decisions = {} if fit is None else _decide(rows, fit, fit_probs, best, opts)
    by_rule = {}
    for rule, (calibrated, decisions) in _decide(rows, test, probs, best, opts).items():
        scores, reasons = shared | _of_recalibrated(test, probs, calibrated), dict(missing)
        of_fit: Scores = {}
        if fit is None:
            reasons |= confidences(Evidence(test.probs), LEARNED)[1]
        else:
            of_fit = scoring.of_fit | _of_recalibrated(fit, fit_probs, calibrated)
            if rule in fit_decisions:
                common = {name: score for name, score in of_fit.items() if name in scores}
                errors = scoring.of_rule(fit.labels == fit_decisions[rule][1], common)
                (of_test, again), unlearned = learned(errors, (test, fit), (scores, common))
                scores, of_fit, reasons = scores | of_test, of_fit | again, reasons | unlearned
            else:
                reasons |= dict.fromkeys(LEARNED, "the fit rows carry no column decision to learn from")
        threshold = {
            name: selective.threshold_at_coverage(of_fit.get(name, score), OPERATING_COVERAGE)
            for name, score in scores.items()
        }
        by_rule[rule] = Answers(rule, decisions, calibrated, scores, threshold, reasons)
    return by_rule


def training_rows(
    table: Predictions,
    like: Predictions,
    *,
    judged: Predictions | None = None,
    fit: Predictions | None = None,
) -> Predictions:
    """The train rows of a table, all without splits, in the order of classes of ``like``.

    Raises InputError for other classes, and when judged or fit cases are among them.
    """
    if "split" in table.metadata.columns:
        marked = (table.metadata["split"] == "train").fill_null(False).to_numpy()
        table = table.take(marked) if marked.any() else table
    check.same_classes(table.classes, like.classes, table.name, like.name)
    for rows, role in ((judged, "judged"), (fit, "fitted on")):
        shared = 0 if rows is None else len(set(table.ids) & set(rows.ids))
        if shared:
            raise InputError(
                f"{table.name}: training rows were expected, {shared} of them are {role}; remove them from "
                "one of the tables"
            )
    return reordered(table, like.classes)


def columns_of(table: Predictions) -> Scores:
    """The scores of a table's own columns, and those of its stochastic passes where it has several."""
    several = table.passes is not None and len(table.passes) > 1
    return (from_passes(table) if several else {}) | dict(table.scores)


def evidence_of(table: Predictions, reference: Trained | None = None, fit: Fitted | None = None) -> Evidence:
    """What a score may look at of the rows of a table."""
    logits = table.logits if table.kind == "logits" else None
    columns = columns_of(table)
    return Evidence(table.probs, logits, table.embeddings, columns, reference, fit, stages=table.stages)


def _decide(
    rows: Selection, table: Predictions, probs: Probs, best: str, opts: Options
) -> dict[str, tuple[str, Integers]]:
    """Rule → the recalibrator whose probabilities it used, and (N,) decisions."""
    decisions: dict[str, tuple[str, Integers]] = {"argmax": ("none", table.predicted)}
    if opts.cost is not None:
        weighed = probs[best]
        if opts.priors is not None:
            labels = (rows.test if rows.fit is None else rows.fit).labels
            observed = np.bincount(labels, minlength=len(table.classes)) / len(labels)
            weighed = decision.reprior(weighed, observed, opts.priors)
        decisions["bayes"] = (best, decision.bayes(weighed, opts.cost))
    if table.decision is not None:
        decisions["given"] = ("none", table.decision)
    return decisions


def _of_recalibrated(table: Predictions, probs: Probs, calibrated: str) -> Scores:
    """Scores of recalibrated probabilities, but for those that the table brings itself."""
    if calibrated == "none":
        return {}
    names = tuple(name for name in PROBABILITIES if name not in table.scores)
    return confidences(Evidence(probs[calibrated]), names)[0]
