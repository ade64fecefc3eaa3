"""Apply a policy to a table: which answers are used, which go to a reader, and what that achieves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from primum import tables
from primum.auditing.policy import vetoes
from primum.auditing.policy.document import Policy
from primum.auditing.policy.guards import warnings
from primum.auditing.policy.rows import reader_of, require, scored, severity_of, threshold_of_each
from primum.auditing.policy.site import SiteCheck, check_sites, need_veto
from primum.auditing.policy.terms import StatedReader
from primum.auditing.preparation import codes
from primum.core.arrays import Bools, Floats
from primum.core.check import InputError, same_classes
from primum.judge.answers import View
from primum.judge.confidence.combined import Combined
from primum.judge.confidence.storage import StoredFit, StoredReference
from primum.judge.confidence.weighted import Weighted
from primum.judge.deferral.measure import deferral
from primum.judge.deferral.recalibrated import from_plain
from primum.judge.deferral.scored import Decided, Scored
from primum.judge.finding import Finding
from primum.judge.recalibration.recalibrators import Temperature
from primum.judge.statistics import groups
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
        self,
        severity_source: SeverityMatrix | str | Path | None = None,
        reader: StatedReader | None = None,
        by: Sequence[str] = (),
    ) -> list[Finding]:
        """What the policy achieves on the labelled rows, then its warnings, which need no labels.

        Args:
            severity_source: costs to judge by, default those the policy was fitted with.
            reader: the stated reader, default the policy's, else the ``defer`` cost of the severity.
            by: columns whose groups are judged too, after all rows.

        Raises InputError for a column that is not there.
        """
        groups.check_columns(self.table.metadata, by)
        labelled = self.table.labels >= 0
        if not labelled.any():
            return warnings(self.policy, self.table, self.decided)
        rows, decided = self.table.take(labelled), self.decided.take(labelled)
        matrix, cells = severity_of(self.policy, rows.classes, severity_source)
        view = _view(rows, matrix, cells)
        stated = reader_of(reader or self.policy.reader, matrix, rows.classes)
        parts = [("all", np.arange(len(rows))), *groups.groups(rows.metadata, by)]
        judged = []
        for group, members in parts:
            part = view.take(members)
            metrics = deferral(part, decided.take(members), stated)
            judged += [metric.finding(part, group) for metric in metrics]
        return judged + warnings(self.policy, self.table, self.decided)


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
    same_classes(table.classes, policy.classes, table.name, "the policy")
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
    confidence, familiar, novelty = score_of(policy, answers, table.name), None, None
    if policy.veto is not None:
        require((policy.veto.score,), answers, table.name)
        novelty = answers.confidence[policy.veto.score]
        familiar = vetoes.passing(policy.veto, novelty)
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
        novelty=novelty,
    )
    return Applied(policy, table, decided)


def check(
    policy: Policy | str | Path,
    table: Any,
    columns: Mapping[str, str] | None = None,
    by: str | None = None,
) -> SiteCheck:
    """Whether a policy is at home at a site, from rows whose labels, if any, are not read.

    Its veto sends away at most a share q of patients like those it was fitted on, 95 % sure. Where more are
    sent away than that explains (p ≤ 0.01, exact binomial) the policy is suspended. What holds there whatever
    the network does is the exact bound on the share of patients with an image that is answered and fatally
    wrong: docs/methods.md#site-alarm.

    Args:
        policy: fitted with a veto, or the path of its file. table: whatever ``tables.read`` takes; its test
            rows are looked at, or all where it has no splits.
        columns: our column name → the table's own. by: column of sites to check each alone, or None.

    Raises:
        InputError: for a policy without a veto, and as :func:`apply` for rows it may not or cannot judge.
    """
    policy = policy if isinstance(policy, Policy) else Policy.read(policy)
    need_veto(policy)
    applied = apply(policy, table, columns)
    return check_sites(policy, applied.table, applied.decided, by)


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
