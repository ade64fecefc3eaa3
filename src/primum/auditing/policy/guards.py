"""What a policy warns of on other rows than its own: its notes, and where these rows differ."""

from __future__ import annotations

import numpy as np

from primum.auditing.guards import CHANCE, first_cases
from primum.auditing.policy.document import Policy
from primum.auditing.policy.site import check_sites
from primum.auditing.policy.terms import FitRows
from primum.core.arrays import Array, Bools, Floats
from primum.judge.deferral.scored import Decided
from primum.judge.finding import Finding, warning
from primum.judge.statistics import homogeneity
from primum.predictions import Predictions


def warnings(policy: Policy, rows: Predictions, decided: Decided) -> list[Finding]:
    """What a reader of the figures must know: notes of the policy, and where these rows differ from its own.

    Class shares (of labelled rows) and the share deferred (of all) are compared by
    :mod:`primum.judge.statistics.homogeneity`, with one case per patient, p < 0.01; the share vetoed (of all)
    is held against the policy's bound by :mod:`primum.auditing.policy.site`.
    """
    notes = [warning("policy_note", note, 1, len(rows)) for note in policy.notes]
    shifts = _prevalence(policy, rows) + _deferral(policy, rows, decided.accepted)
    return notes + _suspension(policy, rows, decided) + shifts


def _suspension(policy: Policy, rows: Predictions, decided: Decided) -> list[Finding]:
    if policy.veto is None:
        return []
    check = check_sites(policy, rows, decided)
    if not check.suspended:
        return []
    return [warning("policy_site_suspended", check.sentence, check.sites[0].p, len(rows))]


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
