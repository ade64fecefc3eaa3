"""Several models on the same cases: who is right when they differ, and who is strong where."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from primum.auditing.options import Options
from primum.auditing.preparation import Prepared
from primum.auditing.sections.part import Part
from primum.auditing.supplements import Supplements
from primum.core.arrays import Array, Bools, Integers
from primum.judge.metrics import disagreement
from primum.judge.metrics.disagreement import Members, Pair
from primum.judge.sections.members import MemberPair, MembersSection, Share, Stratum, Strength
from primum.judge.statistics import groups
from primum.judge.statistics.interval import Estimate
from primum.predictions import Predictions


def section(prepared: Prepared, opts: Options, supplements: Supplements) -> Part[MembersSection]:
    """Members compared on the judged rows; empty where no other model's answers were supplied."""
    if not supplements.members:
        return Part()
    test, view = prepared.test, prepared.view
    tables = answering(test, supplements)
    decisions = np.stack([table.predicted for table in tables])
    content = compare_members(
        test.labels,
        decisions,
        [table.name for table in tables],
        test.classes,
        clusters=view.clusters,
        groups=list(groups.groups(test.metadata, opts.by)),
        audited=(test.name, test.predicted) if len(supplements.members) > 1 else None,
    )
    metrics = disagreement.measure_members(view, decisions)
    findings = [metric.of_patients(view).finding(view) for metric in metrics]
    return Part(content, findings, {"members": {"said": f"{len(tables)} models answered the same cases."}})


def answering(test: Predictions, supplements: Supplements) -> tuple[Predictions, ...]:
    """The members: those that were supplied, or with a single one the judged table and that one."""
    return supplements.members if len(supplements.members) > 1 else (test, *supplements.members)


def compare_members(
    labels: Integers,
    decisions: Integers,
    names: Sequence[str],
    classes: Sequence[str],
    *,
    clusters: Integers | None = None,
    groups: Sequence[tuple[str, Array]] = (),
    audited: tuple[str, Integers] | None = None,
) -> MembersSection:
    """Compare the answers of several members to the same labelled cases.

    Args:
        labels: (N,) class index. decisions: (M, N) the answers. names: of the M members.
        classes: K names. clusters: (N,) patient as int, or None.
        groups: (``column=value``, rows) as ``judge.statistics.groups`` yields them.
        audited: name and answers (N,) of the table that is audited, where it is another than the members.

    >>> labels, answers = np.array([0, 0, 1, 1]), np.array([[0, 0, 1, 0], [0, 1, 1, 1]])
    >>> section = compare_members(labels, answers, ["a", "b"], ["ill", "well"])
    >>> section.differ.count, section.pairs[0].first_right, section.oracle.value
    (2, 1, 1.0)
    """
    every = disagreement.members(labels, decisions, clusters)
    extra = None if audited is None else disagreement.members(labels, [audited[1]] * 2, clusters)
    strata: list[tuple[str, str, Array]] = [("all", "all cases", np.arange(every.n))]
    strata += [("class", name, np.flatnonzero(labels == k)) for k, name in enumerate(classes)]
    strata += [("group", name, rows) for name, rows in groups]
    return MembersSection(
        n=every.n,
        names=list(names),
        audited=None if audited is None else audited[0],
        clustered=clusters is not None,
        differ=_share(every, every.differ),
        all_right=_share(every, every.all_right),
        none_right=_share(every, ~every.any_right),
        oracle=_share(every, every.any_right),
        pairs=[_pair(pair, names) for pair in disagreement.pairs(every)],
        rows=[_stratum(kind, name, rows, every, extra) for kind, name, rows in strata if len(rows)],
    )


def _share(members: Members, hits: Bools) -> Share:
    estimate = members.share(hits)
    assert estimate is not None, "a stratum without a case has no row"
    return _as_share(estimate, int(hits.sum()))


def _as_share(estimate: Estimate, count: int) -> Share:
    return Share(count=count, n=estimate.n, value=estimate.value, low=estimate.low, high=estimate.high)


def _pair(pair: Pair, names: Sequence[str]) -> MemberPair:
    return MemberPair(
        first=names[pair.first],
        second=names[pair.second],
        differ=pair.differ,
        first_right=pair.first_right,
        second_right=pair.second_right,
        neither_right=pair.neither_right,
        share=None if pair.share is None else _as_share(pair.share, pair.first_right),
        p=pair.p,
    )


def _stratum(kind: str, name: str, rows: Array, members: Members, audited: Members | None) -> Stratum:
    part, only = members.take(rows), members.only[:, rows]
    extra = None if audited is None else audited.take(rows)
    return Stratum(
        kind=kind,
        name=name,
        n=part.n,
        members=[
            Strength(right=_share(part, right), only_right=int(alone.sum()))
            for right, alone in zip(part.right, only, strict=True)
        ],
        audited=None if extra is None else _share(extra, extra.right[0]),
        none_right=int((~part.any_right).sum()),
        oracle=_share(part, part.any_right),
    )
