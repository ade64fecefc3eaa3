"""What an audit keeps of the policies it was given: names, numbers, and what they achieved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np

from primum.auditing.policy.application import Applied
from primum.auditing.policy.document import Policy
from primum.auditing.policy.gates import gates
from primum.auditing.policy.terms import Promise, percent
from primum.judge.finding import Finding, warning
from primum.judge.sections.deferral import (
    PolicyAttainable,
    PolicyRecord,
    PolicyRows,
    PolicyThreshold,
    PolicyTrial,
    PolicyVeto,
)
from primum.severity import SeverityMatrix


def names(policies: Sequence[Policy]) -> list[str]:
    """What each holds and its scores, alike ones numbered: ``"At most 2 % deferred · msr, veto knn"``."""
    vetoes = ["" if policy.veto is None else f", veto {policy.veto.score}" for policy in policies]
    titles = [
        f"{_target(policy)} · {policy.score}{veto}" for policy, veto in zip(policies, vetoes, strict=True)
    ]
    counts: Counter[str] = Counter()
    named = []
    for title in titles:
        counts[title] += 1
        named.append(title if counts[title] == 1 else f"{title} ({counts[title]})")
    return named


def attribute(titles: Sequence[str], achieved: Sequence[Sequence[Finding]]) -> list[Finding]:
    """The findings of all policies, each under its policy's name; a warning of all of them stands once.

    Args:
        titles: P names. achieved: what each of the P policies came to.
    """
    warnings = Counter(
        finding.why for findings in achieved for finding in findings if finding.verdict == "warning"
    )
    attributed: dict[tuple[object, ...], Finding] = {}
    for title, findings in zip(titles, achieved, strict=True):
        for finding in findings:
            shared = finding.verdict == "warning" and warnings[finding.why] == len(titles)
            policy = None if shared else title
            key = (finding.code, finding.group, finding.score, finding.calibrated, finding.why, policy)
            attributed.setdefault(key, replace(finding, policy=policy))
    return list(attributed.values())


def warn_of_shared_rows(policies: Sequence[Policy], n: int) -> list[Finding]:
    """``promises_on_same_rows``: promises that were tried on the same fit rows, each as if it were alone.

    Args:
        policies: those of one audit. n: judged cases.
    """
    alike: dict[str, list[Promise]] = {}
    for policy in policies:
        if policy.promise is not None:
            alike.setdefault(policy.fit.fingerprint, []).append(policy.promise)
    warnings = []
    for promises in alike.values():
        if len(promises) > 1:
            broken = min(sum(promise.delta for promise in promises), 1.0)
            why = (
                f"{len(promises)} promises here were tried on the same fit rows, each at its own delta: that "
                f"all of them hold is {percent(1 - broken)} sure, and one picked by what came of it is no "
                "surer; to choose among scores, fit once with --several try"
            )
            warnings.append(warning("promises_on_same_rows", why, len(promises), n))
    return warnings


def describe(
    applied: Applied, name: str, findings: Sequence[Finding], severity_source: SeverityMatrix | None = None
) -> PolicyRecord:
    """A policy without its hashes, and what it achieved, for the section on deferral.

    Args:
        applied: to the judged rows. name: of the policy. findings: what it came to there.
        severity_source: costs they were judged by, default those the policy was fitted with.
    """
    policy, promise = applied.policy, applied.policy.promise
    rows = {key: value for key, value in asdict(policy.fit).items() if not key.endswith("hashes")}
    thresholds = {group: asdict(threshold) for group, threshold in policy.thresholds.items()}
    for fields in thresholds.values():
        if not np.isfinite(fields["threshold"]):
            fields["threshold"] = None
    return PolicyRecord(
        name=name,
        score=policy.score,
        learned_from=None if policy.learned is None else list(policy.learned.scores),
        decision=applied.decided.rule,
        calibrated=applied.decided.calibrated,
        kind=policy.kind,
        target=policy.target,
        capacity=policy.capacity,
        alpha=None if promise is None else promise.alpha,
        delta=None if promise is None else promise.delta,
        denominator=None if promise is None else promise.denominator,
        sentence=policy.said,
        verdict=policy.verdict,
        tried=[PolicyTrial(**asdict(trial)) for trial in policy.tried],
        direction=policy.direction,
        by=policy.by,
        thresholds=[PolicyThreshold(group=group, **fields) for group, fields in thresholds.items()],
        notes=list(policy.notes),
        fit=PolicyRows(**rows),
        veto=None if policy.veto is None else PolicyVeto(**asdict(policy.veto)),
        tolerated=list(policy.tolerated),
        attainable=[PolicyAttainable(**asdict(point)) for point in policy.attainable],
        gates=gates(applied, severity_source),
        achieved=list(findings),
    )


def _target(policy: Policy) -> str:
    if policy.capacity is not None:
        return f"At most {100 * policy.capacity:.3g} % deferred"
    if policy.promise is None:
        return "Least cost"
    risk = "critical errors" if policy.target == "cer" else "of the largest cost"
    return f"At most {100 * policy.promise.alpha:.3g} % {risk}"
