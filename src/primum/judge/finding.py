"""One judged number: what it is, how sure, and whether it keeps the user's limit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

from primum.judge.metrics.table import METRICS
from primum.judge.statistics.interval import LEVEL, Estimate, Tails
from primum.judge.statistics.significance import holm


class Basis(NamedTuple):
    """What a number is measured on.

    Attributes:
        decision: ``"argmax"``, ``"bayes"``, ``"given"``, ``"operating"`` (a fitted threshold) or None.
        score: confidence score it judges, or None.
        calibrated: ``"none"``, the name of the recalibrator of the probabilities, or None.
    """

    decision: str | None = None
    score: str | None = None
    calibrated: str | None = None


NO_BASIS = Basis()


@dataclass(frozen=True)
class Finding:
    """One number of an audit.

    Attributes:
        code: stable name, one of the table of metrics or of a warning.
        name: the same for people.
        value, low, high: the number and its 95 % interval, None when not applicable.
        n: cases it stands on.
        group: ``"all"`` or ``"column=value"``.
        decision, score, calibrated: what it is measured on, see :class:`Basis`.
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


def from_estimate(
    code: str,
    estimate: Estimate,
    why: str = "",
    *,
    basis: Basis = NO_BASIS,
    group: str = "all",
    policy: str | None = None,
) -> Finding:
    """A finding from an estimate; not applicable where a number of it is infinite or NaN."""
    numbers = (estimate.value, estimate.low, estimate.high)
    if not all(math.isfinite(number) for number in numbers):
        return not_applicable(
            code, "the number is not finite on these cases", estimate.n,
            basis=basis, group=group, policy=policy,
        )  # fmt: skip
    metric = METRICS[code]
    sentence = "; ".join(part for part in (why, estimate.note) if part)
    # an end of the interval may miss the value by rounding
    low, high = min(estimate.low, estimate.value), max(estimate.high, estimate.value)
    return Finding(
        code, metric.name, float(estimate.value), float(low), float(high), estimate.n, group, *basis,
        better=metric.better, why=sentence, policy=policy, tails=estimate.tails,
    )  # fmt: skip


def not_applicable(
    code: str, why: str, n: int, *, basis: Basis = NO_BASIS, group: str = "all", policy: str | None = None
) -> Finding:
    """A finding that cannot be computed, with the reason.

    >>> not_applicable("cer", "no critical cells were given", 10).verdict
    'not_applicable'
    """
    metric = METRICS[code]
    return Finding(
        code, metric.name, None, None, None, n, group, *basis,
        better=metric.better, verdict="not_applicable", why=why, policy=policy,
    )  # fmt: skip


def warning(code: str, why: str, value: float, n: int) -> Finding:
    """Something a reader of the audit must know before using any of its numbers."""
    name = code.replace("_", " ").capitalize()
    return Finding(code, name, value=value, low=None, high=None, n=n, verdict="warning", why=why)


def judge(findings: Sequence[Finding], limits: Mapping[str, Mapping[str, float]]) -> list[Finding]:
    """Set passed, failed or inconclusive where a limit is given; groups of one column are Holm-adjusted.

    Passed and failed are stated only when the whole interval lies on one side of the limit; for groups, only
    when it still would after Holm's correction over the groups of that column.

    Args:
        findings: any; those without an interval stay as they are.
        limits: code → ``"max"`` and ``"min"``, either or both.
    """
    families: dict[tuple[str | None, ...], list[int]] = {}
    for i, finding in enumerate(findings):
        if finding.code in limits and finding.verdict == "not_judged" and finding.tails is not None:
            column = finding.group.split("=", 1)[0]
            key = (
                finding.code, finding.decision, finding.score, finding.calibrated, finding.policy, column
            )  # fmt: skip
            families.setdefault(key, []).append(i)
    judged = list(findings)
    for members in families.values():
        limit = limits[judged[members[0]].code]
        sides = [_sides(judged[i], limit) for i in members]
        adjusted = holm([min(side) for side in sides])
        for i, (p_obeyed, p_broken), p in zip(members, sides, adjusted, strict=True):
            verdict = "inconclusive" if p > 1 - LEVEL else "passed" if p_obeyed < p_broken else "failed"
            bounds = " and ".join(f"{side} {value:g}" for side, value in limit.items())
            over = f", Holm-adjusted over {len(members)} groups" if len(members) > 1 else ""
            why = "; ".join(part for part in (f"limit {bounds}{over}", judged[i].why) if part)
            judged[i] = replace(judged[i], verdict=verdict, why=why)
    return judged


def _sides(finding: Finding, limit: Mapping[str, float]) -> tuple[float, float]:
    """p-values against "the limit is broken" and against "the limit is obeyed"."""
    assert finding.tails is not None
    p_obeyed, p_broken = [], []
    if "max" in limit:
        not_below, not_above = finding.tails(limit["max"])
        p_obeyed.append(not_below)
        p_broken.append(not_above)
    if "min" in limit:
        not_below, not_above = finding.tails(limit["min"])
        p_obeyed.append(not_above)
        p_broken.append(not_below)
    # between a max and a min both must be obeyed, but breaking either is enough
    return max(p_obeyed), min(p_broken)
