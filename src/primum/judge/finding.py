"""One judged number: what it is, how sure, and whether it keeps the user's limit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from primum.judge.statistics.interval import LEVEL, Estimate, Tails
from primum.judge.statistics.significance import holm

NAMES = {
    "accuracy": ("Accuracy", "higher"),
    "balanced_accuracy": ("Balanced accuracy", "higher"),
    "macro_f1": ("Macro F1", "higher"),
    "auroc": ("AUROC, one-vs-rest macro", "higher"),
    "cer": ("Critical error rate", "lower"),
    "critical_errors": ("Critical errors", "lower"),
    "specificity": ("Specificity", "higher"),
    "cer_at_specificity_70": ("Critical error rate at 70 % specificity", "lower"),
    "cer_at_specificity_80": ("Critical error rate at 80 % specificity", "lower"),
    "cer_at_specificity_90": ("Critical error rate at 90 % specificity", "lower"),
    "specificity_reached_70": ("Specificity reached, fitted to 70 %", "higher"),
    "specificity_reached_80": ("Specificity reached, fitted to 80 %", "higher"),
    "specificity_reached_90": ("Specificity reached, fitted to 90 %", "higher"),
    "expected_cost": ("Expected cost", "lower"),
    "normalized_expected_cost": ("Normalised expected cost", "lower"),
    "ece": ("Calibration error (ECE, equal width)", "lower"),
    "ece_equal_mass": ("Calibration error (ECE, equal mass)", "lower"),
    "classwise_ece": ("Class-wise calibration error", "lower"),
    "debiased_calibration_error": ("Debiased squared calibration error", "lower"),
    "skce": ("Kernel calibration error (SKCE)", "lower"),
    "brier": ("Brier score", "lower"),
    "root_brier": ("Root Brier score", "lower"),
    "nll": ("Negative log-likelihood", "lower"),
    "aurc": ("AURC", "lower"),
    "augrc": ("AUGRC", "lower"),
    "e_aurc": ("Excess AURC over the best ranking", "lower"),
    "e_augrc": ("Excess AUGRC over the best ranking", "lower"),
    "cost_aurc": ("Severity-weighted AURC", "lower"),
    "cost_augrc": ("Severity-weighted AUGRC", "lower"),
    "failure_auroc": ("Failure AUROC", "higher"),
    "fpr_at_95_tpr": ("Errors accepted where 95 % of right answers are", "lower"),
    "risk_at_80_coverage": ("Risk at 80 % coverage", "lower"),
    "silent_critical_rate": ("Silent critical rate", "lower"),
    "instability_auroc_gain": ("Gain in failure AUROC by the instability of explanations", "higher"),
    "ppv": ("Positive predictive value", "higher"),
    "npv": ("Negative predictive value", "higher"),
    "net_benefit": ("Net benefit", "higher"),
    "members_all_wrong": ("Cases that every member has wrong", "lower"),
    "oracle_accuracy": ("Accuracy if the best member were picked for every case", "higher"),
    "deferred_share": ("Share deferred", "lower"),
    "accepted_cer": ("Critical error rate among accepted critical cases", "lower"),
    "cer_after_deferral": ("Critical error rate after deferral", "lower"),
    "critical_coverage": ("Critical cases accepted", "higher"),
    "failure_cost": ("Failure cost, reader free of cost", "lower"),
    "failure_cost_ratio": ("Failure cost against no deferral, reader free of cost", "lower"),
    "failure_cost_with_reader": ("Failure cost with the stated reader", "lower"),
    "failure_cost_ratio_with_reader": ("Failure cost against no deferral, with the stated reader", "lower"),
}


@dataclass(frozen=True)
class Finding:
    """One number of an audit.

    Attributes:
        code: stable name, a key of :data:`NAMES` or of a warning.
        name: the same for people.
        value, low, high: the number and its 95 % interval, None when not applicable.
        n: cases it stands on.
        group: ``"all"`` or ``"column=value"``.
        decision: ``"argmax"``, ``"bayes"``, ``"given"``, ``"operating"`` (a fitted threshold) or None.
        score: confidence score it judges, or None.
        calibrated: ``"none"``, the recalibrator's name, or None.
        policy: the deferral policy it judges, by its name in the audit, or None.
        better: ``"higher"``, ``"lower"`` or None.
        verdict: passed, failed, inconclusive, not_judged, not_applicable or warning.
        why: the reason of the verdict, or what a reader must know; one sentence or empty.
    """

    code: str
    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    group: str = "all"
    decision: str | None = None
    score: str | None = None
    calibrated: str | None = None
    better: str | None = None
    verdict: str = "not_judged"
    why: str = ""
    policy: str | None = None
    tails: Tails | None = None

    def to_dict(self) -> dict[str, Any]:
        """The fields as they stand in ``audit.json``."""
        content = asdict(replace(self, tails=None))
        del content["tails"]
        return content

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Finding:
        """Read one entry of ``findings``."""
        return cls(**content)


def found(code: str, estimate: Estimate, why: str = "", **where: Any) -> Finding:
    """A finding from an estimate; ``where`` is group, decision, score, calibrated."""
    name, better = NAMES[code]
    values = (estimate.value, estimate.low, estimate.high)
    if not all(math.isfinite(value) for value in values):
        return not_applicable(code, "the number is not finite on these cases", estimate.n, **where)
    sentence = "; ".join(part for part in (why, estimate.note) if part)
    low, high = min(estimate.low, estimate.value), max(estimate.high, estimate.value)
    return Finding(
        code, name, float(estimate.value), float(low), float(high), estimate.n,
        better=better, why=sentence, tails=estimate.tails, **where,
    )  # fmt: skip


def not_applicable(code: str, why: str, n: int, **where: Any) -> Finding:
    """A finding that cannot be computed, with the reason."""
    name, better = NAMES[code]
    return Finding(code, name, None, None, None, n, better=better, verdict="not_applicable", why=why, **where)


def warning(code: str, why: str, value: float, n: int) -> Finding:
    """Something a reader of the audit must know before using any of its numbers."""
    name = code.replace("_", " ").capitalize()
    return Finding(code, name, value, None, None, n, verdict="warning", why=why)


def judge(findings: Sequence[Finding], limits: Mapping[str, Mapping[str, float]]) -> list[Finding]:
    """Set passed, failed or inconclusive where a limit is given; groups of one column are Holm-adjusted.

    Passed and failed are said only when the whole interval lies on one side of the limit; for groups, only
    when it still would after Holm's correction over the groups of that column.
    """
    families: dict[tuple[Any, ...], list[int]] = {}
    for i, finding in enumerate(findings):
        if finding.code in limits and finding.verdict == "not_judged" and finding.tails is not None:
            column = finding.group.split("=", 1)[0]
            key = (
                finding.code, finding.decision, finding.score, finding.calibrated, finding.policy, column
            )  # fmt: skip
            families.setdefault(key, []).append(i)
    judged = list(findings)
    for key, members in families.items():
        sides = [_sides(judged[i], limits[key[0]]) for i in members]
        adjusted = holm([min(kept, broken) for kept, broken in sides])
        for i, (kept, broken), p in zip(members, sides, adjusted, strict=True):
            verdict = "inconclusive" if p > 1 - LEVEL else "passed" if kept < broken else "failed"
            said = " and ".join(f"{side} {value:g}" for side, value in limits[key[0]].items())
            over = f", Holm-adjusted over {len(members)} groups" if len(members) > 1 else ""
            why = "; ".join(part for part in (f"limit {said}{over}", judged[i].why) if part)
            judged[i] = replace(judged[i], verdict=verdict, why=why)
    return judged


def _sides(finding: Finding, limit: Mapping[str, float]) -> tuple[float, float]:
    """p-values for "the limit is kept" and "the limit is broken"; with both max and min, kept needs both."""
    assert finding.tails is not None
    kept, broken = [], []
    if "max" in limit:
        not_below, not_above = finding.tails(limit["max"])
        kept.append(not_below)
        broken.append(not_above)
    if "min" in limit:
        not_below, not_above = finding.tails(limit["min"])
        kept.append(not_above)
        broken.append(not_below)
    return max(kept), min(broken)
