"""One data set and network of a bench of scores: every shift, ranks, and what they come to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from rich.console import Console
from rich.progress import track

from primum.bench.scores.metrics import Cases, Metric, Scored, ScoreMetrics, difference, judge
from primum.bench.scores.names import REFERENCES, answers_of
from primum.bench.scores.ranking import METRIC_CODES, MeanRanking, mean_rankings, rank
from primum.bench.scores.setting import Setting
from primum.bench.scores.shifts import Shift, Variant
from primum.core.check import InputError
from primum.judge import confidence


@dataclass(frozen=True, eq=False)
class ShiftResult:
    """One shift judged: its cases, and by the name of a score its answers and metrics.

    Attributes:
        variant: what was left out of training, or None. shift: what was asked about.
        cases, paths: the cases, and where the image of each lies, or None.
        scored: score → one entry per seed. scores: score → its metrics.
    """

    variant: Variant | None
    shift: Shift
    cases: Cases
    paths: pl.Series | None
    scored: Mapping[str, Sequence[Scored]]
    scores: Mapping[str, ScoreMetrics]

    @property
    def names(self) -> dict[str, str | int | None]:
        """What the shift is called in every output."""
        return {
            "kind": self.shift.kind,
            "shift": "i.i.d." if self.shift.kind == "iid" else self.shift.name,
            "level": self.shift.level,
            "without": None if self.variant is None else self.variant.name,
        }

    def differences(self, name: str, reference: str) -> dict[str, Metric]:
        """Code → a score's metric minus the reference's; nothing for the reference itself."""
        if name == reference:
            return {}
        worst = float(self.cases.cost.max())
        against = self.scores[reference].metrics
        return {
            code: difference(
                metric, against[code], self.cases, worst=worst if code.startswith("cost_") else 1.0
            )
            for code, metric in self.scores[name].metrics.items()
        }


@dataclass(frozen=True, eq=False)
class Summary:
    """One data set and network.

    Attributes:
        setting: its runs. reference: the score the others are held against.
        shifts: judged, in the order of the file. missing: score → why it does not apply.
    """

    setting: Setting
    reference: str
    shifts: tuple[ShiftResult, ...]
    missing: Mapping[str, str]

    @property
    def scores(self) -> list[str]:
        """The scores that apply in some shift."""
        return [name for name in confidence.RANKED if any(name in result.scores for result in self.shifts)]

    @cached_property
    def differences(self) -> list[dict[str, dict[str, Metric]]]:
        """For every shift: score → code → its difference to the reference."""
        return [
            {name: result.differences(name, self.reference) for name in result.scores}
            for result in self.shifts
        ]

    @property
    def rankings(self) -> Iterator[MeanRanking]:
        """Mean ranks within each group of shifts."""
        return mean_rankings(
            [(result.variant, result.shift) for result in self.shifts],
            [result.scores for result in self.shifts],
        )

    def to_dict(self) -> dict[str, object]:
        """Plain values, ready for JSON."""
        setting, run = self.setting, self.setting.runs[0]
        names, critical = setting.classes, np.argwhere(setting.severity.critical).tolist()
        return {
            "data": run.data,
            "network": run.network,
            "severity": run.severity,
            "seeds": setting.seeds,
            "trunk": run.recipe.network.trunk,
            "dropout": {"head": run.recipe.network.dropout, "trunk": run.recipe.network.trunk_dropout},
            "classes": list(names),
            "critical": [[names[true], names[called]] for true, called in critical],
            "reference": self.reference,
            "scores": [{"score": name, "answers": answers_of(name)} for name in self.scores],
            "not_applicable": [{"score": name, "why": why} for name, why in self.missing.items()],
            "shifts": [
                _shift(result, differences)
                for result, differences in zip(self.shifts, self.differences, strict=True)
            ],
            "ranks": [ranking.to_dict() for ranking in self.rankings],
            "against": _against(self.differences),
        }


def summarise(
    setting: Setting,
    scores: Sequence[str] | None,
    reference: str | None,
    absent: Mapping[str, str],
    progress: bool,
) -> Summary:
    """Judge every score in every shift of one data set and network.

    Args:
        setting: finished runs, asked about every shift.
        scores: those to compare, None for all. reference: the score the others are held against, or None.
        absent: score → why the bench has none of it.
        progress: show a bar on standard error.
    """
    run = setting.runs[0]
    compared = tuple(name for name in confidence.RANKED if scores is None or name in scores)
    missing = {name: why for name, why in absent.items() if name in compared}
    results: list[ShiftResult] = []
    console = Console(stderr=True)
    title = f"judging {run.data}, {run.network}"
    for variant, shift in track(setting.shifts, title, disable=not progress, transient=True, console=console):
        cases, paths = setting.cases(variant, shift)
        scored, reasons = setting.scored(variant, shift, cases.ids)
        missing |= {name: why for name, why in reasons.items() if name in compared and name not in absent}
        metrics = {name: judge(cases, scored[name]) for name in compared if name in scored}
        results.append(ShiftResult(variant, shift, cases=cases, paths=paths, scored=scored, scores=metrics))
    return Summary(setting, _reference(results, reference, run.data), tuple(results), missing)


def _reference(results: Sequence[ShiftResult], name: str | None, data: str) -> str:
    """The score the others are held against: the one of the file, else the first of the usual ones."""
    everywhere = set.intersection(*(set(result.scores) for result in results))
    if name is not None and name not in everywhere:
        raise InputError(f"{data}: the reference {name} does not apply in every shift; name another score")
    usual = [score for score in (name, *REFERENCES, *sorted(everywhere)) if score in everywhere]
    if not usual:
        raise InputError(f"{data}: no score applies in every shift, so there is nothing to compare")
    return str(usual[0])


def _shift(result: ShiftResult, differences: Mapping[str, Mapping[str, Metric]]) -> dict[str, object]:
    """One shift, a row per score, ready for JSON."""
    cases = result.cases
    rankings = {code: rank(result.scores, code) for code in METRIC_CODES}
    rows = []
    for name, score in result.scores.items():
        metrics = {}
        for code, metric in score.metrics.items():
            metrics[code] = _metric(metric)
            if code in differences[name]:
                metrics[code]["difference"] = _difference(differences[name][code])
        rows.append(
            {
                "score": name,
                "metrics": metrics,
                "counts": dict(score.counts),
                "ranks": {code: ranking.of(name) for code, ranking in rankings.items()},
            }
        )
    return {
        **result.names,
        "n": len(cases.labels),
        "patients": None if cases.clusters is None else len(np.unique(cases.clusters)),
        "labels": np.bincount(cases.labels, minlength=len(cases.cost)).tolist(),
        "of_critical": int(cases.of_critical.sum()),
        "rows": rows,
    }


def _metric(metric: Metric) -> dict[str, object]:
    """A mean over seeds with its interval and the value of each seed, or why there is none."""
    if metric.why_not:
        return {"why_not": metric.why_not}
    values = metric.values.tolist()
    return {
        "mean": metric.value, "least": min(values), "most": max(values), "low": metric.low,
        "high": metric.high, "values": values,
    }  # fmt: skip


def _difference(paired: Metric) -> dict[str, object]:
    if paired.why_not:
        return {"why_not": paired.why_not}
    return {"value": paired.value, "low": paired.low, "high": paired.high}


def _against(differences: Sequence[Mapping[str, Mapping[str, Metric]]]) -> list[dict[str, object]]:
    """Score → in how many shifts its AURC is measurably below or above the reference's, or neither."""
    counts: dict[str, dict[str, int]] = {}
    for by_score in differences:
        for name, by_code in by_score.items():
            if "aurc" not in by_code or by_code["aurc"].why_not:
                continue
            paired = by_code["aurc"]
            side = "lower" if paired.high < 0 else "higher" if paired.low > 0 else "undecided"
            counts.setdefault(name, {"lower": 0, "higher": 0, "undecided": 0})[side] += 1
    return [{"score": name, **sides} for name, sides in counts.items()]
