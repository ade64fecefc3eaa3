"""Scores ranked within a shift, and their mean ranks over groups of shifts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from primum.bench.scores.metrics import ScoreMetrics
from primum.bench.scores.shifts import Shift, Variant
from primum.judge import confidence
from primum.judge.metrics.table import METRICS, codes
from primum.judge.statistics import ranks
from primum.judge.statistics.ranks import Ranks

METRIC_CODES = codes("ranked")
KINDS = {"iid": "i.i.d.", "corruption": "corruptions", "left_out": "left out", "elsewhere": "elsewhere"}
OVERALL = "all shifts"
Scores = Mapping[str, ScoreMetrics]  # of one shift, by name


@dataclass(frozen=True, eq=False)
class Ranking:
    """Scores ranked by one metric: their names, and the rank of each; None where there is none."""

    names: tuple[str, ...]
    ranks: Ranks | None

    def of(self, name: str) -> dict[str, object]:
        """The rank of one score with its interval, ready for JSON."""
        if self.ranks is None or name not in self.names:
            return {"why_not": "it could not be ranked in this shift"}
        at = self.names.index(name)
        low, high = self.ranks.interval()
        return {
            "rank": float(self.ranks.rank[at]), "low": float(low[at]), "high": float(high[at]),
            "first": float(self.ranks.first()[at]),
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class MeanRanking:
    """Mean ranks over a group of shifts: ``over`` which, by which metric, over how many shifts."""

    over: str
    metric: str
    shifts: int
    ranking: Ranking

    def to_dict(self) -> dict[str, object]:
        """Plain values, ready for JSON, the best rank first."""
        rows = [{"score": name, **self.ranking.of(name)} for name in self.ranking.names]
        return {
            "over": self.over, "metric": self.metric, "shifts": self.shifts,
            "rows": sorted(rows, key=lambda row: float(str(row["rank"]))),
        }  # fmt: skip


def rank(scores: Scores, code: str) -> Ranking:
    """Rank the scores of a shift that have a metric."""
    names = tuple(name for name, score in scores.items() if not score.metrics[code].why_not)
    if len(names) < 2:
        return Ranking(names, None)
    metrics = [scores[name].metrics[code] for name in names]
    draws = np.stack([metric.draws for metric in metrics])
    if not np.isfinite(draws).all(axis=0).any():
        return Ranking(names, None)
    higher = METRICS[code].better == "higher"
    return Ranking(names, ranks.ranks([metric.value for metric in metrics], draws, higher))


def groups(shifts: Sequence[tuple[Variant | None, Shift]]) -> dict[str, list[list[int]]]:
    """Group → shifts, each a list of positions: the intensities of one corruption are one shift.

    The i.i.d. rows are those of the network that nothing was left out for.

    >>> groups([(None, Shift("iid", "test")), (None, Shift("corruption", "blur", 1))])
    {'i.i.d.': [[0]], 'corruptions': [[1]], 'all shifts': [[1]]}
    """
    positions: dict[str, dict[str, list[int]]] = {}
    for at, (variant, shift) in enumerate(shifts):
        if shift.kind == "iid" and variant is not None:
            continue
        for group in (KINDS[shift.kind], *(() if shift.kind == "iid" else (OVERALL,))):
            positions.setdefault(group, {}).setdefault(f"{shift.kind} {shift.name}", []).append(at)
    return {group: list(parts.values()) for group, parts in positions.items()}


def mean_rankings(
    shifts: Sequence[tuple[Variant | None, Shift]], scores: Sequence[Scores]
) -> Iterator[MeanRanking]:
    """Mean ranks within each group of shifts, every corruption counting once; never a mean of AURC."""
    for code in METRIC_CODES:
        for group, parts in groups(shifts).items():
            members = [scores[at] for part in parts for at in part]
            # A mean rank compares only scores that were ranked against each other in every shift.
            everywhere = tuple(
                name
                for name in confidence.RANKED
                if all(name in shift and not shift[name].metrics[code].why_not for shift in members)
            )
            by_part = [
                [rank({name: scores[at][name] for name in everywhere}, code).ranks for at in part]
                for part in parts
            ]
            ranked = [[ranking for ranking in part if ranking is not None] for part in by_part]
            means = [ranks.mean(part) for part in ranked if part]
            if means:
                yield MeanRanking(group, code, len(means), Ranking(everywhere, ranks.mean(means)))
