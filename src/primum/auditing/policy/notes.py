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
    kept: Predictions,
    tried: Sequence[Tried],
    score: str,
) -> list[str]:
    """One sentence for each thing a reader of the policy must know.

    Args:
        thresholds: group → threshold. by: column of the groups, or None. rows: all fit rows.
        kept: those the thresholds were read from. tried: scores of the call. score: the one kept.
    """
    seen, n = validation_rows(rows), len(kept)
    said = [
        one.why if by is None else f"{by} {name}: {one.why}" for name, one in thresholds.items() if one.why
    ]
    if seen:
        said.append(on_val(seen, len(rows)))
    if len(tried) > 1:
        said.append(_choice(tried, score))
    few = few_rows(kept)
    if few:
        said.append(f"the threshold was read from {few}")
    if n < len(rows):
        said.append(
            f"{len(rows) - n} of the fit rows served to learn the score or the recalibration, the other {n} "
            "to read the threshold"
        )
    return said


def _choice(tried: Sequence[Tried], score: str) -> str:
    names = ", ".join(one.score for one in tried)
    kept = f"{score} defers fewest of the fit rows"
    if all(one.verdict == "not_certifiable" for one in tried):
        kept = "none could be certified"
    return (
        f"{len(tried)} scores were tried for this promise ({names}), each at delta / {len(tried)}, so that "
        f"the choice is paid for; {kept}"
    )
