"""What a policy's file tells its reader: what was not reached, and what its fit rows are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from primum.auditing.guards import few_rows, on_val
from primum.auditing.policy.terms import Threshold, Tried
from primum.predictions import Predictions
from primum.tables.selection import validation_rows


def notes(
    thresholds: Mapping[str, Threshold],
    by: str | None,
    rows: Predictions,
    threshold_rows: Predictions,
    tried: Sequence[Tried],
    score: str,
) -> list[str]:
    """One sentence for each thing a reader of the policy must know.

    Args:
        thresholds: group → threshold. by: column of the groups, or None. rows: all fit rows.
        threshold_rows: those the thresholds were read from. tried: scores of the call. score: the one kept.
    """
    validation, n = validation_rows(rows), len(threshold_rows)
    sentences = [
        threshold.why if by is None else f"{by} {name}: {threshold.why}"
        for name, threshold in thresholds.items()
        if threshold.why
    ]
    if validation:
        sentences.append(on_val(validation, len(rows)))
    if len(tried) > 1:
        sentences.append(_choice(tried, score))
    shortage = few_rows(threshold_rows)
    if shortage:
        sentences.append(f"the threshold was read from {shortage}")
    if n < len(rows):
        sentences.append(
            f"{len(rows) - n} of the fit rows served to learn the score or the recalibration, the other {n} "
            "to read the threshold"
        )
    return sentences


def _choice(tried: Sequence[Tried], score: str) -> str:
    names = ", ".join(trial.score for trial in tried)
    outcome = f"{score} defers fewest of the fit rows"
    if all(trial.verdict == "not_certifiable" for trial in tried):
        outcome = "none could be certified"
    return (
        f"{len(tried)} scores were tried for this promise ({names}), each at delta / {len(tried)}, so that "
        f"the choice is paid for; {outcome}"
    )
