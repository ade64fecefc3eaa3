"""What a policy's file tells its reader: what was not reached, and what its fit rows are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from primum.auditing.guards import few_rows, on_val
from primum.auditing.policy.portions import Portions
from primum.auditing.policy.terms import Promise, Threshold, Tried, Veto, percent
from primum.predictions import Predictions
from primum.tables.selection import validation_rows


def notes(
    thresholds: Mapping[str, Threshold],
    by: str | None,
    rows: Predictions,
    portions: Portions,
    tried: Sequence[Tried],
    score: str,
    promise: Promise | None,
    veto: Veto | None,
) -> list[str]:
    """One sentence for each thing a reader of the policy must know.

    Args:
        thresholds: group → threshold. by: column of the groups, or None. rows: all fit rows.
        portions: what they served for. tried: scores of the call. score: the one kept.
        promise, veto: of the policy, or None.
    """
    validation, n = validation_rows(rows), int(portions.reading.sum())
    sentences = [
        threshold.why if by is None else f"{by} {name}: {threshold.why}"
        for name, threshold in thresholds.items()
        if threshold.why
    ]
    if validation:
        sentences.append(on_val(validation, len(rows)))
    if len(tried) > 1:
        sentences.append(_choice(tried, score))
    shortage = few_rows(rows.take(portions.reading))
    if shortage:
        sentences.append(f"the threshold was read from {shortage}")
    learned, vetoed = int(portions.learning.sum()), int((portions.veto & ~portions.learning).sum())
    uses = [f"{learned} of the fit rows served to learn the score or the recalibration"] if learned else []
    if veto is not None:
        of = f"{vetoed} of the fit rows" if vetoed else f"{veto.rows} of these"
        uses.append(f"{of}{'' if uses else ' served'} to set the veto")
    if n < len(rows):
        sentences.append(f"{', '.join(uses)}, the other {n} to read the threshold")
    if promise is not None and promise.denominator == "accepted":
        sentences += [
            HOLLOW.format(where="" if by is None else f"{by} {name}: ", cleared=percent(threshold.cleared))
            for name, threshold in thresholds.items()
            if threshold.verdict == "certified" and threshold.cleared is not None
        ]
    return sentences


HOLLOW = (
    "{where}accepted critical cases are mostly those that were answered critical, which no promise needs to "
    "be about; of the negatives {cleared} are cleared: read the promise with that share, or fit with "
    "--denominator all"
)


def _choice(tried: Sequence[Tried], score: str) -> str:
    names = ", ".join(trial.score for trial in tried)
    outcome = f"{score} defers fewest of the fit rows"
    if all(trial.verdict == "not_certifiable" for trial in tried):
        outcome = "none could be certified"
    return (
        f"{len(tried)} scores were tried for this promise ({names}), each at delta / {len(tried)}, so that "
        f"the choice is paid for; {outcome}"
    )
