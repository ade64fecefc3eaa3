"""What a policy's file tells its reader: what was not reached, and what its fit rows are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from primum.guards import FEW_FIT_ROWS, on_val
from primum.policy import Threshold, Tried
from primum.predictions import Predictions
from primum.selecting import validation_rows


def notes(
    thresholds: Mapping[str, Threshold],
    by: str | None,
    rows: Predictions,
    learned_on: int,
    tried: Sequence[Tried],
    score: str,
) -> list[str]:
    """One sentence for each thing a reader of the policy must know.

    Args:
        thresholds: group → threshold. by: column of the groups, or None. rows: all fit rows.
        learned_on: those of them that served to learn. tried: scores of the call. score: the one kept.
    """
    seen, kept = validation_rows(rows), len(rows) - learned_on
    said = [
        one.why if by is None else f"{by} {name}: {one.why}" for name, one in thresholds.items() if one.why
    ]
    if seen:
        said.append(on_val(seen, len(rows)))
    if len(tried) > 1:
        said.append(_choice(tried, score))
    if kept < FEW_FIT_ROWS:
        said.append(f"the threshold was read from {kept} rows; below {FEW_FIT_ROWS} it is mostly noise")
    if learned_on:
        said.append(
            f"{learned_on} of the fit rows served to learn the score or the recalibration, the other {kept} "
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
