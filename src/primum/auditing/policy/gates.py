"""Judged cases on their way through a veto and a threshold: how many stop at each, and which."""

from __future__ import annotations

import numpy as np

from primum.auditing.policy.application import Applied
from primum.auditing.policy.rows import severity_of
from primum.core.arrays import Bools, Floats, Integers
from primum.judge.metrics import harm
from primum.judge.sections.deferral import PolicyGates, StoppedCase
from primum.severity import SeverityMatrix

EXAMPLES = 6


def gates(applied: Applied, severity_source: SeverityMatrix | None = None) -> PolicyGates | None:
    """How many judged cases stop at the veto, how many at the threshold, what becomes of the others.

    Args:
        applied: a policy on the judged rows. severity_source: costs to judge by, default the policy's.

    Returns:
        None for a policy without a veto.
    """
    decided, table = applied.decided, applied.table
    if decided.familiar is None or decided.novelty is None:
        return None
    familiar, accepted = decided.familiar, decided.accepted
    cells = severity_of(applied.policy, table.classes, severity_source)[1]
    fatal, counts = None, dict[str, int]()
    if cells is not None and cells.any():
        labelled = table.labels >= 0
        fatal = labelled & cells[table.labels, decided.decisions]
        spared, negatives = harm.spared_negatives(table.labels, decided.decisions, cells)
        counts = {
            "harmless": int((accepted & spared).sum()),
            "critical": int((accepted & ~spared).sum()),
            "negatives": int((negatives & labelled).sum()),
            "cleared": int((accepted & spared & negatives & labelled).sum()),
            "errors": int((accepted & fatal).sum()),
        }
    unsure = familiar & ~accepted
    return PolicyGates(
        n=len(table),
        unfamiliar=int((~familiar).sum()),
        unsure=int(unsure.sum()),
        **counts,
        most_novel=_cases(applied, ~familiar, decided.novelty, fatal),
        least_sure=_cases(applied, unsure, decided.confidence, fatal),
    )


def _cases(applied: Applied, stopped: Bools, score: Floats, fatal: Bools | None) -> list[StoppedCase]:
    """The stopped cases of the lowest scores (N,), six at most; equal ones in the order of their ids."""
    table, decisions = applied.table, applied.decided.decisions
    rows: Integers = np.flatnonzero(stopped)
    order = np.lexsort((table.ids.to_numpy()[rows].astype(str), score[rows]))
    paths = table.metadata["path"] if "path" in table.metadata.columns else None
    return [
        StoppedCase(
            id=str(table.ids[row]),
            label=table.classes[table.labels[row]] if table.labels[row] >= 0 else None,
            predicted=table.classes[decisions[row]],
            critical=None if fatal is None or table.labels[row] < 0 else bool(fatal[row]),
            value=float(score[row]),
            path=None if paths is None else paths[row],
        )
        for row in rows[order][:EXAMPLES].tolist()
    ]
