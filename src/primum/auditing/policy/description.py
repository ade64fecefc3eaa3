"""What an audit keeps of the policies it was given: names, numbers, and what they achieved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from primum.auditing.policy.application import Applied
from primum.auditing.policy.document import Policy
from primum.auditing.policy.terms import Promise, percent
from primum.judge.finding import Finding, warning
from primum.judge.sections.deferral import PolicyRecord, PolicyRows, PolicyThreshold, PolicyTrial


def names(policies: Sequence[Policy]) -> list[str]:
    """What each holds, and its score: ``"At most 5 % critical errors · msr"``; numbered where alike."""
    said = [f"{_target(policy)} · {policy.score}" for policy in policies]
    seen: Counter[str] = Counter()
    named = []
    for one in said:
        seen[one] += 1
        named.append(one if seen[one] == 1 else f"{one} ({seen[one]})")
    return named


def told(named: Sequence[str], achieved: Sequence[Sequence[Finding]]) -> list[Finding]:
    """The findings of all policies, each under its policy's name; a warning of all of them stands once.

    Args:
        named: P names. achieved: what each of the P policies came to.
    """
    said = Counter(one.why for found in achieved for one in found if one.verdict == "warning")
    made: dict[tuple[Any, ...], Finding] = {}
    for name, found in zip(named, achieved, strict=True):
        for one in found:
            shared = one.verdict == "warning" and said[one.why] == len(named)
            kept = replace(one, policy=None if shared else name)
            made.setdefault((one.code, one.score, one.calibrated, one.why, kept.policy), kept)
    return list(made.values())


def together(policies: Sequence[Policy], n: int) -> list[Finding]:
    """``promises_on_same_rows``: promises that were tried on the same fit rows, each as if it were alone.

    Args:
        policies: those of one audit. n: judged cases.
    """
    alike: dict[str, list[Promise]] = {}
    for policy in policies:
        if policy.promise is not None:
            alike.setdefault(policy.fit.fingerprint, []).append(policy.promise)
    said = []
    for promises in alike.values():
        if len(promises) > 1:
            broken = min(sum(one.delta for one in promises), 1.0)
            why = (
                f"{len(promises)} promises here were tried on the same fit rows, each at its own delta: that "
                f"all of them hold is {percent(1 - broken)} sure, and one picked by what came of it is no "
                "surer; to choose among scores, fit once with --several try"
            )
            said.append(warning("promises_on_same_rows", why, len(promises), n))
    return said


def described(applied: Applied, name: str, findings: Sequence[Finding]) -> PolicyRecord:
    """A policy without its hashes, and what it achieved, for the section on deferral."""
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
        achieved=list(findings),
    )


def _target(policy: Policy) -> str:
    if policy.capacity is not None:
        return f"At most {100 * policy.capacity:.3g} % deferred"
    if policy.promise is None:
        return "Least cost"
    risk = "critical errors" if policy.target == "cer" else "of the largest cost"
    return f"At most {100 * policy.promise.alpha:.3g} % {risk}"
