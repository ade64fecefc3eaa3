"""Where several models answer differently, and who is right then : ``docs/methods.md#uncertainty``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from primum.core import check
from primum.core.arrays import Array, Bools, Integers
from primum.core.check import InputError
from primum.judge.answers import View
from primum.judge.metrics.measured import Measured, Share
from primum.judge.metrics.table import codes_of
from primum.judge.statistics import shares
from primum.judge.statistics.interval import Estimate

CODES = codes_of("members")


@dataclass(frozen=True, eq=False)
class Members:
    """What M models answered to the same N labelled cases.

    Attributes:
        decisions: (M, N) class index. right: (M, N). clusters: (N,) patient as int, or None.
    """

    decisions: Integers
    right: Bools
    clusters: Integers | None = None

    @property
    def n(self) -> int:
        """Number of cases."""
        return int(self.right.shape[1])

    @property
    def differ(self) -> Bools:
        """(N,) whether not all members gave the same answer."""
        return np.asarray((self.decisions != self.decisions[0]).any(axis=0))

    @property
    def any_right(self) -> Bools:
        """(N,) whether at least one member is right: what picking the right member could reach."""
        return np.asarray(self.right.any(axis=0))

    @property
    def all_right(self) -> Bools:
        """(N,) whether every member is right."""
        return np.asarray(self.right.all(axis=0))

    @property
    def only(self) -> Bools:
        """(M, N) whether this member is the only one that is right."""
        return np.asarray(self.right & (self.right.sum(axis=0) == 1))

    def take(self, rows: Array) -> Members:
        """The same for some cases, integer or boolean ``rows``."""
        clusters = None if self.clusters is None else self.clusters[rows]
        return Members(self.decisions[:, rows], self.right[:, rows], clusters)

    def share(self, hits: Bools, among: Bools | None = None) -> Estimate | None:
        """Share of ``hits`` (N,) among cases (N,), with its exact interval; None where there is no case.

        With patients the interval stands on n / design effect cases.
        """
        counted = np.ones(self.n, dtype=bool) if among is None else among
        if not counted.any():
            return None
        chosen = hits[counted]
        clusters = None if self.clusters is None else self.clusters[counted]
        return shares.share(chosen, clusters)


def members(labels: ArrayLike, decisions: ArrayLike, clusters: Integers | None = None) -> Members:
    """The answers (M, N) of M models held against labels (N,), class indices.

    Raises:
        InputError: for fewer than two models, or other shapes.
    """
    answers, true = check.array(decisions), check.array(labels)
    if answers.ndim != 2 or len(answers) < 2 or answers.shape[1] != len(true):
        raise InputError(
            f"members: answers of at least 2 models to {len(true)} cases were expected (M × N), "
            f"{' × '.join(map(str, answers.shape))} arrived"
        )
    return Members(answers, answers == true, clusters)


@dataclass(frozen=True)
class Pair:
    """Two members on the cases where their answers differ.

    Attributes:
        first, second: their numbers.
        differ: cases whose answers differ. first_right, second_right, neither_right: who is right on them.
        share: share of the first among the cases where exactly one of the two is right, with its exact
            interval; None without such a case.
        p: two-sided exact McNemar p-value that both are right equally often, 1 without such a case.
    """

    first: int
    second: int
    differ: int
    first_right: int
    second_right: int
    neither_right: int
    share: Estimate | None
    p: float


def pairs(answers: Members) -> Iterator[Pair]:
    """Every two members.

    The p-value is McNemar's in its exact form: of b cases that only the first has right and c that only the
    second has, b is binomial (b + c, ½) if both are equally good; doubled smaller tail. With patients b + c
    is divided by the design effect first, as for every exact interval here.
    """
    for first, second in combinations(range(len(answers.right)), 2):
        a, b = answers.right[first], answers.right[second]
        differing = answers.decisions[first] != answers.decisions[second]
        share = answers.share(a, a != b)
        yield Pair(
            first, second,
            differ=int(differing.sum()),
            first_right=int((a & ~b).sum()),
            second_right=int((b & ~a).sum()),
            neither_right=int((differing & ~a & ~b).sum()),
            share=share,
            p=1.0 if share is None else min(1.0, *share.tails(0.5)),
        )  # fmt: skip


def measure_members(view: View, decisions: ArrayLike) -> Iterator[Measured]:
    """How often all members are wrong, and at least one is right, on the rows of a view.

    Args:
        view: labelled rows. decisions: (M, N) class index that each member answered to them.
    """
    answers = members(view.labels, decisions, view.clusters)
    everyone = np.ones(answers.n, dtype=bool)
    for code, hits in zip(CODES, (~answers.any_right, answers.any_right), strict=True):
        yield Measured(code, Share(hits, everyone))
