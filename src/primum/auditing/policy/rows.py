"""What fitting and applying a policy share: scored answers, costs, the reader, one case per patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from primum import severity
from primum.auditing import options
from primum.auditing.answers import evidence_of, learned
from primum.auditing.policy.document import Policy
from primum.auditing.policy.terms import StatedReader, Threshold
from primum.core import check
from primum.core.arrays import Bools, Floats
from primum.core.check import InputError
from primum.judge import decision
from primum.judge.confidence import CONSEQUENCES, LEARNED, PROBABILITIES, SCORES, confidences
from primum.judge.confidence.evidence import Fitted, Trained
from primum.judge.deferral.costs import Reader
from primum.judge.deferral.scored import Scored
from primum.judge.recalibration.recalibrate import Recalibrator
from primum.judge.statistics import groups
from primum.predictions import Predictions
from primum.severity import SeverityMatrix


def scored(
    table: Predictions,
    rule: str,
    form: str,
    recalibrator: Recalibrator,
    matrix: SeverityMatrix | None,
    critical: Bools | None,
    *,
    names: Sequence[str] = (),
    reference: Trained | None = None,
    fitted: Fitted | None = None,
) -> Scored:
    """Answers of one decision rule with their confidence scores, all in the table's order of classes.

    Always those of probabilities, those of the answers' consequences, and the table's own; as in an audit,
    a score of probabilities is that of the probabilities the rule decides on.

    Args:
        names: further ones of ``confidence.SCORES``; what does not apply stands in ``missing``.
        reference: what was learned of training rows, or None. fitted: the same of fit rows, or None.

    Raises InputError for the rule ``given`` without a column decision and for ``bayes`` without a severity.
    """
    cost = None if matrix is None else matrix.cost
    if rule == "bayes":
        if cost is None:
            raise InputError(f"{table.name}: Bayes decisions need a severity matrix, none was given")
        probs = recalibrator(table.logits)
        answers = decision.bayes(probs, cost)
    else:
        form, probs, answers = "none", table.probs, table.predicted
        if rule == "given":
            if table.decision is None:
                raise InputError(
                    f"{table.name}: the decision rule given needs a column decision, there is none; add it"
                )
            answers = table.decision
    raw = evidence_of(table, reference, fitted)
    decided = replace(raw, probs=probs, decisions=answers, cost=cost, critical=critical)
    scores, missing = confidences(decided, (*PROBABILITIES, *CONSEQUENCES))
    alone = tuple(name for name in SCORES if name in names and name not in (*scores, *missing, *LEARNED))
    more, reasons = confidences(raw, alone)
    scores |= {name: more[name] for name in alone if name in more}
    missing |= reasons
    if fitted is not None and any(name in names and name not in scores for name in LEARNED):
        (additions,), reasons = learned(fitted, [table], [scores])
        scores, missing = scores | additions, missing | reasons
    return Scored(rule, form.removeprefix("gain_"), answers, scores, missing)


def require(names: Sequence[str], answers: Scored, where: str) -> None:
    """Refuse scores that are not there, with the reason, or the nearest name where there is none such."""
    for name in names:
        if name in answers.confidence:
            continue
        if name not in answers.missing:
            check.one_of(name, tuple(dict.fromkeys((*answers.confidence, *SCORES))), f"{where}: score")
        raise InputError(
            f"{where}: the score {name} does not apply here: {answers.missing[name]}; add that, or choose "
            "another score"
        )


def threshold_of_each(thresholds: Mapping[str, Threshold], by: str | None, table: Predictions) -> Floats:
    """(N,) threshold each case is held against; InputError for a group without one."""
    if by is None:
        return np.full(len(table), thresholds["all"].threshold)
    each = np.empty(len(table))
    for name, rows in groups.groups(table.metadata, (by,)):
        value = name.removeprefix(f"{by}=")
        where = f"{table.name}: the policy has no threshold for this {by}, group"
        if value not in thresholds:
            group = check.describe([value], tuple(thresholds))
            raise InputError(f"{where} {group}; it has one for {check.shorten(thresholds, 10)}")
        each[rows] = thresholds[value].threshold
    return each


def severity_of(
    policy: Policy, classes: tuple[str, ...], source: SeverityMatrix | str | Path | None = None
) -> tuple[SeverityMatrix | None, Bools | None]:
    """Costs and critical cells (K, K), or None, in the order of ``classes``; default the policy's."""
    if source is not None:
        opts = options.options(classes, "--severity", source)
        return opts.severity, opts.critical
    cells = severity.cells([list(pair) for pair in policy.critical], classes, "policy")
    if policy.severity is None:
        return None, cells if cells.any() else None
    return severity.from_dict(policy.severity, "policy").ordered(classes, "the table"), (
        cells if cells.any() else None
    )


def reader_of(
    stated: StatedReader | None, matrix: SeverityMatrix | None, classes: tuple[str, ...]
) -> Reader | None:
    """The stated reader in the order of ``classes``, else one of the severity's ``defer`` cost, else None."""
    if stated is None:
        return None if matrix is None or matrix.defer is None else Reader(matrix.defer)
    rates = dict.fromkeys(classes, stated.error) if isinstance(stated.error, float) else stated.error
    errors = None if rates is None else np.array([rates[name] for name in classes])
    return Reader(stated.cost, errors)
