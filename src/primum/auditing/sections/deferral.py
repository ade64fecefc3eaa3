"""Threshold, share deferred and failure cost: what every confidence score buys, and what policies achieve."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from primum.auditing.options import Options
from primum.auditing.policy.description import attribute, describe, names, warn_of_shared_rows
from primum.auditing.policy.rows import reader_of, scored
from primum.auditing.preparation import Prepared
from primum.auditing.sections.part import Part
from primum.auditing.supplements import Supplements
from primum.core.arrays import Floats, Integers
from primum.judge import decision
from primum.judge.answers import View
from primum.judge.deferral import ratios
from primum.judge.deferral.costs import Reader, spent
from primum.judge.deferral.curve import DeferralCurve, at, curve
from primum.judge.deferral.ratios import RatioCosts
from primum.judge.deferral.scored import Decided, Scored
from primum.judge.deferral.thresholds import by_capacity
from primum.judge.metrics import harm
from primum.judge.recalibration.recalibrators import unchanged
from primum.judge.sections.deferral import (
    CostCurve,
    CostRatioCurve,
    DeferralSection,
    FittedCurve,
    PolicyRecord,
    ScoreCurves,
)

POINTS = 200
SHARES = tuple(k / 100 for k in range(101))  # deferred on the fit rows


def section(prepared: Prepared, opts: Options, supplements: Supplements) -> Part[DeferralSection]:
    """The curves of every score under the rule of the first policy, and what all policies achieved."""
    test, fit, chosen = prepared.test, prepared.rows.fit, prepared.chosen
    policies = supplements.policies
    rule = policies[0].decided.rule if policies else "argmax"
    best = prepared.best if rule == "bayes" else "none"
    recalibrator = unchanged if chosen is None else chosen.fitted[best]
    judged = scored(test, rule, best, recalibrator, opts.severity, opts.critical)
    fitted = None if fit is None else scored(fit, rule, best, recalibrator, opts.severity, opts.critical)
    stated = next((each.policy.reader for each in policies if each.policy.reader is not None), None)
    titles = names([each.policy for each in policies])
    achieved = [each.findings(opts.severity, stated, opts.by) for each in policies]
    reader = reader_of(stated, opts.severity, test.classes)
    records = [
        describe(*each, severity_source=opts.severity)
        for each in zip(policies, titles, achieved, strict=True)
    ]
    sentence = "; ".join(each.policy.said for each in policies)
    costs = failure_costs(prepared.view, judged, fitted, reader, records)
    decided = {title: each.decided for title, each in zip(titles, policies, strict=True)}
    curves = cost_ratios(prepared.view, prepared.best, decided, reader)
    return Part(
        replace(costs, ratios=curves, ratios_why_not=ratios.why_not(prepared.view)),
        [*attribute(titles, achieved), *warn_of_shared_rows([each.policy for each in policies], len(test))],
        {"deferral": {"said": f"Deferral was judged: {sentence}."}} if policies else {},
    )


def failure_costs(
    view: View,
    judged: Scored,
    fit: Scored | None = None,
    reader: Reader | None = None,
    policies: Sequence[PolicyRecord] = (),
) -> DeferralSection:
    """Failure cost as a share of that without deferral, with a free reader and with a stated one.

    Without a severity matrix every error costs 1, ``unit`` is ``errors`` and no stated reader is counted.

    Args:
        view: the judged rows. judged: their answers and scores, in the same order.
        fit: the same of the fit rows, which no label is read of; None without fit rows.
        reader: the stated one, or None. policies: what each achieved on the judged rows.
    """
    priced = view.cost is not None and bool(view.cost.any())
    cost = view.cost if priced and view.cost is not None else 1 - np.eye(view.classes)
    stated = reader if priced else None
    accepting, free = spent(view.labels, judged.decisions, cost, Reader())
    paid = None if stated is None else spent(view.labels, judged.decisions, cost, stated)[1]
    entries = []
    for name, confidence in judged.confidence.items():
        cheap = curve(confidence, accepting, free)
        dear = None if paid is None else curve(confidence, accepting, paid)
        fitted = None
        if fit is not None and name in fit.confidence:
            # The last share defers everything: no score of the fit rows is a threshold for that.
            thresholds = np.array(
                [by_capacity(fit.confidence[name], share) for share in SHARES[:-1]] + [np.inf]
            )
            points = at(cheap, thresholds)
            fitted = FittedCurve(
                share=list(SHARES),
                threshold=_finite(thresholds),
                deferred=cheap.deferred[points].tolist(),
                failure=_shares(cheap, points, accepting),
                failure_with_reader=_shares(dear, points, accepting),
            )
        last = len(cheap.threshold) - 1
        points = np.unique(np.linspace(0, last, min(POINTS, last + 1)).round().astype(int))
        own_curve = CostCurve(
            threshold=_finite(cheap.threshold[points]),
            deferred=cheap.deferred[points].tolist(),
            failure=_shares(cheap, points, accepting),
            failure_with_reader=_shares(dear, points, accepting),
        )
        entries.append(ScoreCurves(score=name, judged=own_curve, fitted=fitted))
    return DeferralSection(
        decision=judged.rule,
        calibrated=judged.calibrated,
        direction="accept at or above",
        unit="cost" if priced else "errors",
        reader_cost=None if stated is None else float(stated.cost),
        reader_errs=stated is not None and stated.error is not None,
        cost_without_deferral=float(accepting.mean()),
        scores=entries,
        policies=policies,
    )


def cost_ratios(
    view: View, best: str, decided: Mapping[str, Decided], reader: Reader | None
) -> list[CostRatioCurve]:
    """Cost of every rule, and of every policy with its readers, over ratios critical error : false alarm.

    The reader costs what the severity matrix says; without one, or where it has false alarms for nothing,
    only a reader free of cost is counted. Empty where :func:`ratios.why_not` has a reason.

    Args:
        view: the judged rows. best: the recalibrator that Bayes decisions use.
        decided: name of each policy → its answers to the same rows. reader: the stated one, or None.
    """
    if view.critical is None or ratios.why_not(view):
        return []
    fatal = harm.critical_classes(view.critical)
    curves = []
    for rule, answers in view.answers.items():
        if rule != "bayes":
            costs = ratios.of_answers(view, fatal[answers.decisions])
            curves.append(_ratio_curve(costs, rule, answers.calibrated))
    mass = decision.critical_mass(view.probs[best], view.critical)
    curves.append(_ratio_curve(ratios.of_mass(view, mass), "bayes", best))
    stated = None
    if reader is not None and view.cost is not None:
        stated = ratios.in_false_alarms(reader, view.cost, view.critical)
    for name, each in decided.items():
        for who in (Reader(), stated):
            if who is not None:
                costs = ratios.of_policy(view, each, who)
                curves.append(_ratio_curve(costs, each.rule, each.calibrated, name, who))
    return curves


def _ratio_curve(
    costs: RatioCosts, rule: str, calibrated: str, policy: str | None = None, reader: Reader | None = None
) -> CostRatioCurve:
    return CostRatioCurve(
        rule=rule,
        calibrated=calibrated,
        policy=policy,
        reader_cost=None if reader is None else float(reader.cost),
        reader_errs=reader is not None and reader.error is not None,
        ratio=list(ratios.RATIOS),
        cost=costs.cost.tolist(),
        low=costs.low.tolist(),
        high=costs.high.tolist(),
    )


def _finite(thresholds: Floats) -> list[float | None]:
    return [float(threshold) if math.isfinite(threshold) else None for threshold in thresholds]


def _shares(costs: DeferralCurve | None, points: Integers, accepting: Floats) -> list[float] | None:
    """Cost at some points of a curve, as a share of that without deferral."""
    alone = float(accepting.mean())
    if costs is None or alone <= 0:
        return None
    shares: list[float] = (costs.cost[points] / alone).tolist()
    return shares
