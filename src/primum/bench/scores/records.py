"""The rows of a bench of scores: every finding, and every failure that stays silent."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from primum.bench.scores.metrics import CONFIDENT, SILENT
from primum.bench.scores.setting import Setting
from primum.bench.scores.summary import ShiftResult, Summary
from primum.judge.metrics.selective_draws import CODES

EMPTY = {"seed": None, "value": None, "low": None, "high": None, "why_not": None}


def finding_rows(summary: Summary) -> pl.DataFrame:
    """Every metric of every score in every shift: a row for the mean over seeds, and one for each seed."""
    rows = [row for result in summary.shifts for row in _findings(summary.setting, result)]
    return pl.DataFrame(rows, infer_schema_length=None)


def _findings(setting: Setting, result: ShiftResult) -> Iterator[dict[str, object]]:
    run, n = setting.runs[0], len(result.cases.labels)
    where: dict[str, object] = {"data": run.data, "network": run.network, **result.names}
    for name, score in result.scores.items():
        for code in (*CODES, *SILENT, CONFIDENT):
            metric = score.metrics[code]
            row = {**where, "score": name, "code": code, "n": n, **EMPTY}
            if metric.why_not:
                yield row | {"why_not": metric.why_not}
                continue
            yield row | {"value": metric.value, "low": metric.low, "high": metric.high}
            for seed, value in zip(setting.seeds, metric.values.tolist(), strict=True):
                yield row | {"seed": seed, "value": value}


def silent_rows(summary: Summary) -> pl.DataFrame:
    """The failures that a score lets through at its operating threshold, one row per seed, score and case."""
    return pl.concat([_silent(summary.setting, result) for result in summary.shifts], how="vertical_relaxed")


def _silent(setting: Setting, result: ShiftResult) -> pl.DataFrame:
    cases, classes, run = result.cases, np.array(setting.classes), setting.runs[0]
    parts = []
    for name, score in result.scores.items():
        for silent, seed, scored in zip(score.silent, setting.seeds, result.scored[name], strict=True):
            rows = np.flatnonzero(silent)
            true, called = cases.labels[rows], scored.decisions[rows]
            part = pl.DataFrame(
                {
                    "score": name, "seed": seed, "id": cases.ids[rows], "label": classes[true],
                    "answer": classes[called], "critical": cases.critical[true, called],
                    "confidence": scored.confidence[rows],
                },
                schema_overrides={"id": pl.String, "label": pl.String, "answer": pl.String},
            )  # fmt: skip
            if result.paths is not None:
                part = part.with_columns(result.paths[rows].alias("path"))
            parts.append(part)
    where = {"data": run.data, "network": run.network, **result.names}
    kinds = {"level": pl.Int64, "without": pl.String}
    columns = [pl.lit(value, kinds.get(key, pl.String)).alias(key) for key, value in where.items()]
    return pl.concat(parts, how="vertical_relaxed").select([*columns, pl.all()])
