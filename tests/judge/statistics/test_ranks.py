"""Ranks and how stable they are, against hand-worked cases."""

from __future__ import annotations

import numpy as np
import pytest

from primum.core.check import InputError
from primum.judge.statistics.ranks import mean, ranks

VALUES = [0.3, 0.1, 0.2]
DRAWS = np.array([[0.3, 0.1, 0.2, 0.5], [0.1, 0.1, 0.3, 0.4], [0.2, 0.2, 0.1, np.nan]])


def test_ranks_by_hand() -> None:
    found = ranks(VALUES, DRAWS)
    assert found.rank.tolist() == [3, 1, 2]
    assert found.finite.T.tolist() == [[3, 1, 2], [1.5, 1.5, 3], [2, 3, 1]]
    assert found.first() == pytest.approx([0.5 / 3, 1.5 / 3, 1 / 3])
    low, high = found.interval()
    assert low[0] == pytest.approx(np.quantile([3, 1.5, 2], 0.025))
    assert high[2] == pytest.approx(np.quantile([2, 3, 1], 0.975))


def test_more_can_be_better() -> None:
    assert ranks(VALUES, DRAWS, higher=True).rank.tolist() == [1, 3, 2]


def test_a_method_that_always_wins_is_always_first() -> None:
    rng = np.random.default_rng(0)
    draws = rng.random((3, 200)) + np.array([[0.0], [1.0], [1.0]])
    found = ranks([0.1, 1.2, 1.3], draws)
    assert found.first()[0] == 1
    assert found.interval()[1][0] == 1
    assert found.first().sum() == pytest.approx(1)


def test_a_mean_rank_is_the_mean_in_every_replicate() -> None:
    other = ranks([0.1, 0.2, 0.3], np.array([[1.0, 2, 3, 1], [2, 1, 2, 2], [3, 3, 1, 3]]))
    found = mean([ranks(VALUES, DRAWS), other])
    assert found.rank.tolist() == [2, 1.5, 2.5]
    # the last replicate is unknown to the first part, so that the other alone counts
    assert found.draws.T.tolist() == [[2, 1.5, 2.5], [1.75, 1.25, 3], [2.5, 2.5, 1], [1, 2, 3]]


def test_what_cannot_be_ranked_is_refused() -> None:
    with pytest.raises(InputError, match="none arrived"):
        ranks([1, 2], np.full((2, 5), np.nan))
    with pytest.raises(InputError, match="at least one part"):
        mean([])
