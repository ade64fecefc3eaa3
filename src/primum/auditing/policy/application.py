"""Apply a policy to a table: which answers are used, which go to a reader, and what that achieves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from primum import tables
from primum.auditing.guards import CHANCE, first_cases
from primum.auditing.policy import vetoes
from primum.auditing.policy.document import Policy
from primum.auditing.policy.rows import reader_of, require, scored, severity_of, threshold_of_each
from primum.auditing.policy.terms import FitRows, StatedReader
from primum.auditing.preparation import codes
from primum.core import check
from primum.core.arrays import Array, Bools, Floats
from primum.core.check import InputError
from primum.judge.answers import View
from primum.judge.confidence.combined import Combined
from primum.judge.confidence.storage import StoredFit, StoredReference
from primum.judge.confidence.weighted import Weighted
from primum.judge.deferral.measure import deferral
from primum.judge.deferral.recalibrated import from_plain
from primum.judge.deferral.scored import Decided, Scored
from primum.judge.finding import Finding, warning
from primum.judge.recalibration.recalibrators import Temperature
from primum.judge.statistics import homogeneity
from primum.predictions import Predictions
from primum.severity import SeverityMatrix
from primum.tables.selection import judged_rows, reordered


@dataclass(frozen=True, eq=False)
class Applied:
    """A policy on the rows of a table.

    Attributes:
        policy: what was applied. table: the judged rows, labelled or not.
        decided: their answers, in the table's order of classes.
    """

    policy: Policy
    table: Predictions
    decided: Decided

    def frame(self) -> pl.DataFrame:
        """One row per case: ``id``, ``decision``, ``confidence``, ``action`` (accepted, deferred), ``reason``

        The reason is ``unfamiliar`` where the veto sent a case away, ``unsure`` where its confidence did.
        """
        return pl.DataFrame(
            {
                "id": self.table.ids,
                "decision": pl.Series(self.table.classes)[self.decided.decisions],
                "confidence": self.decided.confidence,
                "action": np.where(self.decided.accepted, "accepted", "deferred"),
                "reason": self.decided.reason,
            }
        )

    def findings(
        self, severity_source: SeverityMatrix | str | Path | None = None, reader: StatedReader | None = None
    ) -> list[Finding]:
        """What the policy achieves on the labelled rows, then its warnings, which need no labels.

        Args:
            severity_source: costs to judge by, default those the policy was fitted with.
            reader: the stated reader, default the policy's, else the ``defer`` cost of the severity.
        """
        labelled = self.table.labels >= 0
        if not labelled.any():
            return warnings(self.policy, self.table, self.decided.accepted)
        rows, decided = self.table.take(labelled), self.decided.take(labelled)
        matrix, cells = severity_of(self.policy, rows.classes, severity_source)
        view = _view(rows, matrix, cells)
        stated = reader_of(reader or self.policy.reader, matrix, rows.classes)
        judged = [metric.finding(view) for metric in deferral(view, decided, stated)]
        return judged + warnings(self.policy, self.table, self.decided.accepted)


def apply(policy: Policy | str | Path, table: Any, columns: Mapping[str, str] | None = None) -> Applied:
    """Accept or defer every judged row of a table: its test rows, or all where it has no splits.

    Args:
        policy: fitted, or the path of a policy file. table: whatever ``tables.read`` takes.
        columns: our column name → the table's own.

    Raises:
        InputError: for rows or patients the policy was fitted on, another class set, other outputs, a score
            or a group that is not there.
    """
    policy = policy if isinstance(policy, Policy) else Policy.read(policy)
    table = judged_rows(tables.read(table, columns, classes=policy.classes))
    check.same_classes(table.classes, policy.classes, table.name, "the policy")
    if table.kind != policy.outputs:
        raise InputError(
            f"{table.name}: the policy was fitted on {policy.outputs}, {table.kind} arrived; "
            "fit a policy on a table like this one"
        )
    if policy.training is not None and policy.trained is None:
        raise InputError("policy: the arrays of its score are not here; read it from its file")
    policy.refuse_fitted(table.ids, None if table.patients is None else table.patients.unique(), table.name)
    ordered = reordered(table, policy.classes)
    matrix, cells = severity_of(policy, policy.classes)
    recalibrator = from_plain(policy.recalibrator, "policy")
    answers = scored(
        ordered, policy.decision, str(policy.recalibrator["form"]), recalibrator, matrix, cells,
        names=policy.inputs, reference=policy.trained or StoredReference({}), fitted=_fitted(policy),
    )  # fmt: skip
    confidence, familiar = score_of(policy, answers, table.name), None
    if policy.veto is not None:
        require((policy.veto.score,), answers, table.name)
        familiar = vetoes.passing(policy.veto, answers.confidence[policy.veto.score])
    # answers are in the order of the policy, decisions in that of the table
    back = np.array([table.classes.index(name) for name in policy.classes])
    decided = Decided(
        answers.rule,
        answers.calibrated,
        decisions=back[answers.decisions],
        score=policy.score,
        confidence=confidence,
        threshold=threshold_of_each(policy.thresholds, policy.by, table),
        familiar=familiar,
    )
    return Applied(policy, table, decided)


def score_of(policy: Policy, answers: Scored, where: str) -> Floats:
    """(N,) the policy's score; InputError, with the reason or the nearest name, where an input lacks."""
    learned = policy.learned
    if learned is None:
        require((policy.score,), answers, where)
        return answers.confidence[policy.score]
    require(learned.scores, answers, where)
    rule = Weighted(learned.scores, learned.mean, learned.scale, learned.weight, learned.intercept)
    return rule(answers.confidence)


def _fitted(policy: Policy) -> StoredFit:
    """What the policy's scores learned of its fit rows."""
    fitted = StoredFit()
    if policy.temperature is not None:
        fitted = replace(fitted, temperature=Temperature(policy.temperature))
    if policy.combined is not None:
        weights = policy.combined
        log_odds = Weighted(weights.scores, weights.mean, weights.scale, weights.weight, weights.intercept)
        fitted = replace(fitted, combined=Combined(log_odds))
    return fitted


def warnings(policy: Policy, rows: Predictions, accepted: Bools) -> list[Finding]:
    """What a reader of the figures must know: notes of the policy, and where these rows differ from its own.

    Class shares (of labelled rows) and the share deferred (of all) are compared by
    :mod:`primum.judge.statistics.homogeneity`, with one case per patient, p < 0.01.
    """
    notes = [warning("policy_note", note, 1, len(rows)) for note in policy.notes]
    return notes + _prevalence(policy, rows) + _deferral(policy, rows, accepted)


def _prevalence(policy: Policy, rows: Predictions) -> list[Finding]:
    labelled = rows.labels >= 0
    if not labelled.any():
        return []
    rows = rows.take(labelled)
    counts = np.bincount(rows.labels[first_cases(rows)], minlength=len(rows.classes))
    before = np.array([policy.fit.counts.get(name, 0) for name in rows.classes])
    p, k, shares = _shift(before, counts)
    if p >= CHANCE:
        return []
    why = (
        f"class shares of the policy's fit rows and of these differ beyond chance ({rows.classes[k]} "
        f"{shares[0, k]:.0%} against {shares[1, k]:.0%}): what it promises may not hold here"
    )
    return [warning("policy_prevalence_shift", why, p, len(rows))]


def _deferral(policy: Policy, rows: Predictions, accepted: Bools) -> list[Finding]:
    cases = first_cases(rows)
    deferred, (then, n) = int((~accepted[cases]).sum()), _deferred(policy.fit)
    p, _, shares = _shift(np.array([then, n - then]), np.array([deferred, len(cases) - deferred]))
    if p >= CHANCE:
        return []
    unit = "" if rows.patients is None else ", one case per patient"
    why = (
        f"the policy deferred {shares[0, 0]:.0%} of its fit rows and defers {shares[1, 0]:.0%} of these"
        f"{unit}, beyond chance: what it promises may not hold here"
    )
    return [warning("policy_deferral_shift", why, p, len(rows))]


def _shift(before: Array, now: Array) -> tuple[float, int, Floats]:
    """p-value of equal shares, the column that differs most, and both rows of shares (2, C)."""
    counts = np.stack([before, now])
    shares = counts / counts.sum(axis=1, keepdims=True)
    return homogeneity.p_value(counts), int(np.abs(shares[0] - shares[1]).argmax()), shares


def _deferred(fit: FitRows) -> tuple[int, int]:
    """Units of the threshold rows that the policy deferred, and all of them; by its share in older files."""
    if fit.units is not None and fit.deferred_units is not None:
        return fit.deferred_units, fit.units
    n = max(round(sum(fit.counts.values()) * (fit.n - fit.learned_on) / fit.n), 1)
    return round(fit.deferred_share * n), n


def _view(rows: Predictions, matrix: SeverityMatrix | None, cells: Bools | None) -> View:
    patients = None if rows.patients is None else codes(rows.patients)
    return View(
        rows.labels,
        {"none": rows.probs},
        answers={},
        clusters=patients,
        units=codes(rows.ids) if patients is None else patients,
        cost=None if matrix is None else matrix.cost,
        critical=cells,
        priors=None,
        replicates=0,
        seed=0,
    )
