"""What a bench of scores found in one data set and network: every shift, ranks, and what they come to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from rich.console import Console
from rich.progress import track

from primum.bench.scores.judging import CONFIDENT, SILENT, Cases, Found, Metric, Scored, difference, judge
from primum.bench.scores.names import REFERENCES, answers_of
from primum.bench.scores.reading import Setting
from primum.bench.scores.shifts import Shift, Variant
from primum.core.check import InputError
from primum.judge import confidence
from primum.judge.metrics.selective_draws import CODES
from primum.judge.metrics.table import METRICS, codes
from primum.judge.statistics import ranks
from primum.judge.statistics.ranks import Ranks
from primum.predictions import Predictions

RANKED = codes("ranked")
KINDS = {"iid": "i.i.d.", "corruption": "corruptions", "left_out": "left out", "elsewhere": "elsewhere"}
OVERALL = "all shifts"
Judged = tuple[Variant | None, Shift, Cases, Mapping[str, Found]]


def summarise(
    setting: Setting,
    wanted: Sequence[str] | None,
    reference: str | None,
    absent: Mapping[str, str],
    progress: bool,
) -> tuple[dict[str, Any], pl.DataFrame, pl.DataFrame]:
    """One data set and network, JSON-ready; every finding, one a row; and every silent failure, one a row.

    Args:
        setting: finished runs, asked about every shift.
        wanted: scores to compare, None for all. reference: the score the others are held against, or None.
        absent: score → why the bench has none of it.
        progress: show a bar on standard error.
    """
    run = setting.runs[0]
    known = tuple(name for name in confidence.RANKED if wanted is None or name in wanted)
    missing: dict[str, str] = {name: why for name, why in absent.items() if name in known}
    judged: list[Judged] = []
    shifts: list[dict[str, Any]] = []
    findings: list[dict[str, Any]] = []
    silent: list[pl.DataFrame] = []
    console = Console(stderr=True)
    doing = f"judging {run.data}, {run.network}"
    for variant, shift in track(setting.shifts, doing, disable=not progress, transient=True, console=console):
        cases, table = setting.cases(variant, shift)
        scored, why = setting.scored(variant, shift, cases.ids)
        missing |= {name: reason for name, reason in why.items() if name in known and name not in absent}
        found = {name: judge(cases, scored[name]) for name in known if name in scored}
        judged.append((variant, shift, cases, found))
        silent.append(_silent(setting, variant, shift, cases, table, scored, found))
    against = _reference(judged, reference, run.data)
    for variant, shift, cases, by_score in judged:
        shown = _shift(variant, shift, cases, by_score, against)
        shifts.append(shown)
        findings += _findings(setting, shown, by_score)
    content = {
        "data": run.data,
        "network": run.network,
        "severity": run.severity,
        "seeds": [one.seed for one in setting.of(None, False)],
        "trunk": run.recipe.network.trunk,
        "dropout": {"head": run.recipe.network.dropout, "trunk": run.recipe.network.trunk_dropout},
        "classes": list(setting.classes),
        "critical": _pairs(setting),
        "reference": against,
        "scores": [
            {"score": name, "answers": answers_of(name)}
            for name in known
            if any(name in found for *_, found in judged)
        ],
        "not_applicable": [{"score": name, "why": why} for name, why in missing.items()],
        "shifts": shifts,
        "ranks": list(_mean_ranks(judged)),
        "against": _against(shifts, against),
    }
    return (
        content,
        pl.DataFrame(findings, infer_schema_length=None),
        pl.concat(silent, how="vertical_relaxed"),
    )


def _pairs(setting: Setting) -> list[list[str]]:
    names = setting.classes
    return [[names[i], names[j]] for i, j in np.argwhere(setting.severity.critical).tolist()]


def _reference(judged: Sequence[Judged], asked: str | None, data: str) -> str:
    """The score the others are held against: the one asked for, else the first of the usual ones there is."""
    there = set.intersection(*(set(found) for *_, found in judged))
    if asked is not None and asked not in there:
        raise InputError(f"{data}: the reference {asked} does not apply in every shift; name another score")
    usual = [name for name in (asked, *REFERENCES, *sorted(there)) if name in there]
    if not usual:
        raise InputError(f"{data}: no score applies in every shift, so there is nothing to compare")
    return str(usual[0])


def named(variant: Variant | None, shift: Shift) -> dict[str, Any]:
    """What a shift is called in every output."""
    return {
        "kind": shift.kind, "shift": "i.i.d." if shift.kind == "iid" else shift.name, "level": shift.level,
        "without": None if variant is None else variant.name,
    }  # fmt: skip


def _shift(
    variant: Variant | None, shift: Shift, cases: Cases, found: Mapping[str, Found], reference: str
) -> dict[str, Any]:
    """One shift, a row per score."""
    n, worst = len(cases.labels), float(cases.cost.max())
    rows = []
    ranked = {code: _ranks(found, code) for code in RANKED}
    for name, one in found.items():
        metrics = {}
        for code, metric in one.metrics.items():
            metrics[code] = spread(metric)
            if name != reference:
                span = worst if code.startswith("cost_") else 1.0
                metrics[code]["difference"] = difference(
                    metric, found[reference].metrics[code], n, cases.independent, span
                )
        rows.append(
            {
                "score": name,
                "metrics": metrics,
                "counts": dict(one.counts),
                "ranks": {code: _rank(*ranked[code], name) for code in RANKED},
            }
        )
    return {
        **named(variant, shift),
        "n": n,
        "patients": None if cases.clusters is None else len(np.unique(cases.clusters)),
        "labels": np.bincount(cases.labels, minlength=len(cases.cost)).tolist(),
        "of_critical": int(cases.of_critical.sum()),
        "rows": rows,
    }


def spread(metric: Metric) -> dict[str, Any]:
    """A mean over seeds with its interval and what each seed gave, or why there is none."""
    if metric.why_not:
        return {"why_not": metric.why_not}
    values = metric.values.tolist()
    return {
        "mean": metric.value, "least": min(values), "most": max(values), "low": metric.low,
        "high": metric.high, "values": values,
    }  # fmt: skip


def _ranks(found: Mapping[str, Found], code: str) -> tuple[tuple[str, ...], Ranks | None]:
    """The scores that can be ranked by a metric, and their ranks."""
    names = tuple(name for name, one in found.items() if not one.metrics[code].why_not)
    if len(names) < 2:
        return names, None
    metrics = [found[name].metrics[code] for name in names]
    draws = np.stack([metric.draws for metric in metrics])
    if not np.isfinite(draws).all(axis=0).any():
        return names, None
    return names, ranks.ranks([metric.value for metric in metrics], draws, METRICS[code].better == "higher")


def _rank(names: tuple[str, ...], ranked: Ranks | None, name: str) -> dict[str, Any]:
    if ranked is None or name not in names:
        return {"why_not": "it could not be ranked in this shift"}
    at = names.index(name)
    low, high = ranked.interval()
    return {
        "rank": float(ranked.rank[at]), "low": float(low[at]), "high": float(high[at]),
        "first": float(ranked.first()[at]),
    }  # fmt: skip


def groups(judged: Sequence[tuple[Variant | None, Shift]]) -> dict[str, list[list[int]]]:
    """Group → shifts, each a list of positions: the intensities of one corruption are one shift.

    The i.i.d. rows are those of the network that nothing was left out for.
    """
    found: dict[str, dict[str, list[int]]] = {}
    for at, (variant, shift) in enumerate(judged):
        if shift.kind == "iid" and variant is not None:
            continue
        for group in (KINDS[shift.kind], *(() if shift.kind == "iid" else (OVERALL,))):
            key = f"{shift.kind} {shift.name}"
            found.setdefault(group, {}).setdefault(key, []).append(at)
    return {group: list(parts.values()) for group, parts in found.items()}


def _mean_ranks(judged: Sequence[Judged]) -> Iterator[dict[str, Any]]:
    """Mean ranks within each group of shifts, every corruption counting once; never a mean of AURC."""
    for code in RANKED:
        for group, parts in groups([(variant, shift) for variant, shift, *_ in judged]).items():
            together = [[judged[at][3] for at in part] for part in parts]
            everywhere = [
                name
                for name in confidence.RANKED
                if all(
                    name in found and not found[name].metrics[code].why_not
                    for part in together
                    for found in part
                )
            ]
            kept = [
                [_ranks({name: found[name] for name in everywhere}, code)[1] for found in part]
                for part in together
            ]
            means = [ranks.mean([one for one in part if one is not None]) for part in kept if any(part)]
            if not means:
                continue
            overall = ranks.mean(means)
            low, high = overall.interval()
            first = overall.first()
            rows = [
                {
                    "score": name, "rank": float(overall.rank[at]), "low": float(low[at]),
                    "high": float(high[at]), "first": float(first[at]),
                }
                for at, name in enumerate(everywhere)
            ]  # fmt: skip
            yield {
                "over": group, "metric": code, "shifts": len(means),
                "rows": sorted(rows, key=lambda row: float(str(row["rank"]))),
            }  # fmt: skip


def _against(shifts: Sequence[Mapping[str, Any]], reference: str) -> list[dict[str, Any]]:
    """Score → in how many shifts its AURC is measurably below or above the reference's, or neither."""
    found: dict[str, dict[str, int]] = {}
    for shift in shifts:
        for row in shift["rows"]:
            apart = row["metrics"]["aurc"].get("difference") or {}
            if row["score"] == reference or "value" not in apart:
                continue
            counts = found.setdefault(row["score"], {"lower": 0, "higher": 0, "undecided": 0})
            side = "lower" if apart["high"] < 0 else "higher" if apart["low"] > 0 else "undecided"
            counts[side] += 1
    return [{"score": name, **counts} for name, counts in found.items()]


def _findings(
    setting: Setting, shown: Mapping[str, Any], found: Mapping[str, Found]
) -> Iterator[dict[str, Any]]:
    """Every metric of every score in one shift: a row for the mean over seeds, and one for each seed."""
    run = setting.runs[0]
    where = {"data": run.data, "network": run.network}
    where |= {key: shown[key] for key in ("kind", "shift", "level", "without")}
    seeds = [one.seed for one in setting.of(None, False)]
    for name, one in found.items():
        for code in (*CODES, *SILENT, CONFIDENT):
            metric = one.metrics[code]
            row = {**where, "score": name, "code": code, "n": shown["n"]}
            if metric.why_not:
                yield {
                    **row,
                    "seed": None,
                    "value": None,
                    "low": None,
                    "high": None,
                    "why_not": metric.why_not,
                }
                continue
            mean = {"seed": None, "value": metric.value, "low": metric.low, "high": metric.high}
            yield {**row, **mean, "why_not": None}
            for seed, value in zip(seeds, metric.values.tolist(), strict=True):
                yield {**row, "seed": seed, "value": value, "low": None, "high": None, "why_not": None}


def _silent(
    setting: Setting,
    variant: Variant | None,
    shift: Shift,
    cases: Cases,
    table: Predictions,
    scored: Mapping[str, Sequence[Scored]],
    found: Mapping[str, Found],
) -> pl.DataFrame:
    """The failures that a score lets through at its operating threshold, one row per seed, score and case."""
    names, paths = np.array(table.classes), table.metadata
    run = setting.runs[0]
    parts = []
    for name, one in found.items():
        for at, (runs, seed) in enumerate(zip(setting.of(variant, False), scored[name], strict=True)):
            rows = np.flatnonzero(one.silent[at])
            true, called = cases.labels[rows], seed.decisions[rows]
            parts.append(
                pl.DataFrame(
                    {
                        "score": name, "seed": runs.seed, "id": cases.ids[rows], "label": names[true],
                        "answer": names[called], "critical": cases.critical[true, called],
                        "confidence": seed.confidence[rows],
                    },
                    schema_overrides={"id": pl.String, "label": pl.String, "answer": pl.String},
                )
            )  # fmt: skip
            if "path" in paths.columns:
                parts[-1] = parts[-1].with_columns(paths["path"].cast(pl.String)[rows].alias("path"))
    where = {"data": run.data, "network": run.network, **named(variant, shift)}
    kinds = {"level": pl.Int64, "without": pl.String}
    columns = [pl.lit(value, kinds.get(key, pl.String)).alias(key) for key, value in where.items()]
    together = pl.concat(parts, how="vertical_relaxed")
    return together.select([*columns, pl.all()])
