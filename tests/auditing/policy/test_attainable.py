"""What other alphas would have come to: each point is a policy of its own, and the count is done by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from primum import tables
from primum.auditing.policy.attainable import ALPHAS
from primum.auditing.policy.fit import fit
from primum.auditing.policy.terms import Promise
from primum.severity import read
from tests.auditing.policy.made import ASKED, with_novelty
from tests.conftest import made_table

TABLE = made_table(1200, skill=3.5)
VETO = with_novelty(TABLE)


@pytest.mark.parametrize("more", [{}, {"veto": "novelty"}, {"score": ["msr", "pe"], "several": "try"}])
def test_each_point_is_the_policy_of_that_alpha(more: dict[str, Any]) -> None:
    policy = fit(VETO, "phantom", promise=Promise(alpha=0.17), **more)
    assert [point.alpha for point in policy.attainable] == sorted((*ALPHAS, 0.17))
    for point in policy.attainable:
        alone = fit(VETO, "phantom", promise=Promise(alpha=point.alpha), **{**more, "score": policy.score})
        if "several" in more:  # the same share of delta for each
            delta = Promise().delta / 2
            alone = fit(VETO, "phantom", policy.score, promise=Promise(alpha=point.alpha, delta=delta))
        assert point.cleared == alone.thresholds["all"].cleared
        assert point.deferred_share == alone.fit.deferred_share


def test_the_count_by_hand() -> None:
    """The most errors that n critical cases may show is a quantile; the threshold lies below that error."""
    rows = tables.read(TABLE.filter(split="cal").drop("patient"))
    policy = fit(TABLE.drop("patient"), "phantom", promise=Promise(alpha=0.05))
    critical = read("phantom").ordered(rows.classes, "t").critical
    msr, fatal = rows.probs.max(axis=1), critical.any(axis=1)
    wrong, n = critical[rows.labels, rows.predicted], int(fatal[rows.labels].sum())
    for point in policy.attainable:
        allowed = np.flatnonzero(binom.cdf(np.arange(n + 1), n, point.alpha) <= 0.05)
        accepted = np.zeros(len(rows), dtype=bool)
        if len(allowed):
            errors = np.sort(msr[wrong])[::-1]
            most = allowed[-1]
            accepted = msr > errors[most] if most < len(errors) else np.ones(len(rows), dtype=bool)
        harmless = accepted & ~fatal[rows.predicted]
        assert point.deferred_share == pytest.approx((~accepted).mean())
        assert point.cleared == pytest.approx(harmless[~fatal[rows.labels]].mean())


def test_a_larger_alpha_clears_no_less() -> None:
    for by in (None, "site"):
        points = fit(TABLE, "phantom", promise=Promise(alpha=0.1), by=by).attainable
        cleared = [point.cleared for point in points]
        assert None not in cleared
        assert (np.diff(np.array(cleared, dtype=float)) >= 0).all()
        assert points[0].cleared == 0
        assert points[0].deferred_share == 1


def test_groups_are_cleared_together() -> None:
    policy = fit(TABLE, "phantom", promise=Promise(alpha=0.2), by="site")
    (mine,) = (point for point in policy.attainable if point.alpha == 0.2)
    assert mine.deferred_share == policy.fit.deferred_share
    each = [threshold.cleared for threshold in policy.thresholds.values()]
    assert None not in each
    assert mine.cleared is not None
    assert min(each) < mine.cleared < max(each)


@pytest.mark.parametrize("name", ["capacity", "cost", "certified-accepted", "certified-cost"])
def test_only_a_promise_about_all_critical_cases_has_them(name: str) -> None:
    policy = fit(TABLE, "phantom", **ASKED[name])
    assert policy.attainable == ()
    assert "attainable" not in policy.to_dict()
