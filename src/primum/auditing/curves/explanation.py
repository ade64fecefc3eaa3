"""Did the explanations hold still, do they differ from an untrained network's, do they look at the lesion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from primum.core.arrays import Array, Bools, Floats
from primum.judge.answers import View
from primum.judge.explanation.beyond import CODE
from primum.judge.explanation.similarity import quartiles
from primum.judge.finding import Finding

SCORE = "stability_spearman"


def explanation(
    view: View,
    ids: Sequence[str],
    classes: Sequence[str],
    metadata: pl.DataFrame,
    source: Mapping[str, Any],
    findings: Iterable[Finding] = (),
) -> dict[str, Any] | None:
    """Everything the section on explanations draws; None for a table that ``primum explain`` did not write.

    Args:
        view: N judged rows. ids: (N,). classes: K names. metadata: N rows.
        source: of the table; its ``explanation`` says how maps were made and what all of them showed.
        findings: among them ``instability_auroc_gain`` of all cases.
    """
    told, answers = source.get("explanation"), view.answers["argmax"]
    if not isinstance(told, Mapping) or SCORE not in answers.confidence:
        return None
    n, stable = len(view.labels), answers.confidence[SCORE]
    wrong = answers.decisions != view.labels
    fatal = np.zeros(n, bool) if view.critical is None else view.critical[view.labels, answers.decisions]
    shown = ~_column(metadata, "map_blank", n, False).astype(bool)
    pictured = _column(metadata, "map_path", n, "") != ""
    outcomes = {"right": ~wrong, "wrong": wrong, "critical": fatal}
    return {
        **{key: told.get(key) for key in ("method", "layer", "grid", "n", "blank")},
        "changes": list(told.get("changes") or []),
        "untrained": told.get("untrained"),
        "lesion": told.get("lesion"),
        "outcomes": [
            {
                "outcome": name,
                "n": int((among & shown).sum()),
                "spearman": quartiles(stable[among & shown]),
                **_lesion(metadata, among),
            }
            for name, among in outcomes.items()
        ],
        "beyond": [
            {key: getattr(one, key) for key in ("score", "value", "low", "high", "n", "why", "verdict")}
            for one in findings
            if one.code == CODE and one.group == "all" and one.decision == "argmax"
        ],
        "studies": [
            _study(said, row, view, ids, classes, metadata, fatal)
            for said, row in _chosen(stable, wrong, fatal, shown & pictured)
        ],
    }


def _column(metadata: pl.DataFrame, name: str, n: int, empty: Any) -> Array:
    if name not in metadata.columns:
        return np.full(n, empty)
    return np.array([empty if value is None else value for value in metadata[name]])


def _lesion(metadata: pl.DataFrame, among: Bools) -> dict[str, Any]:
    if "lesion_focus" not in metadata.columns:
        return {"masked": 0, "focus": None}
    known = metadata["lesion_focus"].filter(pl.Series(among)).drop_nulls()
    return {"masked": len(known), "focus": quartiles(known.to_numpy())}


def _chosen(stable: Floats, wrong: Bools, fatal: Bools, pictured: Bools) -> list[tuple[str, int]]:
    """The least stable failure, the stillest critical one (or failure), a right one of middling stability."""
    chosen: list[tuple[str, int]] = []
    failures = np.flatnonzero(wrong & pictured)
    if len(failures):
        chosen.append(("least stable wrong answer", int(failures[np.argmin(stable[failures])])))
    worst, name = np.flatnonzero(fatal & pictured), "stillest critical error"
    if not len(worst):
        worst, name = failures, "stillest wrong answer"
    if len(worst) and int(worst[np.argmax(stable[worst])]) not in [row for _, row in chosen]:
        chosen.append((name, int(worst[np.argmax(stable[worst])])))
    right = np.flatnonzero(~wrong & pictured)
    if len(right):
        middle = np.abs(stable[right] - np.median(stable[~wrong]))
        chosen.append(("right answer of middling stability", int(right[np.argmin(middle)])))
    return chosen


def _study(
    said: str,
    row: int,
    view: View,
    ids: Sequence[str],
    classes: Sequence[str],
    metadata: pl.DataFrame,
    fatal: Bools,
) -> dict[str, Any]:
    answers = view.answers["argmax"]
    beside = {
        name: metadata[name][row] if name in metadata.columns else None
        for name in ("map_path", "answer_kept", "lesion_energy", "lesion_area")
    }
    return {
        "what": said,
        "id": str(ids[row]),
        "label": classes[int(view.labels[row])],
        "predicted": classes[int(answers.decisions[row])],
        "critical": bool(fatal[row]),
        "confidence": float(answers.confidence["msr"][row]),
        "spearman": float(answers.confidence[SCORE][row]),
        **beside,
    }
