"""One row per judged case, as it stands in ``cases.parquet``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from primum.auditing.options import Options
from primum.auditing.preparation import Prepared
from primum.core import ties
from primum.core.arrays import Integers


def case_table(
    prepared: Prepared, opts: Options, of_sections: Mapping[str, Sequence[object]]
) -> pl.DataFrame:
    """One row per judged case: critical errors first, then by cost, the most confident first."""
    test, view = prepared.test, prepared.view
    answers = view.answers["argmax"]
    rows = np.arange(len(test))
    names = pl.Series("name", list(test.classes))
    wrong = answers.decisions != test.labels
    critical = (
        np.zeros(len(test), bool) if opts.critical is None else opts.critical[test.labels, answers.decisions]
    )
    cost = wrong.astype(float) if opts.cost is None else opts.cost[test.labels, answers.decisions]
    confidence = answers.confidence["msr"]
    columns: dict[str, object] = {
        "id": test.ids,
        "label": names[test.labels],
        "predicted": names[answers.decisions],
        "bayes": names[view.answers["bayes"].decisions] if "bayes" in view.answers else None,
        "given": names[view.answers["given"].decisions] if "given" in view.answers else None,
        "confidence": confidence,
        "probability_of_label": view.probs["none"][rows, test.labels],
        "cost": cost if opts.cost is not None else None,
        "critical": critical,
        "correct": ~wrong,
        "silent": critical & ties.at_least(confidence, answers.threshold["msr"]),
    }
    columns |= {f"score_{name}": score for name, score in answers.confidence.items() if name != "msr"}
    columns |= of_sections
    frame = pl.DataFrame(columns).with_columns(
        [
            test.metadata[column].alias(f"table_{column}" if column in columns else column)
            for column in test.metadata.columns
        ]
    )
    if "path" not in frame.columns:
        frame = frame.with_columns(pl.lit(None, pl.String).alias("path"))
    # lexsort takes its last key first; units settle ties, so that any order of rows gives one table
    order = np.lexsort((view.units, -confidence, -np.where(critical, 0.0, cost), ~critical))
    return frame[order]


def paired_cases(left: Prepared, right: Prepared) -> pl.DataFrame:
    """One row per shared case with frame answers; cases answered differently first."""
    test = left.test
    columns: dict[str, object] = {"id": test.ids, "label": _names(left, test.labels)}
    for side, part in (("first", left), ("second", right)):
        for rule, answers in part.view.answers.items():
            columns[f"{side}_{rule}"] = _names(part, answers.decisions)
        columns[f"{side}_confidence"] = part.view.answers["argmax"].confidence["msr"]
    columns |= {name: test.metadata[name] for name in test.metadata.columns if name not in columns}
    frame = pl.DataFrame(columns)
    same = (frame["first_argmax"] == frame["second_argmax"]).to_numpy()
    return frame[np.argsort(same, kind="stable")]


def _names(prepared: Prepared, index: Integers) -> pl.Series:
    return pl.Series("name", list(prepared.test.classes)).gather(index)
