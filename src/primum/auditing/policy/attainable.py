"""What other promises the same fit rows would have borne: the share of negatives cleared at each alpha."""

from __future__ import annotations

from dataclasses import replace

from primum.auditing.policy import thresholds
from primum.auditing.policy.request import Request
from primum.auditing.policy.rows import threshold_of_each
from primum.auditing.policy.terms import Attainable
from primum.judge.deferral.scored import Scored
from primum.judge.metrics import harm
from primum.predictions import Predictions

ALPHAS = (0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2)


def attainable(
    request: Request,
    rows: Predictions,
    answers: Scored,
    score: str,
    by: str | None,
    tries: int = 1,
    changed: thresholds.Copies = (),
) -> tuple[Attainable, ...]:
    """Share of negatives cleared and of cases deferred at each alpha from 0.5 to 20 %, and at the policy's.

    Each alpha is tried alone, as the policy's own was: at delta over the number of groups and of ``tries``.
    Choosing one after a look at the curve is a choice among as many promises as it has points, which must be
    paid for (docs/deferral.md). Empty without a promise about all critical cases.

    Args:
        request: of the policy. rows, answers: those its threshold was read on. score: its own.
        by: column of the groups, or None. changed: copies under tolerated changes, and answers to them.
    """
    promise, critical = request.promise, request.opts.critical
    if promise is None or critical is None or (promise.risk, promise.denominator) != ("cer", "all"):
        return ()
    spared, negatives = harm.spared_negatives(rows.labels, answers.decisions, critical)
    points = []
    for alpha in sorted({*ALPHAS, promise.alpha}):
        asked = replace(request, promise=replace(promise, alpha=alpha))
        by_group, deferred = thresholds.read(asked, rows, answers, score, by=by, tries=tries, changed=changed)
        accepted = answers.accepted(score, threshold_of_each(by_group, by, rows))
        cleared = float((spared & accepted)[negatives].mean()) if negatives.any() else None
        points.append(Attainable(alpha, cleared, deferred))
    return tuple(points)
